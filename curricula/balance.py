"""Attention's cost, shared out evenly over data-parallel ranks. Needs numpy alone.

A sequence's cost is the sum of its traces' squared lengths: what attention under a document mask costs, up to a
factor. The rest of a model costs every sequence of a stage the same, so only attention can be out of balance.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

WINDOW = 64
"""Batches among which sequences may change places."""
BOUND = 1.05
"""A batch is balanced when no rank costs more than this, over the mean."""
GOOD = 1.005
"""Near enough to the least possible: exchanges end here."""
GOLDEN = (5**0.5 - 1) / 2


def attention_cost(lengths: Ints, offsets: Ints) -> Ints:
    """Return each sequence's cost; sequence i holds traces of lengths[offsets[i] : offsets[i + 1]]."""
    squares = np.concatenate([[0], np.cumsum(np.asarray(lengths, np.int64) ** 2)])
    return np.diff(squares[offsets])


def share_out(costs: Ints, ranks: int) -> list[Ints]:
    """Return each rank's sequences, in order: equally many up to one, and the costliest rank as cheap as can be found.

    Longest processing time first (Graham 1969), then exchanges with the costliest rank, while they help.
    """
    costs = np.asarray(costs, np.int64)
    shares = _longest_first(costs, ranks)
    _exchange(shares, costs)
    return [np.sort(share[share >= 0]) for share in shares]


def _longest_first(costs: Ints, ranks: int) -> Ints:
    """Return the sequences of each rank as a row, which ends in -1 where it has one less than others."""
    full, num_deeper = divmod(len(costs), ranks)
    shares = np.full((ranks, full + (num_deeper > 0)), -1)
    held = [0] * ranks
    heap = [(0, rank) for rank in range(ranks)]
    for number in np.argsort(-costs, kind="stable").tolist():
        load, rank = heapq.heappop(heap)
        while held[rank] == full and not num_deeper:
            load, rank = heapq.heappop(heap)
        num_deeper -= held[rank] == full
        shares[rank, held[rank]] = number
        held[rank] += 1
        if held[rank] < shares.shape[1]:
            heapq.heappush(heap, (load + int(costs[number]), rank))
    return shares


def _exchange(shares: Ints, costs: Ints) -> None:
    """Exchange in place: at each turn the pair that brings the costliest rank and its partner lowest."""
    held = np.append(costs, 0)[shares]
    loads, enough = held.sum(axis=1), GOOD * _least(costs, len(shares))
    while (most := loads.max(initial=0)) > enough:
        rank = int(loads.argmax())
        # Shape (its sequences, ranks, their sequences).
        saved = held[rank][:, None, None] - held
        after = np.maximum(most - saved, loads[:, None] + saved)
        after[:, rank] = after[:, shares < 0] = after[shares[rank] < 0] = most
        mine, other, theirs = np.unravel_index(int(after.argmin()), after.shape)
        if after[mine, other, theirs] >= most:
            return
        for table in (shares, held):
            table[rank, mine], table[other, theirs] = table[other, theirs], table[rank, mine]
        loads[[rank, other]] += saved[mine, other, theirs] * np.array([-1, 1])


