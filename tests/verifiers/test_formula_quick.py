"""The short way for plain numbers gives the verdicts of the whole ladder."""

import itertools

import pytest

from gradus.verifiers.formula.compare import Terms
from gradus.verifiers.formula.equal import same_answer
from gradus.verifiers.formula.parse import parse
from gradus.verifiers.formula.quick import plain_number, same_plain

NUMBERS = [
    "0",
    "-0",
    "0.0",
    "5",
    "5.0",
    "05",
    "-5",
    "5.0001",
    "4.9999999999",
    "0.333333333",
    "0.3333333333",
    "100",
    "1000000",
]
NUMBERS += ["100000000000000.5", "100000000000001", "999999999999999", "0.000000000000001", "0.1", "0.10", "-0.1"]


@pytest.mark.parametrize("tolerance", [None, 0.0, 1e-6, 0.1])
def test_the_short_way_agrees_with_the_ladder(tolerance):
    for want, got in itertools.product(NUMBERS, repeat=2):
        slow = same_answer(parse(want), parse(got), Terms(tolerance))
        assert same_plain(want, got, tolerance) == slow, (want, got)


@pytest.mark.parametrize("text", ["1,000", "1/2", "+5", "1e5", " 5", "5.", ".5", "5%", "٥", "1" * 16])
def test_other_numbers_go_the_long_way(text):
    assert plain_number(text) is None
