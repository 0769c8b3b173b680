"""Attention of each token to its own document up to itself, for documents of any length laid end to end.

On a GPU FlashAttention's kernels for variable lengths: version 4 (flash-attn-4, written in CuTe's language; Hopper and
Blackwell; heads of 32 and more) where it is installed, else version 2, which is part of PyTorch. On a CPU PyTorch's
kernel, one document after the other. Nothing is computed, nor kept, for pairs of different documents.

A document may have more keys than queries: its queries are then its last ones. Gradients for heads of 512 and more,
dropout and windows are not covered. On a GPU sums of gradients are in no fixed order.

T: queries · S: keys · N: heads · K: heads of keys, each read by N / K of the queries' · H: size of a head
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from gradus.kernels.max_logit import Attended, note_logits

aten = torch.ops.aten


class Span(NamedTuple):
    """Documents whose queries are one slice of all queries, and whose keys are one slice of all keys."""

    queries: slice
    keys: slice
    starts_of_queries: Tensor
    """Within the slice: of each document, then the end; int32."""
    starts_of_keys: Tensor
    longest_queries: int
    longest_keys: int


def document_attention_reference(
    q_TNH: Tensor, k_SKH: Tensor, v_SKH: Tensor, *, starts_of_queries: list[int], starts_of_keys: list[int]
) -> tuple[Tensor, Tensor]:
    """Define what is correct, for one span: what each query reads, (T, N, H), and its log-sum-exp, (N, T)."""
    num_queries, num_heads, size = q_TNH.shape
    k_NSH, v_NSH = (x.repeat_interleave(num_heads // x.shape[1], dim=1).transpose(0, 1) for x in (k_SKH, v_SKH))
    sees_TS = torch.zeros(num_queries, k_SKH.shape[0], dtype=torch.bool, device=q_TNH.device)
    for i in range(len(starts_of_queries) - 1):
        queries, keys = slice(*starts_of_queries[i : i + 2]), slice(*starts_of_keys[i : i + 2])
        block = sees_TS[queries, keys]
        block.copy_(torch.ones_like(block).tril(block.shape[1] - block.shape[0]))
    scores_NTS = q_TNH.transpose(0, 1) @ k_NSH.transpose(1, 2) * size**-0.5
    scores_NTS = scores_NTS.masked_fill(~sees_TS, -torch.inf)
    return (scores_NTS.softmax(dim=-1) @ v_NSH).transpose(0, 1), scores_NTS.logsumexp(dim=-1)


class Kernels(Protocol):
    """One implementation, for one span."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, span: Span, scale: float) -> tuple[Tensor, Tensor]: ...

    def backward(self, grad: Tensor, saved: tuple[Tensor, ...], span: Span, scale: float) -> tuple[Tensor, ...]:
        """Return the gradients of q, k and v; saved are these, what was read, and the log-sum-exp."""


class FlashAttention4:
    """Compiled once for each size of head and kept on the disk, which takes seconds."""

    SMALLEST_HEAD = 32
    """4.0.0b36 returns no gradient for the queries of a second document where heads are of 16."""

    def __init__(self) -> None:
        os.environ.setdefault("FLASH_ATTENTION_CUTE_DSL_CACHE_ENABLED", "1")
        warnings.filterwarnings("ignore", "Argument aux_data")  # by the compiler, of an argument that is not used
        from flash_attn.cute import interface

        self._interface = interface

    def forward(self, q: Tensor, k: Tensor, v: Tensor, span: Span, scale: float) -> tuple[Tensor, Tensor]:
        out, lse, *_ = self._interface._flash_attn_fwd(q, k, v, return_lse=True, **self._options(span, scale))
        return out, lse

    def backward(self, grad: Tensor, saved: tuple[Tensor, ...], span: Span, scale: float) -> tuple[Tensor, ...]:
        q, k, v, out, lse = saved
        grads = self._interface._flash_attn_bwd(q, k, v, out, grad, lse.contiguous(), **self._options(span, scale))
        return tuple(grads[:3])

    def _options(self, span: Span, scale: float) -> dict[str, Any]:
        return {
            "softmax_scale": scale,
            "causal": True,
            "cu_seqlens_q": span.starts_of_queries,
            "cu_seqlens_k": span.starts_of_keys,
            "max_seqlen_q": span.longest_queries,
            "max_seqlen_k": span.longest_keys,
        }


