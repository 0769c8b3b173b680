"""Verifier "choice": naming the right option, another one, several, or none."""

import random
import time

import pytest

from gradus.verifiers.base import SpecError, check_spec, explain, verify

CITIES = ["London", "Paris", "Rome", "Oslo"]
COLOURS = ["red", "blue", "green", "white"]
NUMBERS = ["5", "-5", "0.5", "5%", "5.5"]


def outcome(answer, expected="B", choices=CITIES):
    check_spec("choice", {"expected": expected, "choices": choices})
    return verify("choice", answer, {"expected": expected, "choices": choices}).outcome


@pytest.mark.parametrize(
    "answer",
    [
        "B",
        "b",
        "(B)",
        "[B]",
        "B.",
        "B) 42",
        "B - Paris",
        "Paris (B)",
        r"\boxed{B}",
        r"\boxed{\text{(B) Paris}}",
        r"The answer is \(\boxed{B}\).",
        "The answer is (B).",
        "the answer is option B",
        "The answer is option 2.",
        "The correct choice is (b).",
        "Thus, the answer is $\\text{B}$.",
        "the correct answer is B because A is wrong",
        "The correct option is B because the capital is there",
        "First A seemed right.\n\nAnswer: B. Paris",
        "### Answer\nB",
        "The answer is:\n\nB. Paris",
        "**B**",
        "**Answer:** B",
        "Answer: **B) Paris**",
        "Final Answer: The final answer is B. I hope it is correct.",
        "Paris",
        "The answer is “Paris”.",
        "The answer is Paris, the capital of France",
        "therefore, Paris is the right answer",
        "so the second one is right",
        "I choose the second option",
        "final answer: 2nd option",
        "Option B is correct.",
        "B would be the best answer.",
        "Only B is true",
        "I think B is right",
        "I'd go with B",
        "It's B",
        "Hence option B",
        "B is the answer",
    ],
)
def test_the_right_option_passes(answer):
    assert outcome(answer) == "pass"


@pytest.mark.parametrize(
    "answer",
    [
        "It is not A. So B.",
        "The answer is not A but B.",
        "The answer is A. No: the answer is B.",
        "The answer is A. Wait, B is correct.",
        "B is right. C is a common mistake.",
        "B is correct, A is wrong.",
        "The answer is B, A is wrong.",
        "A is false, B is true, C is false",
        "Neither A nor C is correct, so the answer is B",
        "It isn't A. It isn't C. The answer must be B",
        "The answer is C? No, it's B.",
        "The answer is definitely not C. It's B",
        "The answer is B.\nI hope this helps!",
        "The answer is B, not C.",
        "A common answer is C. The only possible answer is B.",
        "<think>The answer is A.</think>B",
        "If C is correct then A is true. So B.",
    ],
)
def test_the_last_statement_that_stands_counts(answer):
    assert outcome(answer) == "pass"


@pytest.mark.parametrize(
    "answer",
    [
        "Answer: C",
        "The answer is B.\nNo: the answer is C.",
        "The answer is not B but C.",
        "B is not correct; C is correct",
        "the answer is B. Wait, C is correct.",
        "The third one is right",
        "Rome",
        "A or B",
        "The answer is either A or B",
        "Both A and B are correct",
        "(B) and (C)",
        "A/B",
        "A B C D",
        "A, B, C, D",
        r"\boxed{A, B}",
        r"\boxed{A} \boxed{B}",
        r"\boxed{A} or \boxed{B}",
        "B) London",
        "Answer: B. London",
    ],
)
def test_another_option_or_several_fail(answer):
    assert outcome(answer) == "fail"


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I do not know",
        "A square has four sides",
        "So A is the number of apples",
        "ABCD",
        "Is the answer B?",
        "if the answer is B then",
        "I don't think B is correct",
        "B is wrong.",
        "not B",
        "The answer is B. Actually, B is not correct.",
        "The answer is unknown",
        "The wrong answer is B.",
        "A tempting answer is B.",
        "The student's answer is B.",
        "The answer would be B if iron floated.",
    ],
)
def test_a_text_that_names_no_option_is_unparseable(answer):
    assert outcome(answer) == "unparseable"


