"""A difference is told in words: what was asked for otherwise, what came out otherwise, and why."""

import dataclasses
import re

import pytest
from made_manifests import BANDS, make_manifest, make_stage, make_workspace
from test_upgrade import LENGTHS, format_2, write

from gradus.curricula import manifest as m
from gradus.curricula.diff import diff
from gradus.engine.store import open_snapshot
from gradus.errors import DataError

GATE = m.Gate(
    teacher="teacher-8b",
    domain="math",
    metric="rsr",
    value=0.9,
    low=0.0,
    high=0.5,
    num_traces=40,
    action="keep",
    weight=1.0,
    reason="",
)


@pytest.fixture
def root(tmp_path):
    return make_workspace(tmp_path)


@pytest.fixture(scope="module")
def store(finished):
    with open_snapshot(finished.workspace) as store:
        yield store


@pytest.fixture
def words(root, store):
    """Return a function that compares two manifests of a stage each, the second with other fields."""

    def compare(a, b, before=None, after=None):
        return diff(store, make_manifest(root, a, **before or {}), make_manifest(root, b, **after or {}))["text"]

    return compare


def test_the_same_manifest_differs_in_nothing(root, store):
    path = make_manifest(root, make_stage(root, [4, 6, 10]))
    found = diff(store, path, path)
    assert found["same"]
    assert found["changes"] == []
    assert re.fullmatch("([0-9a-f]{12}) and \\1 are the same manifest.", found["text"][0])


def test_uses_are_counted_in_the_packing_and_not_in_the_shards(root, words):
    once = make_stage(root, [4, 6, 10])
    again = dataclasses.replace(make_stage(root, [4, 6, 10], packing=[[0, 1], [2], [0, 1]]), max_passes=2)
    assert once.shards == again.shards
    assert words(once, again) == [
        "Stage s: 3 traces of 20 tokens became 3 of 30, with 2 repeats (before: 0).",
        "Stage s: token_budget 20 became 30.",
        "Stage s: num_sequences 2 became 3.",
        "Stage s: max_passes 1 became 2.",
        "2 traces drawn more often: other traces take more or less of the budget.",
    ]


def test_policy_schedule_and_shortage_are_told(root, words):
    stage = make_stage(root, [5] * 8, kinds=("cot", "correction"))
    moved = m.Schedule(
        kind="linear", start={"*/correction": 0.4, "*/cot": 0.6}, end={"*/correction": 0.6, "*/cot": 0.4}
    )
    other = dataclasses.replace(stage, policy="frontier", schedule=moved, notes=("math/code: 3 of 9 tokens",))
    assert words(stage, other) == [
        "Stage s: policy uniform became frontier.",
        "Stage s: the schedule was constant and is linear.",
        "Stage s: */correction had 50.0% of the sequences and has 40.0% to 60.0%.",
        "Stage s: */cot had 50.0% of the sequences and has 60.0% to 40.0%.",
        "Stage s: it fell short: math/code: 3 of 9 tokens.",
    ]
    assert words(other, stage)[-1] == "Stage s: it no longer falls short: math/code: 3 of 9 tokens."


def test_a_gate_that_closed_is_told_and_is_the_reason(root, words):
    stage, fewer = make_stage(root, [4, 6, 10]), make_stage(root, [4, 6])
    shut = dataclasses.replace(GATE, action="exclude", weight=0.0, reason="0.9 is above 0.5")
    text = words(stage, fewer, {"gates": (GATE,)}, {"gates": (shut,)})
    gate = "Gate teacher-8b in math by rsr: keep (weight 1) became exclude (weight 0), for 0.9 is above 0.5."
    why = "the gate gives teacher-8b in math the weight 0, not 1: 0.9 is above 0.5"
    assert text[0] == gate
    assert text[-1] == f"1 trace removed: {why}."


def test_another_band_and_another_checkpoint_are_told(root, words):
    stage = make_stage(root, [4, 6, 10])
    text = words(stage, stage, {}, {"bands": BANDS | {"hard": (0.0, 0.2)}, "earlier": "smol-135m@step-100"})
    assert text == ["bands.hard: [0.0, 0.3] became [0.0, 0.2].", "earlier: '' became 'smol-135m@step-100'."]


def test_a_problem_that_was_measured_anew_names_its_bands(root, words):
    before = make_stage(root, [4, 6, 10])
    after = make_stage(root, [4, 6], row={"num_passed": 8, "num_attempts": 8, "pass_rate": 1.0})
    again = dataclasses.replace(
        make_stage(root, [4, 6], packing=[[0, 1], [0]], row={"num_passed": 8, "pass_rate": 1.0}), max_passes=2
    )
    assert words(before, after)[-1] == "1 trace removed: other traces take more or less of the budget."
    assert "1 trace drawn more often: its problem was measured anew and went from medium to easy." in words(
        before, again
    )


def test_more_attempts_at_the_same_rate_are_a_new_measurement(root, words):
    row = {"num_passed": 40, "num_attempts": 80}
    again = dataclasses.replace(make_stage(root, [4, 6], packing=[[0, 1], [0]], row=row), max_passes=2)
    assert words(make_stage(root, [4, 6]), again)[-1] == "1 trace drawn more often: its pass rate was measured anew."


def test_a_trace_that_moves_to_another_stage_is_told(root, store):
    first, second = make_stage(root, [4, 6]), make_stage(root, [4, 6], name="t")
    found = diff(store, make_manifest(root, first), make_manifest(root, second))
    assert found["text"][-1] == "2 traces moved from s to t: other traces take more or less of the budget."
    assert [row["stage"] for row in found["stages"]] == ["s", "t"]


def test_an_older_format_is_compared_without_what_it_does_not_state(root, store):
    old = write(root, format_2(root))
    stage = make_stage(root, LENGTHS, name="foundation")
    text = diff(store, old, make_manifest(root, stage, recipe=format_2(root)["recipe"]))["text"]
    assert "format: 2 became 4." in text
    assert not [line for line in text if "drawn" in line or "policy" in line or " moved " in line]
    assert text[-1] == "1 RL problem removed: its pass rate left the band."


def test_files_that_are_not_what_the_manifest_says_are_not_compared(root, store):
    path = make_manifest(root, make_stage(root, [4, 6], packing=[[0, 1], [7]]))
    with pytest.raises(DataError, match="a sequence names a row that is not there"):
        diff(store, path, path)
