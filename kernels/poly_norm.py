"""PolyNorm, times the other half of a gated feed-forward layer, reading each input once a pass.

y = (w0 norm(x^3) + w1 norm(x^2) + w2 norm(x) + b) up, norm(z) = z / sqrt(mean(z^2) + eps) over a row
(Zhuo et al. 2024, arXiv 2411.03884; the order of w as in the weights of Motif-2). With r_k = 1 / sqrt(mean(x^2k) + eps)
and g = dy up, a row needs A_k = sum(g x^k) alone for its backward:
dx = sum over k of w k (r_k g x^(k-1) - A_k r_k^3 / D x^(2k-1)),   dw = sum over rows of A_k r_k,   db = sum of g.
A row is read twice in each kernel, the second time out of the cache; the three powers are never written. Arithmetic is
in float32. DTensors, whose rows may lie on several devices, take the reference: their means are sums over devices.

N: rows · D: width of a row
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl
from torch import Tensor
from torch.distributed.tensor import DTensor

from gradus.kernels.dispatch import runs_triton

# 256 threads read 16 bytes of bfloat16 each.
BLOCK, NUM_WARPS = 2048, 8


def poly_norm_reference(gate: Tensor, up: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-6) -> Tensor:
    """Define what is correct. gate, up: (..., D); weight: of the cube, the square and x itself; bias: one number."""
    wide = torch.float64 if gate.dtype == torch.float64 else torch.float32
    x, weight, bias = gate.to(wide), weight.to(wide), bias.to(wide)
    cube, square, plain = (z * (z.square().mean(dim=-1, keepdim=True) + eps).rsqrt() for z in (x**3, x**2, x))
    return ((weight[0] * cube + weight[1] * square + weight[2] * plain + bias) * up.to(wide)).to(gate.dtype)


@triton.jit
def _forward(gate_ptr, up_ptr, weight_ptr, bias_ptr, out_ptr, scale_ptr, D, eps, BLOCK: tl.constexpr):  # type: ignore[no-untyped-def]
    row = tl.program_id(0).to(tl.int64)
    first = tl.zeros([BLOCK], tl.float32)
    second = tl.zeros([BLOCK], tl.float32)
    third = tl.zeros([BLOCK], tl.float32)
    for start in range(0, D, BLOCK):
        column = start + tl.arange(0, BLOCK)  # [BLOCK]
        x = tl.load(gate_ptr + row * D + column, mask=column < D, other=0.0).to(tl.float32)
        square = x * x
        first += square
        second += square * square
        third += square * square * square
    r1 = 1.0 / tl.sqrt(tl.sum(first, axis=0) / D + eps)
    r2 = 1.0 / tl.sqrt(tl.sum(second, axis=0) / D + eps)
    r3 = 1.0 / tl.sqrt(tl.sum(third, axis=0) / D + eps)
    c3 = tl.load(weight_ptr).to(tl.float32) * r3
    c2 = tl.load(weight_ptr + 1).to(tl.float32) * r2
    c1 = tl.load(weight_ptr + 2).to(tl.float32) * r1
    bias = tl.load(bias_ptr).to(tl.float32)
    for start in range(0, D, BLOCK):
        column = start + tl.arange(0, BLOCK)
        mask = column < D
        x = tl.load(gate_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        up = tl.load(up_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        out = (((c3 * x + c2) * x + c1) * x + bias) * up
        tl.store(out_ptr + row * D + column, out.to(out_ptr.dtype.element_ty), mask=mask)
    tl.store(scale_ptr + row * 3, r3)
    tl.store(scale_ptr + row * 3 + 1, r2)
    tl.store(scale_ptr + row * 3 + 2, r1)


@triton.jit
def _backward(  # type: ignore[no-untyped-def]
    grad_ptr, gate_ptr, up_ptr, weight_ptr, bias_ptr, scale_ptr, d_gate_ptr, d_up_ptr, sums_ptr, D, BLOCK: tl.constexpr
):
    row = tl.program_id(0).to(tl.int64)
    total = tl.zeros([BLOCK], tl.float32)
    first = tl.zeros([BLOCK], tl.float32)
    second = tl.zeros([BLOCK], tl.float32)
    third = tl.zeros([BLOCK], tl.float32)
    for start in range(0, D, BLOCK):
        column = start + tl.arange(0, BLOCK)  # [BLOCK]
        mask = column < D
        x = tl.load(gate_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        up = tl.load(up_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        g = tl.load(grad_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32) * up
        total += g
        first += g * x
        second += g * x * x
        third += g * x * x * x
    r3 = tl.load(scale_ptr + row * 3)
    r2 = tl.load(scale_ptr + row * 3 + 1)
    r1 = tl.load(scale_ptr + row * 3 + 2)
    a3, a2, a1 = tl.sum(third, axis=0) * r3, tl.sum(second, axis=0) * r2, tl.sum(first, axis=0) * r1
    tl.store(sums_ptr + row * 4, a3)
    tl.store(sums_ptr + row * 4 + 1, a2)
    tl.store(sums_ptr + row * 4 + 2, a1)
    tl.store(sums_ptr + row * 4 + 3, tl.sum(total, axis=0))
    c3 = tl.load(weight_ptr).to(tl.float32) * r3
    c2 = tl.load(weight_ptr + 1).to(tl.float32) * r2
    c1 = tl.load(weight_ptr + 2).to(tl.float32) * r1
    bias = tl.load(bias_ptr).to(tl.float32)
    k3, k2, k1 = 3 * c3 * r3 * a3 / D, 2 * c2 * r2 * a2 / D, c1 * r1 * a1 / D
    for start in range(0, D, BLOCK):
        column = start + tl.arange(0, BLOCK)
        mask = column < D
        x = tl.load(gate_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        up = tl.load(up_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        grad = tl.load(grad_ptr + row * D + column, mask=mask, other=0.0).to(tl.float32)
        square = x * x
        d_gate = grad * up * (3 * c3 * square + 2 * c2 * x + c1) - ((k3 * square + k2) * square + k1) * x
        d_up = grad * (((c3 * x + c2) * x + c1) * x + bias)
        tl.store(d_gate_ptr + row * D + column, d_gate.to(d_gate_ptr.dtype.element_ty), mask=mask)
        tl.store(d_up_ptr + row * D + column, d_up.to(d_up_ptr.dtype.element_ty), mask=mask)


def _num_rows(x: Tensor) -> int:
    return x.numel() // x.shape[-1]


# Custom operators, so that a compiled layer takes each as one piece.
@torch.library.custom_op("gradus::poly_norm", mutates_args=())
def _poly_norm(gate: Tensor, up: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    """Return the result and, for backward, r3, r2 and r1 of each row."""
    gate, up = gate.contiguous(), up.contiguous()
    N, D = _num_rows(gate), gate.shape[-1]
    out, scale_N3 = torch.empty_like(gate), torch.empty(N, 3, dtype=torch.float32, device=gate.device)
    block = min(BLOCK, triton.next_power_of_2(D))
    _forward[(N,)](gate, up, weight, bias, out, scale_N3, D, eps, BLOCK=block, num_warps=NUM_WARPS)
    return out, scale_N3


@_poly_norm.register_fake
def _(gate: Tensor, *_others: Any) -> tuple[Tensor, Tensor]:
    return gate.new_empty(gate.shape), gate.new_empty(_num_rows(gate), 3, dtype=torch.float32)


@torch.library.custom_op("gradus::poly_norm_backward", mutates_args=())
def _poly_norm_backward(
    grad: Tensor, gate: Tensor, up: Tensor, weight: Tensor, bias: Tensor, scale_N3: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the gradients of gate and up and, of each row, what it adds to those of weight and bias."""
    grad, gate, up = grad.contiguous(), gate.contiguous(), up.contiguous()
    N, D = _num_rows(gate), gate.shape[-1]
    d_gate, d_up = torch.empty_like(gate), torch.empty_like(up)
    sums_N4 = torch.empty(N, 4, dtype=torch.float32, device=gate.device)
    block = min(BLOCK, triton.next_power_of_2(D))
    inputs, outputs = (grad, gate, up, weight, bias, scale_N3), (d_gate, d_up, sums_N4)
    _backward[(N,)](*inputs, *outputs, D, BLOCK=block, num_warps=NUM_WARPS)
    return d_gate, d_up, sums_N4