@pytest.mark.parametrize(
    ("answer", "named"),
    [
        ("The answer is 5", "A"),
        ("The answer is -5", "B"),
        ("the answer is 0.5.", "C"),
        ("5%", "D"),
        ("the answer is 5.5.", "E"),
        (r"\boxed{5.5}", "E"),
        ("the answer is 50", None),
        ("the answer is 5 - 3", None),
        ("the answer is 5/2", None),
    ],
)
def test_options_that_are_numbers_are_told_apart(answer, named):
    for label in "ABCDE":
        wanted = "unparseable" if named is None else "pass" if label == named else "fail"
        assert outcome(answer, label, NUMBERS) == wanted


@pytest.mark.parametrize(
    ("labels", "answers"),
    [
        (("1", "2", "3"), ("2", "Answer: 2", "(2)", "The answer is 2.", "option 2", "So 2.")),
        (("i", "ii", "iii"), ("ii", "Answer: ii", "(ii)", "The answer is (ii).", "option II", "statement ii is true")),
        (("K", "L", "M"), ("L", "l)", "the answer is L")),
    ],
)
def test_labels_may_be_digits_romans_or_any_letters(labels, answers):
    choices = dict(zip(labels, COLOURS, strict=False))
    for answer in (*answers, "blue", "the second one is right"):
        assert outcome(answer, labels[1], choices) == "pass"
        assert outcome(answer, labels[0], choices) == "fail"


@pytest.mark.parametrize(
    "answer",
    [
        "A and C",
        "C, A",
        "AC",
        r"\boxed{A,C}",
        r"\boxed{AC}",
        r"\boxed{A}, \boxed{C}",
        "The answer is AC.",
        "The correct options are A and C.",
        "Both A and C are right",
        "Answer: (A), (C)",
        "red and green",
    ],
)
def test_several_right_options_pass_together(answer):
    assert outcome(answer, ["A", "C"], COLOURS) == "pass"


@pytest.mark.parametrize(
    ("answer", "score"), [("A", 1 / 2), ("A, B, C", 2 / 3), ("AB", 1 / 3), ("B", 0), ("A or C", 0), ("ABCD", 1 / 2)]
)
def test_some_of_several_earn_their_share(answer, score):
    verdict = verify("choice", answer, {"expected": ["A", "C"], "choices": COLOURS})
    assert (verdict.outcome, verdict.score) == ("fail", pytest.approx(score))


def test_without_choices_labels_still_count():
    assert outcome("The answer is B", "B", None) == "pass"
    assert outcome("The answer is Paris", "B", None) == "unparseable"


def test_shuffled_choices_have_the_same_right_text():
    rng = random.Random(0)
    for _ in range(20):
        choices = rng.sample(CITIES, 4)
        label = "ABCD"[choices.index("Paris")]
        assert outcome(f"The answer is {label}.", "Paris", choices) == "pass"
        assert outcome("The answer is Paris.", "Paris", choices) == "pass"
        assert outcome("The answer is Rome.", "Paris", choices) == "fail"


def test_the_statements_are_told():
    _, steps = explain("choice", "A is wrong. So B.", {"expected": "B"})
    assert steps == ["it says A is wrong", "it says B is right"]


@pytest.mark.parametrize(
    "spec",
    [
        {"expected": "E", "choices": CITIES},
        {"expected": "b"},
        {"expected": "AB"},
        {"expected": 2},
        {"expected": []},
        {"expected": ["A", "A"]},
        {"expected": ["A", "E"], "choices": CITIES},
        {"expected": "same", "choices": ["same", "same"]},
        {"expected": "A", "choices": ["x"]},
        {"expected": "A", "choices": ["x", 5]},
        {"expected": "A", "choices": "xy"},
        {"expected": "A", "choices": ["B", "A"]},
        {"expected": "a", "choices": {"a": "x", "A": "y"}},
        {"expected": "a", "choices": {"a b": "x", "c": "y"}},
    ],
)
def test_an_option_that_does_not_exist_is_refused(spec):
    with pytest.raises(SpecError):
        check_spec("choice", spec)


@pytest.mark.parametrize(
    "part", ["A and ", "(A) ", "the answer is ", "A is right. ", "so ", "if ", r"\boxed{", "not A but "]
)
def test_long_texts_are_judged_quickly(part):
    start = time.perf_counter()
    outcome(part * (60_000 // len(part)) + "A is right", choices=COLOURS)
    assert time.perf_counter() - start < 0.5
