"""Each way makes drafts that say what they must, and refuses, with a reason, what it can make nothing of."""

import random
from dataclasses import replace

import pytest

from gradus.engine.records import Problem
from gradus.engine.sources.base import generate_problems, generators
from gradus.engine.varying.base import Question, Task, UnusableError, ways
from gradus.engine.varying.checks import check_against_parents, evaluation_index, leaks
from gradus.engine.varying.compose import decimal
from gradus.engine.varying.config import VaryConfig
from gradus.verifiers.base import check_spec, verify


def word_problem(prompt, expected, **more):
    fields = {"domain": "math", "verifier": "math", "spec": {"expected": expected}, "source": "stories"} | more
    return Problem(prompt=prompt, **fields)


APPLES = word_problem("Tom has 15 apples and buys 4 more. How many has he?", "19")
PRICES = word_problem("A pen costs $2.50. What do 12 pens cost?", "30")
ROOT = word_problem("What is the length of the diagonal of a square of side 3?", "3\\sqrt{2}")
CODE = word_problem("Write add(a, b).", "", domain="code", verifier="code", spec={"tests": ["assert add(1, 2) == 3"]})
CHOICE = word_problem(
    "Which is a metal?\nA) oxygen\nB) iron", "", domain="stem", verifier="choice",
    spec={"expected": "B", "choices": ["oxygen", "iron"]},
)  # fmt: skip
SAY_HI = word_problem(
    "Say hi. Use no comma.", "", domain="instruction", verifier="instruction",
    spec={"instructions": [{"id": "punctuation:no_comma", "kwargs": {}}], "prompt": "Say hi. Use no comma."},
)  # fmt: skip
CALL = word_problem(
    "What is the weather in Bonn?", "", domain="tool", verifier="tool_call",
    spec={"expected": [{"name": "weather", "arguments": {"city": "Bonn"}}]},
)  # fmt: skip


def begin(way, *parents, seed=0, **settings):
    return ways[way].begin(parents, Task(config=VaryConfig(**settings), rng=random.Random(seed)))


@pytest.mark.parametrize(
    ("way", "problem", "why"),
    [
        ("numbers", CODE, "not from a generator"),
        ("numbers", SAY_HI, "not from a generator"),
        ("numbers", CHOICE, "not from a generator"),
        ("numbers", word_problem("How many days has a week?", "7"), "no number"),
        ("rewrite", SAY_HI, "wording"),
        ("rewrite", CALL, "wording"),
        ("compose", CODE, "no single value"),
        ("compose", CHOICE, "no single value"),
        ("compose", CALL, "no single value"),
    ],
)
def test_a_way_says_why_it_refuses(way, problem, why):
    assert why in ways[way].refuses(problem)


@pytest.mark.parametrize("way", ["numbers", "rewrite", "compose"])
def test_word_problems_can_be_varied_in_every_way(way):
    assert ways[way].refuses(APPLES) == ""


@pytest.mark.parametrize("name", generators.names())
def test_what_any_generator_made_is_drawn_again_at_its_level(name):
    for parent in generate_problems(name, 8, seed=3)[::3]:
        assert ways["numbers"].refuses(parent) == ""
        draft = begin("numbers", parent)
        assert draft.answer == "computed"
        assert (draft.source, draft.domain, draft.verifier) == (parent.source, parent.domain, parent.verifier)
        assert {tag for tag in parent.tags if tag.startswith("level:")} <= set(draft.tags)
        assert (draft.prompt, draft.spec) != (parent.prompt, parent.spec)
        check_spec(draft.verifier, draft.spec)


def test_instructions_are_drawn_again_in_the_same_number_whatever_options_the_generator_had():
    (parent,) = generate_problems("instructions", 1, seed=0, options={"counts": [3]})
    assert parent.tags == ("level:1",)
    assert len(begin("numbers", parent).spec["instructions"]) == 3


def test_another_data_set_of_reasoning_gym_is_drawn_by_its_name():
    parent = word_problem("?", "6", source="reasoning-gym/gcd")
    draft = begin("numbers", parent)
    assert draft.source == "reasoning-gym/gcd"
    assert verify("math", f"\\boxed{{{draft.spec['expected']}}}", draft.spec).outcome == "pass"
    assert "level" not in " ".join(draft.tags)


def test_a_word_problem_s_answer_is_not_assumed():
    draft = begin("numbers", replace(PRICES, spec={"expected": "30", "units": "dollars"}))
    assert (draft.answer, draft.like, draft.spec) == ("open", "30", {"units": "dollars"})


def read(problem, text):
    question = begin("rewrite", problem)
    assert isinstance(question, Question)
    return question.read(text)


