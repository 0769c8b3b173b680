"""Texts made to take long: every kind stays linear in the text."""

from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gradus.verifiers.instruction  # noqa: F401 - registers the kinds
from gradus.verifiers.base import check_spec, verify
from gradus.verifiers.instructions import registry
from gradus.verifiers.instructions.registry import Relation, known

SIGNS = [
    "[", "]", "<<", "<<a", "*", "**", "* ", "\n", " ", ".", ".x", ". ", "?!", "-", "--", "A.", "a.) ", "\t\n", "P.",
    '"', "'", "'\"", '"a,', "(", "([{}])", "a", "a ", "ab. ", "Question 1", "\n\n", "***", "1", "1,", "é", "日",
    "😀", "\x00", "the a ", "a-a", "ab'", "<i>", "e.g. ", "Mr. ",
]  # fmt: skip
VALUES = {int: 3, float: 50, str: "a", list[str]: ["a"], str | list[str]: "a", Relation: "at least"}


def arguments(kind: str) -> dict:
    """Return some arguments that fit the kind."""
    hints = get_type_hints(registry._instructions[kind])
    return {name: VALUES[hints[name]] for name in registry.parameters(kind)}


@pytest.mark.parametrize("kind", known())
def test_some_arguments_fit_every_kind(kind):
    check_spec("instruction", {"instructions": [{"id": kind, "kwargs": arguments(kind)}]})


def slowest(sign: str, size: int) -> float:
    text = sign * (size // len(sign)) + "x"
    seconds = 0.0
    for kind in known():
        verdict = verify("instruction", text, {"instructions": [{"id": kind, "kwargs": arguments(kind)}]})
        assert verdict.outcome in {"pass", "fail"}, (kind, verdict.reason)
        seconds = max(seconds, verdict.seconds)
    return seconds


@pytest.mark.parametrize("sign", SIGNS)
def test_no_kind_takes_long_over_a_degenerate_text(sign):
    assert slowest(sign, 20_000) < 1


@pytest.mark.slow
@pytest.mark.parametrize("sign", SIGNS)
def test_no_kind_takes_long_over_a_megabyte(sign):
    assert slowest(sign, 1_000_000) < 20


@given(st.text(st.characters(), max_size=60) | st.text(" .?!\n*-[]<>\"'aA1,", max_size=60))
@settings(max_examples=150, deadline=None)
def test_every_text_gets_a_verdict_of_every_kind_in_both_modes(text):
    spec = {"instructions": [{"id": kind, "kwargs": arguments(kind)} for kind in known()]}
    for mode in ("strict", "loose"):
        verdict = verify("instruction", text, {**spec, "mode": mode})
        assert verdict.outcome == ("fail" if text.strip() else "unparseable"), verdict.reason


def test_half_a_surrogate_pair_is_judged_too():
    spec = {"instructions": [{"id": kind, "kwargs": arguments(kind)} for kind in known()]}
    assert verify("instruction", "a \ud800 b", spec).outcome == "fail"


@given(st.text(" .?!\n*-[]<>\"'aA1,ü", max_size=60))
@settings(max_examples=300, deadline=None)
def test_loose_never_rejects_what_strict_accepts(text):
    spec = {"instructions": [{"id": kind, "kwargs": arguments(kind)} for kind in known()]}
    strict, loose = (verify("instruction", text, {**spec, "mode": mode}).score for mode in ("strict", "loose"))
    assert loose >= strict