def _least(costs: Ints, ranks: int) -> float:
    """Return what the costliest rank costs at least: the mean, or the costliest sequence beside the cheapest."""
    rising = np.sort(costs)
    beside = max(0, len(costs) // ranks - 1)
    return max(costs.sum() / ranks, float(rising[-1:].sum() + rising[:beside].sum()))


def greatest_imbalance(costs: Ints, *, batch_sequences: int, ranks: int) -> float:
    """Return the greatest cost of a rank over the mean of its batch, over all full batches; 1 without any."""
    return max(_imbalances(np.asarray(costs, np.int64), batch_sequences, ranks), default=1.0)


def _imbalances(costs: Ints, batch_sequences: int, ranks: int) -> Iterator[float]:
    for start in range(0, len(costs) - batch_sequences + 1, batch_sequences):
        batch = costs[start : start + batch_sequences]
        most = max(int(batch[share].sum()) for share in share_out(batch, ranks))
        yield most * ranks / max(1, int(batch.sum()))


def block_costs(lengths: Ints, *, block: int = 128) -> Ints:
    """Return how many blocks of keys each block of queries reads in a sequence of traces, none reading another."""
    ends = np.cumsum(lengths)
    queries = np.arange(-(-int(ends[-1]) // block))
    begins = (ends - lengths)[np.searchsorted(ends, queries * block, side="right")]
    return queries - begins // block + 1


def context_parallel(lengths: Ints, ranks: int, *, block: int = 128) -> Ints:
    """Return what each of the ranks that share one sequence reads, its blocks of queries dealt out by cost.

    Costliest first, to and fro, as torch's `_PTRRLoadBalancer` does.
    """
    falling = -np.sort(-block_costs(lengths, block=block))
    rows = np.pad(falling, (0, -len(falling) % ranks)).reshape(-1, ranks)
    rows[1::2] = rows[1::2, ::-1]
    return rows.sum(axis=0)


def arrange(costs: Ints, entries: Ints, *, batch_sequences: int, ranks: int, window: int = WINDOW) -> Ints:
    """Return which sequence goes to each place, so that every batch can be shared out evenly over the ranks.

    costs, entries: by place. A sequence goes to a place of its own entry, within its block of about `window` batches.
    A block whose batches are within BOUND stays as it is. Otherwise each batch is made of groups of similar cost, from
    as many groups as a rank has sequences down to a single one, until the block is within BOUND or else at its best.
    """
    num_batches = -(-len(costs) // batch_sequences)
    num_blocks = max(1, num_batches // window)
    order = np.arange(len(costs))
    for block in range(num_blocks):
        first, last = (batch_sequences * (num_batches * i // num_blocks) for i in (block, block + 1))
        places = order[first:last]
        places[:] = first + _arrange_block(costs[places], entries[places], batch_sequences, ranks)
    return order


def _arrange_block(costs: Ints, entries: Ints, batch_sequences: int, ranks: int) -> Ints:
    best, order = np.inf, np.arange(len(costs))
    tried, num_groups = order, max(1, batch_sequences // ranks)
    while True:
        greatest = greatest_imbalance(costs[tried], batch_sequences=batch_sequences, ranks=ranks)
        if greatest < best:
            best, order = greatest, tried
        if best <= BOUND or not num_groups:
            return order
        tried, num_groups = _in_groups(costs, entries, batch_sequences, num_groups), num_groups * 3 // 4


def _in_groups(costs: Ints, entries: Ints, batch_sequences: int, num_groups: int) -> Ints:
    """Deal out each entry's sequences, costliest first: in a turn each batch takes a group, and the cheapest begins."""
    places = np.arange(len(costs))
    batch = places // batch_sequences
    num_batches = int(batch[-1]) + 1
    dealt = np.full(len(costs), num_batches)
    # Neighbouring batches take groups far apart, so that cost neither rises nor falls over a block.
    turn = np.argsort(np.arange(num_batches) * GOLDEN % 1)
    for group in range(num_groups):
        for entry in np.unique(entries):
            own = places[entries == entry]
            counts = np.bincount(batch[own], minlength=num_batches)
            done = counts * group // num_groups
            size = (counts * (group + 1) // num_groups - done)[turn]
            falling = own[np.argsort(-costs[own], kind="stable")]
            dealt[falling[done.sum() : done.sum() + size.sum()]] = np.repeat(turn, size)
        held = np.bincount(dealt, minlength=num_batches + 1)[:-1]
        turn = np.argsort(np.bincount(dealt, costs, num_batches + 1)[:-1] / np.maximum(1, held), kind="stable")
    order = np.empty(len(costs), np.int64)
    order[np.lexsort((batch, entries))] = np.lexsort((dealt, entries))
    return order
