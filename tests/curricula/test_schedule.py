"""Every prefix of a stage keeps to its schedule within less than one sequence of every entry."""

import hashlib
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula.manifest import Schedule
from gradus.curricula.schedule import assign, cumulative, fitted

KINDS = st.sampled_from(["constant", "linear", "cosine"])
# Many that are equal, some nothing at all: where ties and ends are.
COUNTS = st.lists(st.one_of(st.integers(0, 3), st.integers(0, 400)), min_size=1, max_size=14).filter(any)
SHARE = st.one_of(st.just(0.0), st.just(1.0), st.floats(0.001, 1))


def schedule(kind, start, end=None):
    names = [f"entry {i:02}" for i in range(len(start))]
    end = start if end is None or kind == "constant" else end
    first, last = ({name: share / sum(side) for name, share in zip(names, side, strict=True)} for side in (start, end))
    return Schedule(kind=kind, start=first, end=last)


def deviation(found, counts, order):
    """Return the greatest distance of any entry's count in any prefix from the schedule."""
    worst = 0.0
    for place, name in enumerate(sorted(counts)):
        taken = np.concatenate([[0], np.cumsum(order == place)])
        worst = max(worst, np.abs(taken - cumulative(found, name, len(order))).max())
    return worst


def drawn(data, counts):
    """Return a declared schedule for as many entries, and their counts by name."""
    sides = st.lists(SHARE, min_size=len(counts), max_size=len(counts)).filter(any)
    declared = schedule(data.draw(KINDS), data.draw(sides), data.draw(sides))
    return declared, dict(zip(sorted(declared.start), counts, strict=True))


@settings(max_examples=300, deadline=None)
@given(data=st.data(), counts=COUNTS)
def test_every_prefix_is_within_one_sequence_of_the_schedule(data, counts):
    declared, counts = drawn(data, counts)
    found = fitted(declared, counts)
    order = assign(found, counts)
    assert np.bincount(order, minlength=len(counts)).tolist() == list(counts.values())
    # Tijdeman's bound, which is less than one sequence.
    bound = 1 - 1 / max(2 * len(counts) - 2, 2)
    assert deviation(found, counts, order) <= bound + 1e-6 < 1


@pytest.mark.parametrize("kind", ["constant", "linear", "cosine"])
@pytest.mark.parametrize("num_entries", [2, 3, 40])
def test_thousands_of_sequences_keep_to_the_schedule(kind, num_entries):
    rng = np.random.default_rng(num_entries)
    declared = schedule(kind, rng.random(num_entries) + 0.01, rng.random(num_entries) + 0.01)
    mean = [(declared.start[name] + declared.end[name]) / 2 for name in sorted(declared.start)]
    counts = dict(zip(sorted(declared.start), np.round(20_000 * np.array(mean)).astype(int).tolist(), strict=True))
    found = fitted(declared, counts)
    assert deviation(found, counts, assign(found, counts)) < 1
    for name in counts:
        assert found.start[name] == pytest.approx(declared.start[name], abs=0.01)
        assert found.end[name] == pytest.approx(declared.end[name], abs=0.01)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), counts=COUNTS)
def test_a_fitted_schedule_is_one_and_gives_each_entry_its_count(data, counts):
    declared, counts = drawn(data, counts)
    found = fitted(declared, counts)
    for side in (found.start, found.end):
        assert sum(side.values()) == pytest.approx(1)
        assert min(side.values()) >= 0
    total = sum(counts.values())
    for name, count in counts.items():
        expected = cumulative(found, name, total)
        assert expected[0] == 0
        assert expected[-1] == pytest.approx(count, abs=1e-6)
        assert np.diff(expected).min() >= -1e-9
    assert sum(cumulative(found, name, total) for name in counts) == pytest.approx(np.arange(total + 1), abs=1e-6)


@pytest.mark.parametrize("kind", ["linear", "cosine"])
def test_shares_move_from_the_start_to_the_end(kind):
    found = fitted(schedule(kind, [1, 0], [0, 1]), {"entry 00": 500, "entry 01": 500})
    order = assign(found, {"entry 00": 500, "entry 01": 500})
    assert [int((part == 1).sum()) for part in np.split(order, 4)] == {
        "linear": [31, 94, 156, 219],
        "cosine": [12, 79, 171, 238],
    }[kind]


def test_an_entry_that_lacks_traces_moves_less_and_the_others_with_it():
    declared = schedule("linear", [0.0, 1.0, 1.0], [1.0, 0.0, 0.0])
    found = fitted(declared, {"entry 00": 10, "entry 01": 45, "entry 02": 45})
    assert (found.start["entry 00"], found.end["entry 00"]) == (0, pytest.approx(0.2))
    assert found.start["entry 01"] == pytest.approx(0.5)
    assert found.end["entry 01"] == pytest.approx(0.4)


def test_equal_shares_take_turns():
    even = schedule("constant", [1, 1, 1])
    order = assign(even, dict.fromkeys(even.start, 5)).reshape(5, 3)
    assert [sorted(turn) for turn in order.tolist()] == [[0, 1, 2]] * 5


def test_the_order_is_the_same_on_every_machine():
    declared = schedule("cosine", [1, 2, 3, 0, 5], [5, 0, 3, 2, 1])
    counts = dict(zip(sorted(declared.start), (301, 99, 300, 101, 310), strict=True))
    order = assign(fitted(declared, counts), counts)
    digest = hashlib.sha256(order.astype("<i4").tobytes()).hexdigest()
    assert digest[:16] == "09bb8b6e6399e317"


def test_counts_that_a_schedule_does_not_give_are_refused():
    even = schedule("constant", [1, 1])
    with pytest.raises(ValueError, match=r"the schedule gives 'entry 00' 5.0 of 10 sequences, not 4"):
        assign(even, {"entry 00": 4, "entry 01": 6})


def test_a_million_sequences_are_ordered_in_seconds():
    counts = {f"entry {i:02}": 1_000_000 // 8 for i in range(8)}
    found = fitted(schedule("cosine", range(1, 9), range(8, 0, -1)), counts)
    start = time.perf_counter()
    assert len(assign(found, counts)) == 1_000_000
    assert time.perf_counter() - start < 30
