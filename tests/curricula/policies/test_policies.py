"""A policy returns the same candidates in an order, the same for a seed."""

import random

import pytest

from gradus.curricula.policies.base import Candidate, policies
from gradus.errors import ConfigError

RATES = [0.5, None, 1.0, 0.0, 0.5, 0.25, None, 0.5, 0.75, 1.0]


def candidate(number, rate):
    return Candidate(trace_id=str(number), component="math/cot", num_tokens=1, pass_rate=rate)


CANDIDATES = [candidate(number, rate) for number, rate in enumerate(RATES)]


@pytest.mark.parametrize("name", policies.names())
def test_a_policy_loses_and_invents_nothing(name):
    ordered = policies[name](CANDIDATES, random.Random(0))
    assert sorted(ordered, key=id) == sorted(CANDIDATES, key=id)


@pytest.mark.parametrize("name", policies.names())
def test_a_seed_gives_one_order(name):
    first, second, other = (policies[name](CANDIDATES, random.Random(seed)) for seed in (0, 0, 1))
    assert first == second
    assert first != other


def test_easy_to_hard_falls_in_pass_rate_with_the_unmeasured_last():
    ordered = policies["easy_to_hard"](CANDIDATES, random.Random(0))
    assert [c.pass_rate for c in ordered] == [1.0, 1.0, 0.75, 0.5, 0.5, 0.5, 0.25, 0.0, None, None]


def test_uniform_does_not_look_at_the_pass_rate():
    equal = [candidate(number, 0.5) for number in range(len(RATES))]
    orders = [policies["uniform"](made, random.Random(3)) for made in (CANDIDATES, equal)]
    assert [c.trace_id for c in orders[0]] == [c.trace_id for c in orders[1]]


def test_an_unknown_policy_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"no policy 'hard_first'\. Known: easy_to_hard, uniform\."):
        policies["hard_first"]