class FlashAttention2:
    """PyTorch's own."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, span: Span, scale: float) -> tuple[Tensor, Tensor]:
        out, lse, *_ = aten._flash_attention_forward(q, k, v, *span[2:], 0.0, True, False, scale=scale)
        return out, lse

    def backward(self, grad: Tensor, saved: tuple[Tensor, ...], span: Span, scale: float) -> tuple[Tensor, ...]:
        q, k, v, out, lse = saved
        no_seed, unused = torch.zeros(2, dtype=torch.uint64, device=q.device), torch.empty(0, device=q.device)
        grads: tuple[Tensor, ...] = aten._flash_attention_backward(
            grad, q, k, v, out, lse.contiguous(), *span[2:], 0.0, True, no_seed, unused, scale=scale
        )
        return grads


class OneByOne:
    """PyTorch's kernel for CPUs, document by document."""

    def forward(self, q: Tensor, k: Tensor, v: Tensor, span: Span, scale: float) -> tuple[Tensor, Tensor]:
        outs, lses = [], []
        for queries, keys, mask in _documents(q, span):
            inputs = (_batched(x) for x in (q[queries], k[keys], v[keys]))
            out, lse = aten._scaled_dot_product_flash_attention_for_cpu(
                *inputs, 0.0, mask is None, attn_mask=mask, scale=scale
            )
            outs.append(_unbatched(out))
            lses.append(lse[0])
        return torch.cat(outs), torch.cat(lses, dim=1)

    def backward(self, grad: Tensor, saved: tuple[Tensor, ...], span: Span, scale: float) -> tuple[Tensor, ...]:
        q, k, v, out, lse = saved
        grads = []
        for queries, keys, mask in _documents(q, span):
            inputs = (_batched(x) for x in (grad[queries], q[queries], k[keys], v[keys], out[queries]))
            found = aten._scaled_dot_product_flash_attention_for_cpu_backward(
                *inputs, lse[None, :, queries], 0.0, mask is None, attn_mask=mask, scale=scale
            )
            grads.append([_unbatched(x) for x in found])
        return tuple(torch.cat(parts) for parts in zip(*grads, strict=True))


def _documents(q: Tensor, span: Span) -> Iterator[tuple[slice, slice, Tensor | None]]:
    """Yield the queries and keys of each document, and a mask where there are more keys than queries."""
    queries, keys = span.starts_of_queries.tolist(), span.starts_of_keys.tolist()
    for i in range(len(queries) - 1):
        num_queries, num_keys = queries[i + 1] - queries[i], keys[i + 1] - keys[i]
        mask = None
        if num_queries != num_keys:
            mask = q.new_full((num_queries, num_keys), -torch.inf).triu(1 + num_keys - num_queries)
        yield slice(*queries[i : i + 2]), slice(*keys[i : i + 2]), mask


def _batched(x_TNH: Tensor) -> Tensor:
    return x_TNH.transpose(0, 1)[None]


def _unbatched(x_1NTH: Tensor) -> Tensor:
    return x_1NTH[0].transpose(0, 1)


@cache
def _kernels(device: torch.device, head_size: int) -> Kernels:
    if device.type == "cpu":
        return OneByOne()
    if torch.cuda.get_device_capability(device)[0] in (9, 10) and head_size >= FlashAttention4.SMALLEST_HEAD:
        try:
            return FlashAttention4()
        except ModuleNotFoundError:
            warnings.warn("flash-attn-4 is not installed: attention takes the slower FlashAttention 2", stacklevel=2)
    return FlashAttention2()


def kernels_name(device: torch.device, head_size: int) -> str:
    """Return which kernels heads of this size get on a device."""
    return type(_kernels(device, head_size)).__name__


def _spans(starts_of_queries: Tensor, starts_of_keys: Tensor, pieces: Tensor) -> Iterator[Span]:
    """Read the rows of pieces: bounds of queries, of keys, of the documents' starts, and the longest of each."""
    for q0, q1, k0, k1, first, last, longest_queries, longest_keys in pieces.tolist():
        starts = (starts_of_queries, starts_of_keys)
        if len(pieces) > 1:
            # Kernels want what they are given to begin at a multiple of 16 bytes.
            starts = tuple(x[first:last].clone() for x in starts)  # type: ignore[assignment]
        yield Span(slice(q0, q1), slice(k0, k1), *starts, longest_queries, longest_keys)


