"""The greatest attention logit of each head, exactly, from few rows.

Softmax's normaliser bounds it: over the n keys that a query sees, max ≤ log-sum-exp ≤ max + ln n. The kernel has the
log-sum-exp anyway. Where no query's is above a limit, no logit is. Otherwise only queries within ln n of the head's
greatest log-sum-exp, and above the limit, can hold a logit that matters: their logits are computed again.

T: queries, of documents side by side · S: keys · N: heads of queries · G: of them to one head of keys
K: heads of keys · H: size of a head · R: chosen rows of one head of keys in one document
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from gradus.kernels.document_attention import Span

SLACK = 0.05
"""How far a kernel's log-sum-exp may be off: it sums in float32, by its own exponential."""
MAX_LOGITS = 1 << 26
"""Computed at a time."""


def max_logits(q_TNH: Tensor, k_SKH: Tensor, lse_NT: Tensor, span: Span, *, above_N: Tensor, scale: float) -> Tensor:
    """Return (N,): the greatest logit of each head, where it is greater than above; elsewhere something no greater.

    Queries whose log-sum-exp is set to -inf are left out. A document's last query sees all its keys, each earlier one a
    key less.
    """
    floor_N = torch.maximum(above_N, lse_NT.amax(dim=1) - math.log(span.longest_keys))
    chosen_NT = lse_NT >= floor_N[:, None] - SLACK
    chosen_T = chosen_NT.any(dim=0).tolist()
    largest_N = torch.full_like(above_N, -torch.inf)
    starts = (span.starts_of_queries.tolist(), span.starts_of_keys.tolist())
    for queries, keys in zip(*(map(slice, x[:-1], x[1:]) for x in starts), strict=True):
        if any(chosen_T[queries]):
            found_N = _of_document(q_TNH[queries], k_SKH[keys], chosen_NT[:, queries], scale)
            largest_N = torch.maximum(largest_N, found_N)
    return largest_N


def _of_document(q_TNH: Tensor, k_SKH: Tensor, chosen_NT: Tensor, scale: float) -> Tensor:
    num_queries, num_heads, _ = q_TNH.shape
    num_keys, num_key_heads, _ = k_SKH.shape
    num_groups = num_heads // num_key_heads
    largest_N = torch.full((num_heads,), -torch.inf, device=q_TNH.device)
    keys_S = torch.arange(num_keys, device=q_TNH.device)
    for head in range(num_key_heads):
        heads = slice(head * num_groups, (head + 1) * num_groups)
        group_R, row_R = chosen_NT[heads].nonzero(as_tuple=True)
        for start in range(0, len(row_R), max(1, MAX_LOGITS // num_keys)):
            part = slice(start, start + max(1, MAX_LOGITS // num_keys))
            logits_RS = _products(q_TNH[row_R[part], head * num_groups + group_R[part]], k_SKH[:, head]) * scale
            unseen_RS = keys_S > row_R[part, None] + (num_keys - num_queries)
            largest_R = logits_RS.masked_fill_(unseen_RS, -torch.inf).amax(dim=1)
            largest_N[heads].scatter_reduce_(0, group_R[part], largest_R, "amax")
    return largest_N


def _products(q_RH: Tensor, k_SH: Tensor) -> Tensor:
    """Return (R, S) in float32; what is bfloat16 goes through a GPU's tensor cores, which lose nothing of a product."""
    if q_RH.is_cuda and q_RH.dtype == torch.bfloat16:
        return torch.mm(q_RH, k_SH.mT, out_dtype=torch.float32)
    return q_RH.float() @ k_SH.float().mT
