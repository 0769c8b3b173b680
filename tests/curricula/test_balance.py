"""Sharing out takes every sequence once, evenly; arranging moves sequences only among their entry's places."""

import itertools
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula import balance
from gradus.curricula.balance import (
    arrange,
    attention_cost,
    block_costs,
    context_parallel,
    greatest_imbalance,
    share_out,
)
from gradus.curricula.packing import pack

COSTS = st.lists(st.integers(0, 10**10), max_size=60).map(lambda costs: np.array(costs, np.int64))
BATCH = 512


@cache
def realistic(context, median, sigma=1.0, count=100_000, seed=0):
    """Return the attention of packed sequences of log-normal traces."""
    lengths = np.random.default_rng(seed).lognormal(np.log(median), sigma, count)
    lengths = np.clip(lengths, 200, 60_000).astype(np.int64)
    lengths = lengths[lengths <= context * 1024]
    packing = pack(lengths, context * 1024)
    return attention_cost(lengths[packing.rows], packing.offsets)


def by_stride(costs, ranks):
    """Return the greatest imbalance when rank r takes every ranks-th sequence of a batch."""
    full = costs[: len(costs) // BATCH * BATCH].reshape(-1, BATCH // ranks, ranks).sum(axis=1)
    return float((full.max(axis=1) / full.mean(axis=1)).max())


def test_attention_costs_the_squares_of_the_lengths():
    assert attention_cost(np.array([3, 4, 5, 60_000]), np.array([0, 2, 2, 4])).tolist() == [25, 0, 25 + 60_000**2]


@given(costs=COSTS, ranks=st.integers(1, 20))
def test_every_sequence_goes_to_one_rank_and_ranks_have_equally_many(costs, ranks):
    shares = share_out(costs, ranks)
    assert sorted(np.concatenate(shares).tolist()) == list(range(len(costs)))
    assert {len(share) for share in shares} <= {len(costs) // ranks, -(-len(costs) // ranks)}
    assert len(shares) == ranks
    assert all(share.tolist() == sorted(share.tolist()) for share in shares)
    assert [share.tolist() for share in share_out(costs, ranks)] == [share.tolist() for share in shares]


@given(costs=COSTS, ranks=st.integers(1, 12))
def test_no_exchange_with_the_costliest_rank_would_help(costs, ranks):
    shares = [share.tolist() for share in share_out(costs, ranks)]
    loads = [int(costs[share].sum()) for share in shares]
    most = max(loads)
    if most <= balance.GOOD * costs.sum() / ranks:
        return
    beside = max(0, len(costs) // ranks - 1)
    if most <= balance.GOOD * (costs.max() + np.sort(costs)[:beside].sum()):
        return
    # Of several that cost the same, an exchange must lower one.
    rank = loads.index(most)
    for other, (mine, theirs) in (
        (o, pair) for o in range(ranks) if o != rank for pair in itertools.product(shares[rank], shares[o])
    ):
        saved = int(costs[mine] - costs[theirs])
        assert max(most - saved, loads[other] + saved) >= most


@settings(deadline=None)
@given(costs=st.lists(st.integers(1, 100), min_size=2, max_size=7).map(np.array), ranks=st.integers(2, 3))
def test_the_costliest_rank_is_near_the_least_possible(costs, ranks):
    found = max(costs[share].sum() for share in share_out(costs, ranks))
    sizes = {len(costs) // ranks, -(-len(costs) // ranks)}
    ways = itertools.product(range(ranks), repeat=len(costs))
    even = (way for way in ways if set(map(way.count, range(ranks))) <= sizes)
    least = min(max(sum(costs[i] for i, r in enumerate(way) if r == rank) for rank in range(ranks)) for way in even)
    assert found <= 4 / 3 * least


@pytest.mark.parametrize(("context", "median"), [(16, 2000), (32, 6000), (64, 2000), (64, 6000)])
@pytest.mark.parametrize("ranks", [8, 16, 32, 64])
def test_ranks_of_eight_sequences_and_more_are_within_5_per_cent(context, median, ranks):
    costs = realistic(context, median)
    assert greatest_imbalance(costs, batch_sequences=BATCH, ranks=ranks) <= balance.BOUND < by_stride(costs, ranks)


def test_what_is_balanced_stays_where_it_is():
    costs = realistic(32, 6000)
    order = arrange(costs, np.zeros(len(costs), np.int64), batch_sequences=BATCH, ranks=64)
    assert order.tolist() == list(range(len(costs)))


@pytest.mark.parametrize(("context", "median"), [(32, 2000), (64, 2000)])
def test_four_sequences_a_rank_are_arranged_within_5_per_cent(context, median):
    costs = realistic(context, median, count=300_000)
    before = greatest_imbalance(costs, batch_sequences=BATCH, ranks=128)
    order = arrange(costs, np.zeros(len(costs), np.int64), batch_sequences=BATCH, ranks=128)
    assert greatest_imbalance(costs[order], batch_sequences=BATCH, ranks=128) <= balance.BOUND < before


@settings(deadline=None)
@given(
    places=st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 3)), max_size=120),
    batch_sequences=st.integers(1, 12),
    ranks=st.integers(1, 12),
    window=st.integers(1, 4),
)
def test_sequences_change_places_within_their_entry_and_their_block(places, batch_sequences, ranks, window):
    costs, entries = (np.array([place[i] for place in places], np.int64) for i in (0, 1))
    order = arrange(costs, entries, batch_sequences=batch_sequences, ranks=ranks, window=window)
    assert sorted(order.tolist()) == list(range(len(places)))
    assert (entries[order] == entries).all()
    moved = np.abs(order // batch_sequences - np.arange(len(order)) // batch_sequences)
    # A block is of `window` batches or, so that none is smaller, of less than twice as many.
    assert moved.max(initial=0) < 2 * window
    before, after = (greatest_imbalance(c, batch_sequences=batch_sequences, ranks=ranks) for c in (costs, costs[order]))
    assert after <= before


def test_a_batch_that_is_not_full_has_no_balance():
    assert greatest_imbalance(np.array([1, 100, 1]), batch_sequences=4, ranks=2) == 1.0
    assert greatest_imbalance(np.array([1, 100, 1, 1, 5]), batch_sequences=4, ranks=2) == pytest.approx(101 * 2 / 103)


@given(lengths=st.lists(st.integers(1, 40), min_size=1, max_size=12).map(np.array), block=st.integers(1, 16))
def test_blocks_cost_what_the_document_mask_makes_them_read(lengths, block):
    document = np.repeat(np.arange(len(lengths)), lengths)
    position = np.arange(len(document))
    mask = (document[:, None] == document) & (position[:, None] >= position)
    tiles = -(-len(document) // block)
    padded = np.pad(mask, (0, tiles * block - len(document)))
    read = padded.reshape(tiles, block, tiles, block).any(axis=(1, 3)).sum(axis=1)
    assert block_costs(lengths, block=block).tolist() == read.tolist()
    for ranks in (1, 2, 5):
        assert context_parallel(lengths, ranks, block=block).sum() == read.sum()


def test_blocks_dealt_out_by_cost_keep_context_parallel_ranks_even():
    lengths = np.array([30_000, 900, 20_000, 12_000, 2_600])
    halves = [part.sum() for part in np.array_split(block_costs(lengths), 8)]
    costs = context_parallel(lengths, 8)
    assert costs.max() / costs.mean() < 1.01 < 1.5 < max(halves) / np.mean(halves)
