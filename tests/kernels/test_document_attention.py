from itertools import accumulate

import pytest
import torch

from gradus.kernels import document_attention as module
from gradus.kernels.document_attention import document_attention, document_attention_reference
from gradus.kernels.max_logit import Attended, note_logits_reference

# Of each document: queries, and keys, of which the queries are the last.
LENGTHS = [
    ([5], [5]),
    ([1, 7, 64, 3], [1, 7, 64, 3]),
    ([3, 130, 1], [40, 130, 1]),
    ([1, 1, 1], [1, 2, 300]),
]
HEADS = [(4, 4, 16), (6, 2, 32), (3, 1, 64), (4, 2, 128)]
# On a GPU what is multiplied has 8 bits of mantissa; sums of them are taken in float32.
DTYPES = {"cpu": (torch.float32, 2e-6), "cuda": (torch.bfloat16, 2e-2)}
NAMES = ("out", "log-sum-exp", "queries' gradient", "keys' gradient", "values' gradient")


def inputs(queries, keys, heads, device, dtype):
    torch.manual_seed(0)
    num_heads, num_key_heads, size = heads
    shapes = [(sum(queries), num_heads), (sum(keys), num_key_heads), (sum(keys), num_key_heads)]
    return [torch.randn(*shape, size, device=device, dtype=dtype).requires_grad_() for shape in shapes]


def where(queries, keys, device):
    starts = [torch.tensor([0, *accumulate(x)], dtype=torch.int32, device=device) for x in (queries, keys)]
    bounds = [0, sum(queries), 0, sum(keys), 0, len(queries) + 1, max(queries), max(keys)]
    return *starts, torch.tensor([bounds])


@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
@pytest.mark.parametrize("heads", HEADS)
def test_what_is_read_and_its_gradients_match_the_reference(queries, keys, heads, device, nan_empty):
    dtype, tol = DTYPES[device]
    given = inputs(queries, keys, heads, device, dtype)
    exact = [x.detach().double().requires_grad_() for x in given]
    starts = where(queries, keys, device)
    got = list(document_attention(*given, *starts, heads[2] ** -0.5))
    names = {"starts_of_queries": starts[0].tolist(), "starts_of_keys": starts[1].tolist()}
    want = list(document_attention_reference(*exact, **names))
    grad = torch.randn_like(got[0])
    got += torch.autograd.grad(got[0], given, grad)
    want += torch.autograd.grad(want[0], exact, grad.double())
    for name, a, b in zip(NAMES, got, want, strict=True):
        error = (a.double() - b).abs().max() / b.abs().max()
        assert error <= tol, f"{name}: {error}"


def test_pieces_are_attended_to_as_if_each_were_alone(device):
    dtype, tol = DTYPES[device]
    queries, keys, heads = [4, 9, 20], [4, 30, 20], (4, 2, 64)
    given = inputs(queries, keys, heads, device, dtype)
    starts_of_queries, starts_of_keys, _ = where(queries, keys, device)
    whole = document_attention(*given, *where(queries, keys, device), 0.125)
    # The second document's end and the third one, then the first with the second's beginning, keys in common.
    pieces = torch.tensor([[13, 33, 34, 54, 0, 2, 20, 20], [0, 13, 0, 34, 2, 5, 9, 30]])
    starts = ([0, 20, 0, 4, 13], [0, 20, 0, 4, 34])
    split = document_attention(
        *given, *(torch.tensor(x, dtype=torch.int32, device=device) for x in starts), pieces, 0.125
    )
    assert starts_of_queries.tolist() == [0, 4, 13, 33]
    assert starts_of_keys.tolist() == [0, 4, 34, 54]
    torch.testing.assert_close(torch.cat([split[0][20:], split[0][:20]]), whole[0], rtol=tol, atol=tol)
    torch.testing.assert_close(torch.cat([split[1][:, 20:], split[1][:, :20]], dim=1), whole[1], rtol=tol, atol=tol)


def test_the_logits_of_every_piece_are_noted(device):
    dtype, _ = DTYPES[device]
    given = inputs([9, 40], [9, 40], (6, 2, 64), device, dtype)
    starts = [torch.tensor([0, 9, 0, 40], dtype=torch.int32, device=device)] * 2
    pieces = torch.tensor([[0, 9, 0, 9, 0, 2, 9, 9], [9, 49, 9, 49, 2, 4, 40, 40]])
    counts = torch.arange(49, device=device) < 45
    noted = torch.full((2, 6), -torch.inf, device=device)
    _, lse = document_attention(*given, *starts, pieces, 0.125, noted, counts, 0.3)
    torch.testing.assert_close(noted[0], lse[:, :45].amax(dim=1).float(), rtol=0, atol=0)
    want = torch.full((2, 6), -torch.inf, device=device)
    q, k, _ = (x.detach() for x in given)
    whole = torch.tensor([0, 9, 49], dtype=torch.int32, device=device)
    note_logits_reference(Attended(q, k, lse.detach(), counts, whole, whole), want, limit=0.3, scale=0.125)
    torch.testing.assert_close(noted, want, rtol=1e-6, atol=1e-6)
    before = noted.clone()
    document_attention(*(x[:9] for x in given), *where([9], [9], device), 0.125, noted, counts[:9], 0.3)
    assert torch.equal(noted, before)


def test_the_operator_keeps_pytorchs_contract():
    given = inputs([3, 8], [3, 8], (4, 2, 16), "cpu", torch.float32)
    torch.library.opcheck(document_attention, (*given, *where([3, 8], [3, 8], "cpu"), 0.25))


@pytest.mark.gpu
@pytest.mark.parametrize("kernels", ["FlashAttention4", "FlashAttention2"])
@pytest.mark.parametrize(("queries", "keys"), LENGTHS)
def test_both_flash_attentions_match_the_cpus(kernels, queries, keys):
    if kernels == "FlashAttention4":
        pytest.importorskip("flash_attn.cute")
    ours = getattr(module, kernels)()
    given = [x.detach() for x in inputs(queries, keys, (4, 2, 128), "cuda", torch.bfloat16)]
    *starts, bounds = where(queries, keys, "cuda")
    span = module.Span(slice(0, sum(queries)), slice(0, sum(keys)), *starts, *bounds[0, 6:].tolist())
    got = ours.forward(*given, span, 0.1)
    alone = [x.float().cpu() for x in given]
    want = module.OneByOne().forward(*alone, span, 0.1)
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a.float().cpu(), b, rtol=2e-2, atol=2e-2)
    grad = torch.randn_like(got[0])
    got_grads = ours.backward(grad, (*given, *got), span, 0.1)
    want_grads = module.OneByOne().backward(grad.float().cpu(), (*alone, *want), span, 0.1)
    for a, b in zip(got_grads, want_grads, strict=True):
        torch.testing.assert_close(a.float().cpu(), b, rtol=2e-2, atol=2e-2 * float(b.abs().max()))
