"""The first wrong step is the one with the first equation that does not hold."""

import pytest

from gradus.engine.making.locate import first_wrong_step, numbered, to_steps

SOLUTION = "First, 3 + 4 = 7.\nThen 7 * 8 = 54.\n\nSo 54 + 1 = 55. The answer is 55."


def test_steps_are_where_they_say():
    steps = to_steps(SOLUTION)
    assert [SOLUTION[step.start : step.end] for step in steps] == [step.text for step in steps]
    assert [step.text for step in steps] == [
        "First, 3 + 4 = 7.",
        "Then 7 * 8 = 54.",
        "So 54 + 1 = 55.",
        "The answer is 55.",
    ]


def test_steps_are_numbered_a_line_each():
    assert numbered("a b\n c  d. e f") == "1. a b\n2. c d.\n3. e f"


@pytest.mark.parametrize(
    ("text", "number", "equation"),
    [
        (SOLUTION, 2, "7 * 8 = 54"),
        ("7 * 8 = 54.", 1, "7 * 8 = 54"),
        ("\n\nWe know this. We also see 2 + 2 = 5 there. And 1 + 1 = 3 here.", 2, "2 + 2 = 5"),
    ],
)
def test_the_first_wrong_step_is_found(text, number, equation):
    found, wrong = first_wrong_step(text)
    assert (found, wrong.text) == (number, equation)


@pytest.mark.parametrize("text", ["", "  \n", "7 * 8 = 56. The answer is 56.", "No numbers here."])
def test_no_step_is_wrong_where_all_equations_hold(text):
    assert first_wrong_step(text) is None
