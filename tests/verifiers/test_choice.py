"""Verifier "choice": naming the right option, another one, several, or none."""

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify

CITIES = ["London", "Paris", "Rome", "Oslo"]


def outcome(answer: str) -> str:
    return verify("choice", answer, {"expected": "B", "choices": CITIES}).outcome


@pytest.mark.parametrize(
    "answer",
    [
        "B",
        "b",
        "(B)",
        "B.",
        "B) 42",
        r"\boxed{B}",
        r"\boxed{\text{(B) Paris}}",
        "The answer is (B).",
        "the answer is option B",
        "the correct answer is B because A is wrong",
        "First A seemed right.\n\nAnswer: B. Paris",
        "**B**",
        "Paris",
    ],
)
def test_the_right_option_passes(answer):
    assert outcome(answer) == "pass"


@pytest.mark.parametrize(
    "answer",
    [
        "Answer: C",
        "The answer is B.\nNo: the answer is C.",
        "Rome",
        "A or B",
        "(B) and (C)",
        "A/B",
        "A B C D",
        "A, B, C, D",
        r"\boxed{A, B}",
        r"\boxed{A} \boxed{B}",
    ],
)
def test_another_option_or_several_fail(answer):
    assert outcome(answer) == "fail"


@pytest.mark.parametrize("answer", ["", "I do not know", "A square has four sides", "ABCD"])
def test_a_text_that_names_no_option_is_unparseable(answer):
    assert outcome(answer) == "unparseable"


@pytest.mark.parametrize("spec", [{"expected": "E", "choices": CITIES}, {"expected": "b"}, {"expected": "AB"}])
def test_an_option_that_does_not_exist_is_refused(spec):
    with pytest.raises(SpecError):
        check_spec("choice", spec)