@torch.library.custom_op("gradus::document_attention", mutates_args=())
def document_attention(
    q_TNH: Tensor,
    k_SKH: Tensor,
    v_SKH: Tensor,
    starts_of_queries: Tensor,
    starts_of_keys: Tensor,
    pieces: Tensor,
    scale: float,
    noted_2N: Tensor | None = None,
    counts_T: Tensor | None = None,
    limit: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return what each query reads, (T, N, H), and its log-sum-exp, (N, T); pieces, on the CPU, are spans.

    noted_2N is raised as note_logits says, if it is given, and with it counts_T. The compiler is not told: it would
    keep the operator from being computed again, which does no harm here.
    """
    kernels, outs, lses = _kernels(q_TNH.device, q_TNH.shape[-1]), [], []
    for span in _spans(starts_of_queries, starts_of_keys, pieces):
        out, lse = kernels.forward(q_TNH[span.queries], k_SKH[span.keys], v_SKH[span.keys], span, scale)
        outs.append(out)
        lses.append(lse)
        if noted_2N is not None:
            assert counts_T is not None
            inputs = (q_TNH[span.queries], k_SKH[span.keys], lse, counts_T[span.queries])
            attended = Attended(*inputs, span.starts_of_queries, span.starts_of_keys)
            note_logits(attended, noted_2N, limit=limit, scale=scale)
    return (outs[0], lses[0]) if len(outs) == 1 else (torch.cat(outs), torch.cat(lses, dim=1))


@document_attention.register_fake
def _(q_TNH: Tensor, _: Tensor, v_SKH: Tensor, *__: Any) -> tuple[Tensor, Tensor]:
    num_queries, num_heads = q_TNH.shape[:2]
    dtype = torch.float64 if q_TNH.dtype == torch.float64 else torch.float32
    out_TNH = q_TNH.new_empty(num_queries, num_heads, v_SKH.shape[-1])
    return out_TNH, q_TNH.new_empty(num_heads, num_queries, dtype=dtype)


@torch.library.custom_op("gradus::document_attention_backward", mutates_args=())
def document_attention_backward(
    grad_TNH: Tensor,
    q_TNH: Tensor,
    k_SKH: Tensor,
    v_SKH: Tensor,
    out_TNH: Tensor,
    lse_NT: Tensor,
    starts_of_queries: Tensor,
    starts_of_keys: Tensor,
    pieces: Tensor,
    scale: float,
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of the queries, keys and values."""
    kernels, found = _kernels(q_TNH.device, q_TNH.shape[-1]), []
    spans = list(_spans(starts_of_queries, starts_of_keys, pieces))
    for span in spans:
        queries, keys = span.queries, span.keys
        saved = (q_TNH[queries], k_SKH[keys], v_SKH[keys], out_TNH[queries], lse_NT[:, queries])
        found.append(kernels.backward(grad_TNH[queries], saved, span, scale))
    if len(found) == 1:
        return found[0][0], found[0][1], found[0][2]
    k_grad, v_grad = torch.zeros_like(k_SKH), torch.zeros_like(v_SKH)
    for span, (_, k_part, v_part) in zip(spans, found, strict=True):
        k_grad[span.keys] += k_part
        v_grad[span.keys] += v_part
    return torch.cat([q_part for q_part, _, _ in found]), k_grad, v_grad


@document_attention_backward.register_fake
def _(_: Tensor, q_TNH: Tensor, k_SKH: Tensor, v_SKH: Tensor, *__: Any) -> tuple[Tensor, Tensor, Tensor]:
    return torch.empty_like(q_TNH), torch.empty_like(k_SKH), torch.empty_like(v_SKH)


def _remember(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    q_TNH, k_SKH, v_SKH, starts_of_queries, starts_of_keys, pieces, ctx.scale, *_ = inputs
    ctx.save_for_backward(q_TNH, k_SKH, v_SKH, *output, starts_of_queries, starts_of_keys, pieces)


def _differentiate(ctx: Any, grad_TNH: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    grads = document_attention_backward(grad_TNH.contiguous(), *ctx.saved_tensors, ctx.scale)
    return (*grads, *[None] * 7)


document_attention.register_autograd(_differentiate, setup_context=_remember)
