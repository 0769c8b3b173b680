"""Candidates are columns; a trace's chance depends on the trace and a salt alone."""

import hashlib

import numpy as np
import pytest

from gradus.curricula.chance import chances, shares
from tests.curricula.synthetic import candidates, realistic


def test_rows_are_taken_in_any_order_with_all_their_columns():
    found = candidates([5, 6, 7], [0, 1, 2], passed=[1, 2, 3])
    order = np.argsort(-found.num_tokens)
    taken = found.take(order)
    assert taken.num_tokens.tolist() == [7, 6, 5]
    assert taken.num_passed.tolist() == [3, 2, 1]
    assert taken.component.tolist() == [2, 1, 0]
    assert taken.names == found.names
    assert len(found.take(found.num_tokens > 5)) == 2


def reference(salt, trace_id, *more):
    """Compute a chance with Python's own whole numbers."""
    held = trace_id.ljust(64, b"\0")
    state = int.from_bytes(hashlib.sha256(salt.encode()).digest()[:8], "little")
    for word in [int.from_bytes(held[i : i + 8], "little") for i in range(0, 64, 8)] + list(more):
        state = ((state ^ word) + 0x9E3779B97F4A7C15) % 2**64
        state = (state ^ state >> 30) * 0xBF58476D1CE4E5B9 % 2**64
        state = (state ^ state >> 27) * 0x94D049BB133111EB % 2**64
        state ^= state >> 31
    return state


def test_chances_are_the_same_on_every_machine():
    ids = np.array(["a" * 64, "b" * 64, "short"], "S64")
    found = chances("0/stage", ids, np.array([0, 0, 1], np.int32))
    assert found.tolist() == [reference("0/stage", *row) for row in zip(ids.tolist(), (0, 0, 1), strict=True)]
    assert f"{found[0]:016x}" == "a128a6db8e2f1d40"


def test_a_chance_depends_on_the_trace_the_salt_and_what_is_added_alone():
    found = realistic(1000)
    all_of_them = chances("s", found.trace_ids, found.part)
    assert (chances("s", found.trace_ids[::7], found.part[::7]) == all_of_them[::7]).all()
    assert not (chances("t", found.trace_ids, found.part) == all_of_them).any()
    assert not (chances("s", found.trace_ids, found.part + 1) == all_of_them).any()
    assert len(np.unique(all_of_them)) == 1000


def test_shares_are_spread_evenly_over_zero_to_one():
    found = shares(chances("even", realistic(20_000).trace_ids))
    assert 0 <= found.min() < found.max() < 1
    # A tenth has 2,000 ± 42 (one standard deviation).
    assert np.histogram(found, 10, (0, 1))[0] == pytest.approx([2000] * 10, abs=200)