@_poly_norm_backward.register_fake
def _(_grad: Tensor, gate: Tensor, up: Tensor, *_others: Any) -> tuple[Tensor, Tensor, Tensor]:
    sums_N4 = gate.new_empty(_num_rows(gate), 4, dtype=torch.float32)
    return gate.new_empty(gate.shape), up.new_empty(up.shape), sums_N4


def _keep(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    gate, up, weight, bias, _ = inputs
    ctx.save_for_backward(gate, up, weight, bias, output[1])


def _differentiate(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, None]:
    gate, up, weight, bias, scale_N3 = ctx.saved_tensors
    d_gate, d_up, sums_N4 = _poly_norm_backward(grad, gate, up, weight, bias, scale_N3)
    sums_4 = sums_N4.sum(dim=0)
    return d_gate, d_up, sums_4[:3].to(weight.dtype), sums_4[3:].to(bias.dtype), None


_poly_norm.register_autograd(_differentiate, setup_context=_keep)


def poly_norm(gate: Tensor, up: Tensor, weight: Tensor, bias: Tensor, eps: float = 1e-6) -> Tensor:
    """Compute poly_norm_reference in one pass forward and one backward. gate, up: same shape, type and device."""
    if isinstance(gate, DTensor) or not runs_triton(gate):
        return poly_norm_reference(gate, up, weight, bias, eps)
    out, _ = _poly_norm(gate, up, weight, bias, eps)
    return out
