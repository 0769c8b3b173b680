"""Composite verifiers: how outcomes and scores combine, what an unjudged part does, versions, limits."""

import pytest

from gradus.verifiers import base
from gradus.verifiers.base import SpecError, Verdict, check_spec, explain, verifier, verify, version_of

RIGHT = {"verifier": "choice", "spec": {"expected": "B"}}
WRONG = {"verifier": "choice", "spec": {"expected": "C"}}
HALF = {"verifier": "choice", "spec": {"expected": ["B", "C"]}}
LOST = {"verifier": "json_schema", "spec": {"schema": True}}


@pytest.fixture(autouse=True)
def broken(monkeypatch):
    """Register a verifier that cannot judge, and one whose version the test may set, for one test."""
    for name in ("broken", "versioned"):
        monkeypatch.setitem(base._verifiers, name, None)  # gone again afterwards

    @verifier("broken", version="1")
    def broken(answer: str) -> Verdict:
        raise ZeroDivisionError


BROKEN = {"verifier": "broken", "spec": {}}


def judge(name, *parts, **spec):
    check_spec(name, {"parts": list(parts), **spec})
    return verify(name, "Answer: B", {"parts": list(parts), **spec})


@pytest.mark.parametrize(
    ("parts", "outcome", "score"),
    [
        ([RIGHT], "pass", 1.0),
        ([RIGHT, RIGHT], "pass", 1.0),
        ([RIGHT, WRONG], "fail", 0.0),
        ([RIGHT, HALF], "fail", 0.5),
        ([HALF, LOST], "fail", 0.0),
        ([LOST, WRONG], "fail", 0.0),
        ([RIGHT, LOST], "unparseable", 0.0),
        ([RIGHT, BROKEN], "verifier_error", 0.0),
        ([LOST, BROKEN], "verifier_error", 0.0),
        ([HALF, BROKEN], "verifier_error", 0.0),
        ([BROKEN, WRONG], "fail", 0.0),
    ],
)
def test_all_of_takes_the_least(parts, outcome, score):
    verdict = judge("all_of", *parts)
    assert (verdict.outcome, verdict.score) == (outcome, score)


@pytest.mark.parametrize(
    ("parts", "outcome", "score"),
    [
        ([WRONG, RIGHT], "pass", 1.0),
        ([LOST, RIGHT], "pass", 1.0),
        ([BROKEN, RIGHT], "pass", 1.0),
        ([WRONG, HALF], "fail", 0.5),
        ([WRONG, LOST], "fail", 0.0),
        ([LOST, LOST], "unparseable", 0.0),
        ([BROKEN, WRONG], "verifier_error", 0.0),
        ([BROKEN, LOST], "verifier_error", 0.0),
    ],
)
def test_any_of_takes_the_greatest(parts, outcome, score):
    verdict = judge("any_of", *parts)
    assert (verdict.outcome, verdict.score) == (outcome, score)


@pytest.mark.parametrize(
    ("parts", "weights", "threshold", "outcome", "score"),
    [
        ([RIGHT, WRONG], (3, 1), 0.75, "pass", 0.75),
        ([RIGHT, WRONG], (3, 1), 0.76, "fail", 0.75),
        ([RIGHT, HALF], (1, 1), 1.0, "fail", 0.75),
        ([RIGHT] * 10, (0.1,) * 10, 1.0, "pass", 1.0),
        ([RIGHT, LOST], (1, 1), 0.5, "pass", 0.5),
        ([LOST, LOST], (1, 1), 0.5, "unparseable", 0.0),
        ([RIGHT, BROKEN], (9, 0.1), 0.5, "verifier_error", 0.0),
    ],
)
def test_weighted_takes_the_mean(parts, weights, threshold, outcome, score):
    weighed = [part | {"weight": weight} for part, weight in zip(parts, weights, strict=True)]
    verdict = judge("weighted", *weighed, threshold=threshold)
    assert (verdict.outcome, verdict.score) == (outcome, score)


def test_the_reason_names_the_part():
    assert judge("all_of", RIGHT, WRONG).reason == "part 2 (choice): fail: named B, expected C"


def test_composites_nest_three_levels_deep_and_no_more():
    nested = RIGHT
    for _ in range(2):
        nested = {"verifier": "any_of", "spec": {"parts": [WRONG, nested]}}
    assert judge("all_of", nested).outcome == "pass"
    with pytest.raises(SpecError, match="nested deeper than 3"):
        judge("all_of", {"verifier": "all_of", "spec": {"parts": [nested]}})
    for _ in range(400):
        nested = {"verifier": "any_of", "spec": {"parts": [nested]}}
    with pytest.raises(SpecError, match="nested deeper than 3"):
        judge("all_of", nested)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("all_of", 5),
        ("all_of", []),
        ("all_of", [RIGHT] * 17),
        ("all_of", ["choice"]),
        ("all_of", [{"verifier": "choice"}]),
        ("all_of", [{"verifier": ["choice"], "spec": {}}]),
        ("all_of", [RIGHT | {"weight": 1}]),
        ("all_of", [RIGHT, {"verifier": "nope", "spec": {}}]),
        ("all_of", [{"verifier": "choice", "spec": {"expected": "??"}}]),
        ("any_of", [{"verifier": "choice", "spec": {}}]),
        ("any_of", [{"verifier": "all_of", "spec": {"parts": [{"verifier": "choice", "spec": {"expected": 5}}]}}]),
        ("weighted", [RIGHT]),
        ("weighted", [RIGHT | {"weight": 0}]),
        ("weighted", [RIGHT | {"weight": True}]),
        ("weighted", [RIGHT | {"weight": float("inf")}]),
    ],
)
def test_parts_that_could_not_be_judged_are_refused(name, parts):
    with pytest.raises(SpecError):
        check_spec(name, {"parts": parts})


@pytest.mark.parametrize("threshold", [0, 1.5, "1", True, float("nan")])
def test_a_threshold_that_makes_no_sense_is_refused(threshold):
    with pytest.raises(SpecError, match="threshold"):
        judge("weighted", RIGHT | {"weight": 1}, threshold=threshold)


def register(version):
    verifier("versioned", version=version)(lambda answer: Verdict("pass", answer, 1.0))


def test_a_new_version_of_a_part_is_a_new_and_later_version_of_the_whole():
    part = {"verifier": "versioned", "spec": {}}
    deep = {"parts": [RIGHT, {"verifier": "any_of", "spec": {"parts": [part, part]}}]}
    found = []
    for version in ("1", "2", "9", "10", "0.9.0", "0.10.0"):
        register(version)
        found.append(version_of("all_of", deep))
    assert len(set(found)) == 6
    assert found[:4] == sorted(found[:4])
    assert found[4:] == sorted(found[4:])


def test_the_order_of_parts_is_no_new_version():
    one, other = [RIGHT, LOST], [LOST, RIGHT]
    assert version_of("all_of", {"parts": one}) == version_of("all_of", {"parts": other})


def test_the_steps_of_every_part_are_told():
    _, steps = explain("all_of", "Answer: B", {"parts": [RIGHT, WRONG]})
    assert steps[0] == "part 1: choice"
    assert steps[-1] == "part 2: fail: named B, expected C"
