import pytest
import torch

from gradus.kernels import poly_norm as module
from gradus.kernels.dispatch import runs_triton
from gradus.kernels.poly_norm import poly_norm, poly_norm_reference

SHAPES = [(1, 1), (3, 257), (2, 2, 64), (2, 4096), (2, 9001)]
# bfloat16 results are rounded once, to 8 bits of mantissa.
TOLERANCES = [(torch.float32, 2e-5), (torch.bfloat16, 8e-3)]


def inputs(shape, dtype, device):
    """Return gate, up, weight and bias, and the gradient of the result."""
    torch.manual_seed(0)
    gate, up, grad = (torch.randn(shape, device=device).to(dtype) for _ in range(3))
    weight, bias = torch.tensor([0.5, -0.4, 0.7], device=device), torch.tensor([0.1], device=device)
    return (2 * gate, up, weight.to(dtype), bias.to(dtype)), grad


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tol"), TOLERANCES)
def test_the_result_matches_the_reference(shape, dtype, tol, device, nan_empty):
    some, _ = inputs(shape, dtype, device)
    assert runs_triton(some[0])
    got, want = poly_norm(*some), poly_norm_reference(*(x.double() for x in some))
    assert got.dtype == dtype
    torch.testing.assert_close(got.double(), want, rtol=tol, atol=tol)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tol"), TOLERANCES)
def test_gradients_match_the_reference(shape, dtype, tol, device, nan_empty):
    some, grad = inputs(shape, dtype, device)
    got = [x.clone().requires_grad_() for x in some]
    want = [x.double().requires_grad_() for x in some]
    poly_norm(*got).backward(grad)
    poly_norm_reference(*want).backward(grad.double())
    for mine, theirs in zip(got, want, strict=True):
        assert mine.grad.dtype == dtype
        # Sums over a row's thousands of terms: their error grows with the largest of them.
        limit = tol * max(1.0, theirs.grad.abs().max().item())
        torch.testing.assert_close(mine.grad.double(), theirs.grad, rtol=tol, atol=limit)


def test_rows_wider_than_a_block_are_whole(device, nan_empty, monkeypatch):
    some, grad = inputs((2, 21), torch.float32, device)
    monkeypatch.setattr(module, "BLOCK", 8)
    got = [x.clone().requires_grad_() for x in some]
    want = [x.clone().requires_grad_() for x in some]
    poly_norm(*got).backward(grad)
    poly_norm_reference(*want).backward(grad)
    for mine, theirs in zip(got, want, strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-5)


def test_inputs_need_not_be_contiguous(device, nan_empty):
    (gate, up, weight, bias), grad = inputs((6, 4), torch.float32, device)
    gate, up = gate.T.requires_grad_(), up.T
    poly_norm(gate, up, weight, bias).backward(grad.T)
    copy = gate.detach().clone().requires_grad_()
    poly_norm_reference(copy, up, weight, bias).backward(grad.T)
    torch.testing.assert_close(gate.grad, copy.grad, rtol=1e-4, atol=1e-5)


def test_the_operator_keeps_the_rules_of_compiled_code(device):
    some, _ = inputs((2, 16), torch.float32, device)
    torch.library.opcheck(torch.ops.gradus.poly_norm, (*(x.requires_grad_() for x in some), 1e-6))


def test_a_row_of_zeros_gives_the_bias(device):
    zeros, ones = torch.zeros(1, 5, device=device), torch.ones(1, 5, device=device)
    out = poly_norm(zeros, ones, torch.ones(3, device=device), torch.full((1,), 0.25, device=device))
    torch.testing.assert_close(out.cpu(), torch.full((1, 5), 0.25))
