"""Log-probability of each target, and entropy of each row, in one pass over the vocabulary.

The online log-sum-exp of Milakov and Gimelshein (2018, arXiv 1805.02867), with sum(e^x x) carried
beside sum(e^x). log_softmax followed by gather writes the whole table of log-probabilities; this
reads the logits once and writes two numbers a row. A negative target is ignored: log-probability 0,
no gradient. The entropy is a measurement and has no gradient.

N: rows · V: vocabulary
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor

from gradus.kernels.dispatch import runs_triton

BLOCK = 4096


def token_logprob_reference(logits_NV: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
    """Define what is correct: (log-probabilities, entropies), each (N,), in float32 or wider."""
    logits_NV = logits_NV if logits_NV.dtype == torch.float64 else logits_NV.float()
    lse_N = logits_NV.logsumexp(dim=-1)
    chosen_N = logits_NV.gather(-1, targets_N.clamp(min=0)[:, None])[:, 0]
    with torch.no_grad():
        weighted_NV = (logits_NV - lse_N[:, None]).exp_().mul_(logits_NV.clamp(min=torch.finfo(logits_NV.dtype).min))
        entropy_N = lse_N - weighted_NV.sum(dim=-1)
    return torch.where(targets_N >= 0, chosen_N - lse_N, 0.0), entropy_N


@triton.jit
def _forward(logits_ptr, targets_ptr, logprob_ptr, entropy_ptr, lse_ptr, V, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    target = tl.load(targets_ptr + row)
    # Not -inf, so that blocks of nothing but -inf do not make NaN of -inf - -inf.
    highest, total, weighted = -3.4e38, 0.0, 0.0
    for start in range(0, V, BLOCK):
        column = start + tl.arange(0, BLOCK)  # [BLOCK]
        x = tl.load(logits_ptr + row * V + column, mask=column < V, other=float("-inf")).to(tl.float32)
        new_highest = tl.maximum(highest, tl.max(x, axis=0))
        e = tl.exp(x - new_highest)
        shrink = tl.exp(highest - new_highest)
        total = total * shrink + tl.sum(e, axis=0)
        # A logit of -inf has no weight; 0 x -inf would be NaN.
        weighted = weighted * shrink + tl.sum(e * tl.where(e > 0, x, 0.0), axis=0)
        highest = new_highest
    lse = highest + tl.log(total)
    chosen = tl.load(logits_ptr + row * V + target, mask=target >= 0, other=0.0).to(tl.float32)
    tl.store(logprob_ptr + row, tl.where(target >= 0, chosen - lse, 0.0))
    tl.store(entropy_ptr + row, lse - weighted / total)
    tl.store(lse_ptr + row, lse)


@triton.jit
def _backward(logits_ptr, targets_ptr, lse_ptr, grad_ptr, out_ptr, V, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    column = tl.program_id(1).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)  # [BLOCK]
    mask = column < V
    target, lse = tl.load(targets_ptr + row), tl.load(lse_ptr + row)
    grad = tl.where(target >= 0, tl.load(grad_ptr + row), 0.0)
    x = tl.load(logits_ptr + row * V + column, mask=mask, other=float("-inf")).to(tl.float32)
    out = grad * (tl.where(column == target, 1.0, 0.0) - tl.exp(x - lse))
    tl.store(out_ptr + row * V + column, out.to(out_ptr.dtype.element_ty), mask=mask)


class _TokenLogprob(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits_NV: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        N, V = logits_NV.shape
        logprob_N, entropy_N, lse_N = (torch.empty(N, dtype=torch.float32, device=logits_NV.device) for _ in range(3))
        _forward[(N,)](logits_NV, targets_N, logprob_N, entropy_N, lse_N, V, BLOCK=BLOCK)
        ctx.save_for_backward(logits_NV, targets_N, lse_N)
        ctx.mark_non_differentiable(entropy_N)
        return logprob_N, entropy_N

    @staticmethod
    def backward(ctx: Any, grad_N: Tensor, _: Tensor) -> tuple[Tensor, None]:
        logits_NV, targets_N, lse_N = ctx.saved_tensors
        N, V = logits_NV.shape
        out_NV = torch.empty_like(logits_NV)
        _backward[(N, triton.cdiv(V, BLOCK))](logits_NV, targets_N, lse_N, grad_N.contiguous(), out_NV, V, BLOCK=BLOCK)
        return out_NV, None


def token_logprob(logits_NV: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
    """Compute token_logprob_reference in one pass. Contiguous, on one device."""
    if not runs_triton(logits_NV):
        return token_logprob_reference(logits_NV, targets_N)
    return _TokenLogprob.apply(logits_NV, targets_N)