def test_a_rewriting_keeps_numbers_and_arguments():
    draft = read(APPLES, "<problem>Eva owns fifteen pears. She gets 4 more of them. How many is that?</problem>")
    assert (draft.answer, draft.spec) == ("kept", APPLES.spec)
    assert draft.prompt.startswith("Eva owns")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("<problem>Eva owns 15 pears and picks 5. How many has she now?</problem>", "other numbers: 4 gone; 5 new"),
        ("<problem>Eva owns 15 pears and picks some. How many has she?</problem>", "other numbers: 4 gone"),
        ("<problem>Eva owns 15 pears and picks 4, so 19. How many?</problem>", "other numbers: 19 new"),
        ("Eva owns 15 pears and picks 4. How many?", "no problem written: 0 texts"),
        ("<problem></problem>", "no problem written"),
        ("<problem>a 15 4</problem><problem>b 15 4</problem>", "no problem written: 2 texts"),
        ("<problem>15, 4?</problem>", "another length"),
        ("<problem>" + "Once upon a time there were 15 pears and 4. " * 9 + "</problem>", "another length"),
    ],
)
def test_a_rewriting_that_changes_what_is_asked_is_no_draft(text, why):
    with pytest.raises(UnusableError, match=why):
        read(APPLES, text)


def test_code_keeps_the_names_that_its_tests_call():
    assert read(CODE, "<problem>Define add(a, b), the total.</problem>").spec == CODE.spec
    with pytest.raises(UnusableError, match="something left out: 'add'"):
        read(CODE, "<problem>Define plus(a, b), the total.</problem>")


def test_a_multiple_choice_keeps_its_options():
    assert read(CHOICE, "<problem>Name the metal:\nA) oxygen\nB) iron</problem>")
    with pytest.raises(UnusableError, match="something left out: 'iron'"):
        read(CHOICE, "<problem>Name the metal:\nA) oxygen\nB) gold</problem>")


@pytest.mark.parametrize("seed", range(8))
def test_a_chain_by_template_says_a_number_by_the_first_answer(seed):
    draft = begin("compose", APPLES, PRICES, seed=seed, compose="template")
    assert draft.answer == "computed"
    assert draft.spec == {"expected": "30"}
    first, second = draft.prompt.split("Second question: ")
    assert APPLES.prompt in first
    said = {"2.50": "(X - 16.5)", "12": "(X - 7)"}
    assert any(PRICES.prompt.replace(number, text) in second for number, text in said.items())


def test_where_no_number_can_be_said_the_answers_are_joined():
    week = word_problem("How many days has a week?", "7")
    draft = begin("compose", APPLES, week, compose="template")
    factor = int(draft.prompt.split("first question by ")[1].split(",")[0])
    assert draft.spec == {"expected": str(19 * factor + 7)}


def test_fractions_are_joined_exactly():
    third = word_problem("What is a third of one?", "\\frac{1}{3}")
    draft = begin("compose", third, third, seed=1, compose="template")
    assert verify("math", f"\\boxed{{{draft.spec['expected']}}}", draft.spec).outcome == "pass"
    assert "/3" in draft.spec["expected"]


def test_an_irrational_answer_fits_no_template_but_a_teacher_may_merge():
    with pytest.raises(UnusableError, match="no template fits"):
        begin("compose", ROOT, word_problem("How many days has a week?", "7"), compose="template")
    question = begin("compose", ROOT, APPLES)
    draft = question.read("<problem>A new story with 3 and 4?</problem>")
    assert (draft.answer, draft.spec) == ("open", {})
    assert ROOT.prompt in question.messages[0]["content"]
    assert APPLES.prompt in question.messages[0]["content"]


@pytest.mark.parametrize(("value", "text"), [("33/2", "16.5"), ("7", "7"), ("1/3", ""), ("-1/8", "-0.125"), ("0", "0")])
def test_a_decimal_is_exact_or_not_written(value, text):
    from fractions import Fraction

    assert decimal(Fraction(value)) == text


LONG = "Tom has 15 apples and buys 4 more at the market on the old bridge before he walks home. How many has he then?"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (LONG.upper().replace(".", ","), "same as parent"),
        (LONG.replace("Tom", "Tim"), "too near to parent: 0.9"),
    ],
)
def test_a_variant_must_differ_from_its_parent(text, why):
    draft = replace(begin("numbers", PRICES), prompt=text)
    with pytest.raises(UnusableError, match=why):
        check_against_parents(draft, [replace(APPLES, prompt=LONG)])


@pytest.mark.parametrize("change", [("15", "25"), ("more", "fewer")])
def test_other_numbers_or_a_turned_question_are_no_repetition(change):
    draft = replace(begin("numbers", PRICES), prompt=LONG.replace(*change))
    check_against_parents(draft, [replace(APPLES, prompt=LONG)])


def test_other_numbers_alone_make_another_problem():
    check_against_parents(begin("numbers", APPLES), [APPLES])


def test_what_gives_away_an_evaluation_problem_is_found():
    index = evaluation_index([APPLES, PRICES])
    retold = word_problem("Listen: Tom has 15 apples and buys 4 more. How many has he?", "19")
    other = word_problem("Tom has 16 apples and buys 7 more. How many has he?", "23")
    found = leaks([APPLES, retold, other], index)
    assert set(found) == {APPLES.id, retold.id}
    assert "evaluation/" in found[retold.id]
    assert leaks([APPLES], evaluation_index([])) == {}
