"""Packing never splits a trace, loses one, overfills a sequence or carries a trace out of its window."""

import bisect
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.curricula import packing
from gradus.curricula.packing import pack

CAPACITY = 50
LENGTHS = st.lists(st.integers(1, CAPACITY), max_size=300).map(lambda lengths: np.array(lengths, np.int64))
WINDOWS = st.one_of(st.none(), st.integers(1, 20))
LONG_MIXES = [(16, 2000, 1.2), (16, 4000, 1.0), (32, 1500, 1.0), (32, 6000, 0.9), (64, 4000, 1.0), (64, 10000, 0.8)]
"""Thousands of tokens in a sequence; median and sigma of log-normal lengths."""


def windows(lengths, window):
    """Return the window of each trace, as the sum of the lengths before it says."""
    total = int(lengths.sum())
    if window is None:
        window = min(packing.WINDOW, max(packing.NARROWEST, total // (packing.LEAST_WINDOWS * CAPACITY)))
    before = itertools.accumulate(map(int, lengths), initial=0)
    return [start * max(1, total // (window * CAPACITY)) // total for start, _ in zip(before, lengths, strict=False)]


def best_fit_decreasing(lengths):
    """Return what is left free in each sequence, trace after trace by the book."""
    free = []
    for length in sorted(map(int, lengths), reverse=True):
        fitting = bisect.bisect_left(free, length)
        bisect.insort(free, (free.pop(fitting) if fitting < len(free) else CAPACITY) - length)
    return free


def realistic(median, sigma, longest, count=30_000):
    lengths = np.random.default_rng(7).lognormal(np.log(median), sigma, count)
    return np.clip(lengths, 200, min(60_000, longest)).astype(np.int64)


@given(lengths=LENGTHS, window=WINDOWS)
def test_every_trace_is_in_one_sequence_that_holds_it(lengths, window):
    found = pack(lengths, CAPACITY, window=window)
    assert sorted(found.rows.tolist()) == list(range(len(lengths)))
    assert len(found) == len(list(found))
    assert all(len(rows) and lengths[rows].sum() <= CAPACITY for rows in found)
    assert all(rows.tolist() == sorted(rows.tolist()) for rows in found)


@given(lengths=LENGTHS, window=WINDOWS)
def test_no_trace_leaves_its_window(lengths, window):
    of = np.array(windows(lengths, window))
    found = [set(of[rows].tolist()) for rows in pack(lengths, CAPACITY, window=window)]
    assert all(len(numbers) == 1 for numbers in found)
    assert found == sorted(found, key=min)


@given(lengths=LENGTHS, window=WINDOWS)
def test_a_window_is_filled_as_best_fit_decreasing_fills_it(lengths, window):
    of = np.array(windows(lengths, window))
    want = [free for number in range(max(of, default=-1) + 1) for free in best_fit_decreasing(lengths[of == number])]
    assert sorted(CAPACITY - lengths[rows].sum() for rows in pack(lengths, CAPACITY, window=window)) == sorted(want)


@given(lengths=LENGTHS, window=WINDOWS)
def test_sequences_come_in_order_of_the_mean_place_of_their_traces(lengths, window):
    means = [float(rows.sum() / len(rows)) for rows in pack(lengths, CAPACITY, window=window)]
    assert means == sorted(means)


@given(lengths=LENGTHS, window=WINDOWS)
def test_windows_packed_in_turn_are_as_windows_packed_side_by_side(lengths, window):
    together = pack(lengths, CAPACITY, window=window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "SIDE_BY_SIDE", 2)
        alone = pack(lengths, CAPACITY, window=window)
    assert together.rows.tolist() == alone.rows.tolist()
    assert together.offsets.tolist() == alone.offsets.tolist()


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [
        ([], []),
        ([10], [[0]]),
        ([3, 6, 7, 4], [[0, 2], [1, 3]]),
        ([2, 2, 2, 2, 2, 2, 2], [[0, 1, 2, 3, 4], [5, 6]]),
        ([9, 9, 1, 1], [[0, 2], [1, 3]]),
    ],
)
def test_the_longest_go_first_where_they_fit_best(lengths, expected):
    found = pack(np.array(lengths, np.int64), 10, window=100)
    assert [rows.tolist() for rows in found] == expected


def test_a_small_stage_keeps_its_order_by_quarters():
    lengths = np.random.default_rng(0).integers(1, CAPACITY, 400)
    moved = np.abs(pack(lengths, CAPACITY).rows - np.arange(400))
    assert moved.max() < 400 / packing.LEAST_WINDOWS * 1.1


@pytest.mark.parametrize(("context", "median", "sigma"), LONG_MIXES)
def test_long_traces_fill_99_5_per_cent(context, median, sigma):
    capacity = context * 1024
    lengths = realistic(median, sigma, capacity)
    lengths = lengths[lengths < capacity]
    found = pack(lengths, capacity)
    assert lengths.sum() >= 0.995 * capacity * len(found)


@pytest.mark.parametrize("wrong", [11, 0, -3])
def test_a_trace_of_no_possible_length_is_named(wrong):
    with pytest.raises(ValueError, match=rf"trace 1 has {wrong} tokens.* 1 to 10 \(2 of 3 are none\)"):
        pack(np.array([10, wrong, wrong]), 10)


def test_a_window_of_nothing_is_refused():
    with pytest.raises(ValueError, match="a window is 1 sequence at least, not 0"):
        pack(np.array([1]), 10, window=0)
