"""The greatest attention logit of each head, exactly, where it is above a limit.

Softmax's normaliser bounds it: of a query's logits none is above their log-sum-exp, which attention computes anyway.
Where no query's log-sum-exp is above the limit, one reduction is all there is to do. Of the others those whose
log-sum-exp is above the greatest logit found so far multiply by their keys once more; nothing of that is written. The
result is a maximum, so it does not depend on the order.

T: queries, of documents side by side · S: keys · N: heads of queries · K: heads of keys · H: size of a head
R: chosen queries of one head in one document
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from gradus.kernels.dispatch import runs_triton

SLACK = 0.05
"""How far a kernel's log-sum-exp may be off: it sums in float32, by its own exponential."""
MAX_LOGITS = 1 << 26
"""Computed at a time by the reference."""
BLOCK, NUM_WARPS = 128, 8


class Attended(NamedTuple):
    """What attention was given, and the log-sum-exps that it found."""

    q_TNH: Tensor
    k_SKH: Tensor
    lse_NT: Tensor
    counts_T: Tensor
    """Which queries are looked at."""
    starts_of_queries: Tensor
    """Of each document, then the end; int32."""
    starts_of_keys: Tensor


def note_logits_reference(attended: Attended, noted_2N: Tensor, *, limit: float, scale: float) -> None:
    """Raise noted_2N: to each head's greatest log-sum-exp; and to its greatest logit where that is above the limit.

    A document's last query sees all its keys, each earlier one a key less.
    """
    q_TNH, k_SKH, lse_NT, counts_T, starts_of_queries, starts_of_keys = attended
    bound_N, largest_N = noted_2N
    lse_NT = lse_NT.masked_fill(~counts_T, -torch.inf)
    torch.maximum(bound_N, lse_NT.amax(dim=1), out=bound_N)
    chosen_NT = lse_NT > largest_N.clamp(min=limit)[:, None] - SLACK
    heads = chosen_NT.any(dim=1).nonzero().flatten().tolist()
    if not heads:
        return
    groups = q_TNH.shape[1] // k_SKH.shape[1]
    documents = zip(pairwise(starts_of_queries.tolist()), pairwise(starts_of_keys.tolist()), strict=True)
    for (query, query_end), (key, key_end) in documents:
        for head in heads:
            chosen_R = query + chosen_NT[head, query:query_end].nonzero().flatten()
            k_SH = k_SKH[key:key_end, head // groups].float()
            for row_R in filter(len, chosen_R.split(max(1, MAX_LOGITS // (key_end - key)))):
                logits_RS = q_TNH[row_R, head].float() @ k_SH.mT * scale
                seen_R = key_end - key - (query_end - 1 - row_R)
                unseen_RS = torch.arange(key_end - key, device=row_R.device) >= seen_R[:, None]
                largest_N[head] = torch.maximum(largest_N[head], logits_RS.masked_fill_(unseen_RS, -torch.inf).max())


@triton.jit
def _note(  # type: ignore[no-untyped-def]
    q_ptr, k_ptr, lse_ptr, counts_ptr, starts_of_queries_ptr, starts_of_keys_ptr, noted_ptr,
    T, N, D, STEPS, q_stride, q_head_stride, k_stride, k_head_stride, lse_stride, lse_head_stride, limit, scale,
    GROUPS: tl.constexpr, SIZE: tl.constexpr, HEAD: tl.constexpr, BLOCK: tl.constexpr, SLACK: tl.constexpr,
):  # fmt: skip
    # The last queries, which have the most keys, first.
    row = (tl.num_programs(0) - 1 - tl.program_id(0)) * BLOCK + tl.arange(0, BLOCK)  # [BLOCK]
    head = tl.program_id(1).to(tl.int64)
    counts = tl.load(counts_ptr + row, mask=row < T, other=0) != 0
    lse = tl.load(lse_ptr + head * lse_head_stride + row * lse_stride, mask=counts, other=float("-inf"))
    bound = tl.max(lse, axis=0)
    if bound > tl.load(noted_ptr + head):
        tl.atomic_max(noted_ptr + head, bound)
    # Others raise it meanwhile; what is found then is no greater.
    known = tl.maximum(tl.load(noted_ptr + N + head), limit)
    chosen = lse > known - SLACK
    if tl.max(chosen.to(tl.int32), axis=0) > 0:
        # Which of the D documents a query is of: the last that begins at it or before.
        low = tl.zeros([BLOCK], tl.int32)
        high = low + D - 1
        for _ in range(STEPS):
            middle = (low + high + 1) // 2
            begun = tl.load(starts_of_queries_ptr + middle) <= row
            low = tl.where(begun, middle, low)
            high = tl.where(begun, high, middle - 1)
        later = tl.load(starts_of_queries_ptr + low + 1) - 1 - row
        first = tl.where(chosen, tl.load(starts_of_keys_ptr + low), 2147483647)  # [BLOCK], of the keys it sees
        end = tl.where(chosen, tl.load(starts_of_keys_ptr + low + 1) - later, 0)
        last_end = tl.max(end, axis=0)
        size = tl.arange(0, HEAD)  # [HEAD]
        q_at = row[:, None].to(tl.int64) * q_stride + head * q_head_stride + size[None, :]
        q = tl.load(q_ptr + q_at, mask=chosen[:, None] & (size < SIZE)[None, :], other=0.0)  # [BLOCK, HEAD]
        largest = tl.full([BLOCK], float("-inf"), tl.float32)
        for start in range(tl.min(first, axis=0), last_end, BLOCK):
            key = start + tl.arange(0, BLOCK)  # [BLOCK]
            k_at = key[None, :].to(tl.int64) * k_stride + head // GROUPS * k_head_stride + size[:, None]
            k = tl.load(k_ptr + k_at, mask=(key < last_end)[None, :] & (size < SIZE)[:, None], other=0.0)
            logits = tl.dot(q, k, input_precision="ieee")  # [BLOCK, BLOCK]
            sees = (key[None, :] >= first[:, None]) & (key[None, :] < end[:, None])
            largest = tl.maximum(largest, tl.max(tl.where(sees, logits, float("-inf")), axis=1))
        tl.atomic_max(noted_ptr + N + head, tl.max(largest, axis=0) * scale)


def note_logits(attended: Attended, noted_2N: Tensor, *, limit: float, scale: float) -> None:
    """Do as note_logits_reference. A head's numbers lie side by side; noted_2N is float32 and contiguous."""
    q_TNH, k_SKH, lse_NT, _, starts_of_queries, _ = attended
    if not runs_triton(q_TNH):
        note_logits_reference(attended, noted_2N, limit=limit, scale=scale)
        return
    num_queries, num_heads, size = q_TNH.shape
    num_documents, block = len(starts_of_queries) - 1, BLOCK if size <= 128 else BLOCK // 2
    _note[triton.cdiv(num_queries, block), num_heads](
        *attended, noted_2N,
        num_queries, num_heads, num_documents, num_documents.bit_length(),
        *q_TNH.stride()[:2], *k_SKH.stride()[:2], lse_NT.stride(1), lse_NT.stride(0), limit, scale,
        GROUPS=num_heads // k_SKH.shape[1], SIZE=size, HEAD=max(16, triton.next_power_of_2(size)),
        BLOCK=block, SLACK=SLACK, num_warps=NUM_WARPS,
    )  # fmt: skip
