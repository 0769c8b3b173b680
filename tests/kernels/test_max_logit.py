from itertools import pairwise

import pytest
import torch

from gradus.kernels import max_logit
from gradus.kernels.dispatch import runs_triton
from gradus.kernels.document_attention import document_attention_reference
from gradus.kernels.max_logit import Attended, note_logits, note_logits_reference

# The first query of each document, and its first key; the second has no query, the third more keys than queries.
CASES = {
    "short": ([0, 5, 5, 18, 19], [0, 5, 9, 30, 31]),
    "one": ([0, 1], [0, 1]),
    "longer than a block": ([0, 3, 203, 330], [0, 3, 403, 530]),
}
HEADS = [(6, 2, 16), (3, 1, 40), (2, 2, 160)]


def inputs(starts, heads, device, dtype):
    """Return queries, keys, their log-sum-exps, which queries count, and where documents start."""
    torch.manual_seed(0)
    num_heads, num_key_heads, size = heads
    # Views, as the heads of one product are.
    q = 3 * torch.randn(starts[0][-1], num_heads, 2 * size, device=device).to(dtype)[..., :size]
    k = torch.randn(starts[1][-1], num_key_heads, 2 * size, device=device).to(dtype)[..., :size]
    wide = (x.double() for x in (q, k, k))
    _, lse = document_attention_reference(*wide, starts_of_queries=starts[0], starts_of_keys=starts[1])
    counts = torch.ones(len(q), dtype=torch.bool, device=device)
    where = (torch.tensor(x, dtype=torch.int32, device=device) for x in starts)
    return Attended(q, k, lse.float(), counts, *where)


def every_logit(q, k, starts, counts, scale):
    """Return each head's greatest logit from all of them, in float64."""
    largest = torch.full((q.shape[1],), -torch.inf, dtype=torch.float64, device=q.device)
    for (query, query_end), (key, key_end) in zip(*map(pairwise, starts), strict=True):
        k_SNH = k[key:key_end].double().repeat_interleave(q.shape[1] // k.shape[1], dim=1)
        for i in range(query, query_end):
            if counts[i]:
                seen = key_end - key - (query_end - 1 - i)
                logits = torch.einsum("nh,snh->ns", q[i].double(), k_SNH[:seen]) * scale
                largest = torch.maximum(largest, logits.amax(dim=1))
    return largest


def unknown(num_heads, device):
    return torch.full((2, num_heads), -torch.inf, device=device)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("heads", HEADS)
@pytest.mark.parametrize("case", CASES)
def test_the_greatest_logits_are_those_of_float64(case, heads, dtype, device):
    if device == "cpu" and dtype == torch.bfloat16:
        pytest.skip("Triton's interpreter multiplies bfloat16's bits as if they were integers")
    starts, scale = CASES[case], heads[2] ** -0.5
    given = inputs(starts, heads, device, dtype)
    assert runs_triton(given[0])
    noted = unknown(heads[0], device)
    note_logits(given, noted, limit=-100.0, scale=scale)
    assert torch.equal(noted[0], given[2].amax(dim=1))
    want = every_logit(given[0], given[1], starts, given[3], scale)
    torch.testing.assert_close(noted[1].double(), want, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("at_once", [31, 1 << 26])
def test_the_reference_gives_the_same(at_once, device, monkeypatch):
    monkeypatch.setattr(max_logit, "MAX_LOGITS", at_once)
    given = inputs(CASES["short"], HEADS[0], device, torch.float32)
    noted = unknown(6, device)
    note_logits_reference(given, noted, limit=-100.0, scale=0.25)
    want = every_logit(given[0], given[1], CASES["short"], given[3], 0.25)
    torch.testing.assert_close(noted[1].double(), want, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("note", [note_logits, note_logits_reference])
def test_queries_that_do_not_count_are_left_out(note, device):
    starts = CASES["short"]
    q, k, lse, counts, *where = inputs(starts, HEADS[0], device, torch.float32)
    q[7] *= 10
    lse[:, 7] = 1e4
    counts[7] = False
    noted = unknown(6, device)
    note(Attended(q, k, lse, counts, *where), noted, limit=0.5, scale=0.25)
    torch.testing.assert_close(noted[1].double(), every_logit(q, k, starts, counts, 0.25), rtol=1e-6, atol=1e-5)
    assert noted.max() < 1e3


@pytest.mark.parametrize("note", [note_logits, note_logits_reference])
def test_a_head_with_no_log_sum_exp_above_the_limit_is_not_computed(note, device):
    q, k, lse, counts, *where = inputs(CASES["short"], HEADS[0], device, torch.float32)
    q[:, ::2] = torch.nan
    lse[::2] = 4.9
    noted = unknown(6, device)
    note(Attended(q, k, lse, counts, *where), noted, limit=5.0, scale=0.25)
    assert (noted[1, ::2] == -torch.inf).all()
    assert (noted[1, 1::2] > -torch.inf).all()


@pytest.mark.parametrize("note", [note_logits, note_logits_reference])
def test_what_is_known_already_is_only_raised(note, device):
    given = inputs(CASES["short"], HEADS[0], device, torch.float32)
    noted = unknown(6, device)
    note(given, noted, limit=0.0, scale=0.25)
    found = noted.clone()
    noted[:, 0] = 100.0
    note(given, noted, limit=0.0, scale=0.25)
    assert (noted[:, 0] == 100.0).all()
    torch.testing.assert_close(noted[:, 1:], found[:, 1:], rtol=1e-6, atol=0)
