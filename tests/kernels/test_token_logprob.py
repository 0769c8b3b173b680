import pytest
import torch

from gradus.kernels import token_logprob as module
from gradus.kernels.dispatch import runs_triton
from gradus.kernels.token_logprob import token_logprob, token_logprob_reference

SHAPES = [(1, 1), (3, 257), (5, 64), (2, 4096), (4, 9001)]
# bfloat16 gradients are rounded once, to 8 bits of mantissa.
TOLERANCES = [(torch.float32, 1e-5), (torch.bfloat16, 8e-3)]


def logits_and_targets(shape, dtype, device):
    torch.manual_seed(0)
    logits = (3 * torch.randn(shape, device=device)).to(dtype)
    targets = torch.randint(0, shape[1], shape[:1], device=device)
    return logits, targets


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tol"), TOLERANCES)
def test_log_probabilities_and_entropies_match_the_reference(shape, dtype, tol, device, nan_empty):
    logits, targets = logits_and_targets(shape, dtype, device)
    assert runs_triton(logits)
    for got, want in zip(
        token_logprob(logits, targets), token_logprob_reference(logits.double(), targets), strict=True
    ):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("dtype", "tol"), TOLERANCES)
def test_gradients_match_the_reference(shape, dtype, tol, device, nan_empty):
    logits, targets = logits_and_targets(shape, dtype, device)
    weights = torch.randn(shape[0], device=device)
    got, want = logits.clone().requires_grad_(), logits.double().requires_grad_()
    (token_logprob(got, targets)[0] * weights).sum().backward()
    (token_logprob_reference(want, targets)[0] * weights.double()).sum().backward()
    assert got.grad.dtype == dtype
    torch.testing.assert_close(got.grad.double(), want.grad, rtol=tol, atol=tol)


def test_a_negative_target_has_no_log_probability_and_no_gradient(device, nan_empty):
    logits, targets = logits_and_targets((3, 257), torch.float32, device)
    targets[1] = -100
    logits.requires_grad_()
    logprobs, _ = token_logprob(logits, targets)
    logprobs.sum().backward()
    assert logprobs[1] == 0
    assert logits.grad[1].abs().max() == 0
    assert logits.grad[0].abs().max() > 0


@pytest.mark.parametrize("function", [token_logprob, token_logprob_reference])
def test_an_impossible_token_has_no_weight(function, device):
    logits = torch.tensor([[0.0, float("-inf"), 0.0]], device=device)
    logprobs, entropies = function(logits, torch.tensor([2], device=device))
    torch.testing.assert_close(torch.cat([logprobs, entropies]).exp().cpu(), torch.tensor([0.5, 2.0]))


def test_the_first_block_may_hold_only_impossible_tokens(device, monkeypatch):
    logits, targets = logits_and_targets((1, 40), torch.float32, device)
    logits[:, :8] = float("-inf")
    targets[:] = 20
    want = token_logprob_reference(logits.double(), targets)
    monkeypatch.setattr(module, "BLOCK", 8)
    for got, expected in zip(token_logprob(logits, targets), want, strict=True):
        torch.testing.assert_close(got.double(), expected, rtol=1e-5, atol=1e-5)


def test_the_reference_is_log_softmax():
    logits, targets = logits_and_targets((7, 33), torch.float64, "cpu")
    want = torch.log_softmax(logits, dim=-1)
    logprobs, entropies = token_logprob_reference(logits, targets)
    torch.testing.assert_close(logprobs, want.gather(-1, targets[:, None])[:, 0])
    torch.testing.assert_close(entropies, -(want.exp() * want).sum(-1))
