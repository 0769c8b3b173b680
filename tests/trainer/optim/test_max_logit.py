from itertools import pairwise

import pytest
import torch

from gradus.kernels.document_attention import Span, document_attention_reference
from gradus.trainer.optim import max_logit
from gradus.trainer.optim.max_logit import max_logits

QUERIES, KEYS = [0, 5, 5, 18, 19], [0, 5, 9, 30, 31]


def spans(dtype=torch.float32, num_heads=6, num_key_heads=2, scale=3.0):
    """Return queries, keys and log-sum-exps of four documents, one of them without queries, one longer in keys."""
    torch.manual_seed(0)
    q = (scale * torch.randn(QUERIES[-1], num_heads, 8)).to(dtype)
    k = torch.randn(KEYS[-1], num_key_heads, 8).to(dtype)
    _, lse = document_attention_reference(
        q.double(), k.double(), k.double(), starts_of_queries=QUERIES, starts_of_keys=KEYS
    )
    span = Span(slice(0, 19), slice(0, 31), torch.tensor(QUERIES), torch.tensor(KEYS), 13, 21)
    return q, k, lse.float(), span


def every_logit(q, k):
    """Return each head's greatest logit from all of them, in float64."""
    largest = torch.full((q.shape[1],), -torch.inf, dtype=torch.float64)
    for (query, query_end), (key, key_end) in zip(pairwise(QUERIES), pairwise(KEYS), strict=True):
        for i in range(query, query_end):
            seen = key_end - (query_end - 1 - i)
            for head in range(q.shape[1]):
                keys = k[key:seen, head // (q.shape[1] // k.shape[1])].double()
                largest[head] = max(largest[head], (keys @ q[i, head].double()).max() * 8**-0.5)
    return largest


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("at_once", [31, 1 << 26])
def test_rows_near_the_greatest_log_sum_exp_hold_the_greatest_logit(dtype, at_once, monkeypatch):
    monkeypatch.setattr(max_logit, "MAX_LOGITS", at_once)
    q, k, lse, span = spans(dtype)
    found = max_logits(q, k, lse, span, above_N=torch.zeros(6), scale=8**-0.5)
    torch.testing.assert_close(found.double(), every_logit(q, k), rtol=1e-6, atol=1e-6)


def test_queries_left_out_do_not_count():
    q, k, lse, span = spans()
    q[7] *= 10
    lse[:, 7] = -torch.inf
    found = max_logits(q, k, lse, span, above_N=torch.zeros(6), scale=8**-0.5)
    q[7] = 0
    torch.testing.assert_close(found.double(), every_logit(q, k), rtol=1e-6, atol=1e-6)


def test_a_head_with_nothing_above_is_not_computed():
    q, k, lse, span = spans()
    above = lse.amax(dim=1) + torch.tensor([2.0, -1, 2, -1, 2, -1])
    found = max_logits(q, k, lse, span, above_N=above, scale=8**-0.5)
    assert (found[::2] == -torch.inf).all()
    assert (found[1::2] > -torch.inf).all()
