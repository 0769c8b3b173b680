"""Solutions agree by the verifier, not by their spelling, and never on two things at once."""

import pytest

from gradus.engine.varying.agreement import Agreed, Solved, agreements
from gradus.engine.varying.base import Draft, UnusableError


def draft(answer="open", verifier="math", like="", **spec):
    return Draft(prompt="?", domain="math", verifier=verifier, spec=spec, source="s", answer=answer, like=like)


def decided(one, *answers, least=3, num=None):
    (found,) = agreements([Solved(one, answers, num or len(answers))], least, workers=1)
    return str(found) if isinstance(found, UnusableError) else found


def boxed(*texts):
    return [f"So it is $\\boxed{{{text}}}$." for text in texts]


def test_different_spellings_of_one_value_agree_and_the_shortest_is_kept():
    found = decided(draft(), *boxed("\\frac{1}{2}", "0.5", "1/2", "2"))
    assert found == Agreed(3, {"expected": "0.5"})


def test_one_of_two_halves_is_no_majority():
    assert decided(draft(), *boxed("7", "7", "8", "8")) == (
        "no agreement: at most 2 of 4 solutions agree, 3 are needed"
    )


def test_solutions_that_were_cut_off_count_but_do_not_agree():
    assert "2 of 6 solutions" in decided(draft(), *boxed("7", "7"), num=6)


def test_other_arguments_of_the_spec_are_kept():
    found = decided(draft(tolerance=0.01), *boxed("3.14", "3.141", "22/7", "9"))
    assert found.num == 3
    assert found.spec["tolerance"] == 0.01


@pytest.mark.parametrize("word", ["impossible", "\\text{no solution}", "undefined"])
def test_agreeing_that_there_is_no_answer_makes_none(word):
    assert decided(draft(), *boxed(word, word, word)).startswith("unsolvable: ")


def test_saying_nothing_makes_no_answer():
    assert decided(draft(), "Hm.", "Who knows?", "I am lost.") == "unsolvable: none of 3 solutions gives an answer"


@pytest.mark.parametrize(
    ("like", "said", "why"),
    [("12", "3.5", "no integer"), ("12", "-3", "negative"), ("1,200", "0.5", "no integer")],
)
def test_an_answer_of_another_kind_than_the_parent_s_is_none(like, said, why):
    found = decided(draft(like=like), *boxed(said, said, said))
    assert found.startswith("another kind of answer: ")
    assert why in found


@pytest.mark.parametrize(("like", "said"), [("0.5", "3"), ("-4", "7"), ("12", "14"), ("\\sqrt{2}", "1.5")])
def test_other_changes_of_the_answer_are_none_of_ours(like, said):
    assert decided(draft(like=like), *boxed(said, said, said)).num == 3


def test_a_known_answer_must_be_the_one_agreed_on():
    known = draft("kept", expected="12")
    assert decided(known, *boxed("12", "12.0", "12", "5")) == Agreed(3, {"expected": "12"})
    assert decided(known, *boxed("5", "5", "5", "12")) == "another answer: 3 of 4 solutions say 5"
    assert decided(known, *boxed("5", "6", "12", "12")).startswith("no agreement: at most 2 of 4")


def test_several_drafts_do_not_mix():
    drafts = [Solved(draft(), tuple(boxed(*three)), 3) for three in (("1", "1", "1"), ("2", "3", "4"), ("5", "5", "5"))]
    found = list(agreements(drafts, 3, workers=2))
    assert [getattr(one, "spec", None) for one in found] == [{"expected": "1"}, None, {"expected": "5"}]


def test_other_verifiers_judge_by_the_known_arguments_alone():
    choice = draft("kept", "choice", expected="B", choices=["4", "5", "6"])
    assert decided(choice, "The answer is B.", "Answer: B", "\\boxed{B}", "A").num == 3
    assert decided(choice, "A", "A", "A", "B") == "no agreement: at most 1 of 4 solutions agree, 3 are needed"
