"""Packing never splits a trace, loses one, or overfills a sequence."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.curricula.packing import WINDOW, pack

LENGTHS = st.lists(st.integers(min_value=1, max_value=50), max_size=300)


@given(lengths=LENGTHS, window=st.integers(min_value=1, max_value=WINDOW))
def test_every_trace_is_in_one_sequence_that_holds_it(lengths, window):
    sequences = pack(lengths, 50, window=window)
    assert sorted(row for rows in sequences for row in rows) == list(range(len(lengths)))
    assert all(sum(lengths[row] for row in rows) <= 50 for rows in sequences)
    assert all(rows == sorted(rows) for rows in sequences)


@given(lengths=LENGTHS, window=st.integers(min_value=1, max_value=8))
def test_a_sequence_is_closed_before_the_window_after_it_begins(lengths, window):
    """A trace joins one of the last `window` open sequences: order is kept up to the window."""
    sequences = pack(lengths, 50, window=window)
    starts = [rows[0] for rows in sequences]
    assert starts == sorted(starts)
    for number, rows in enumerate(sequences):
        later = starts[number + window : number + window + 1]
        assert not later or rows[-1] < later[0]


@given(lengths=LENGTHS)
def test_no_two_neighbours_could_be_one(lengths):
    sequences = pack(lengths, 50)
    sums = [sum(lengths[row] for row in rows) for rows in sequences]
    assert all(a + b > 50 for a, b in itertools.pairwise(sums))


@pytest.mark.parametrize(
    ("lengths", "expected"),
    [([], []), ([10], [[0]]), ([4, 7, 6, 3], [[0, 2], [1, 3]]), ([5, 8, 2, 5], [[0, 3], [1, 2]])],
)
def test_a_trace_goes_where_it_fits_best(lengths, expected):
    assert pack(lengths, 10) == expected


def test_a_trace_longer_than_the_context_is_named():
    with pytest.raises(ValueError, match="trace 1 has 11 tokens, more than 10"):
        pack([10, 11], 10)
