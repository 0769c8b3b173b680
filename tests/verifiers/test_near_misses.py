"""Verifier "math" on answers that are certainly wrong though they look right, and the other way round."""

import itertools
import sys
from collections import Counter
from pathlib import Path

import pytest

from gradus.verifiers.base import verify

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
from math_adversarial import ADVERSARIAL
from near_miss.forms import FAMILIES
from near_miss.hedges import HEDGES
from near_misses import near_misses, pairs, rewritings

MIN_SHARE = 0.97
SEED = 7


def passes(answer: str, expected: str) -> bool:
    return verify("math", rf"\boxed{{{answer}}}", {"expected": expected}).outcome == "pass"


@pytest.mark.parametrize("family", sorted(FAMILIES))
def test_no_near_miss_passes(family):
    wrong = itertools.islice((pair for pair in pairs(SEED, (family,)) if not pair.right), 60)
    assert [pair for pair in wrong if passes(pair.answer, pair.expected)] == []


@pytest.mark.parametrize("hedge", HEDGES)
def test_a_hedge_does_not_pass_however_it_is_stated(hedge):
    said = hedge.format(n=602, m=1500)
    for text in (rf"\boxed{{{said}}}", f"The answer is {said}.", f"So the final answer is ${said}$."):
        assert verify("math", text, {"expected": "602"}).outcome != "pass", text


def test_rewritings_pass():
    made = list(rewritings(2000, SEED))
    rejected = [pair for pair in made if not passes(pair.answer, pair.expected)]
    assert len(rejected) <= (1 - MIN_SHARE) * len(made), Counter(pair.family for pair in rejected).most_common()


def test_no_adversarial_answer_passes():
    judged = ((expected, text) for expected, answer in ADVERSARIAL for text in (rf"\boxed{{{answer}}}", answer))
    passing = [(e, text[:60]) for e, text in judged if verify("math", text, {"expected": e}).outcome == "pass"]
    assert passing == []


def test_every_family_makes_both_kinds_and_the_same_ones_each_time():
    for family in FAMILIES:
        made, again = (list(itertools.islice(pairs(SEED, (family,)), 60)) for _ in range(2))
        assert made == again
        assert {pair.right for pair in made} == {True, False}, family


def test_labels_are_as_asked_and_no_pair_comes_twice():
    wrong, right = list(near_misses(3000)), list(rewritings(1000))
    assert not any(pair.right for pair in wrong)
    assert all(pair.right for pair in right)
    assert len({(pair.expected, pair.answer) for pair in wrong + right}) == 4000
