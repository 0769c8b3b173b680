"""Intervals are as wide as they should be, and a difference is certain only when it is."""

import numpy as np
import pytest

from gradus.engine.compatibility.intervals import Difference, Ratio, difference

NUM = 400


def draws(seed, mean=0.0, num=NUM):
    return np.random.default_rng(seed).normal(mean, 1, num)


def mean_of(values, names=None):
    names = [str(i) for i in range(len(values))] if names is None else names
    return Ratio(names, list(values), [1.0] * len(values))


def test_a_means_interval_is_the_textbooks():
    values = draws(0)
    found = mean_of(values).estimate()
    assert found.value == pytest.approx(values.mean())
    assert found.high - found.value == pytest.approx(1.96 * values.std(ddof=1) / NUM**0.5, rel=0.1)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    covered = sum(
        abs((found := mean_of(draws(i, num=60)).estimate()).value) <= found.high - found.value for i in range(200)
    )
    assert 178 <= covered <= 198


def test_twins_of_the_same_problem_are_no_more_evidence():
    values = draws(1)
    names = [str(i) for i in range(NUM)]
    single, doubled = mean_of(values, names).estimate(), mean_of([*values, *values], names * 2).estimate()
    assert doubled.value == pytest.approx(single.value)
    assert doubled.high - doubled.low == pytest.approx(single.high - single.low)
    assert doubled.num_problems == NUM


def test_a_ratio_is_of_sums_not_a_mean_of_ratios():
    assert Ratio(["a", "b"], [1, 9], [1, 3]).estimate().value == 2.5


def test_one_problem_has_no_interval():
    assert mean_of([1.0]).estimate().high == float("inf")


def test_shared_problems_take_out_what_is_the_problems():
    hard = draws(2) * 10
    one, other = mean_of(hard + draws(3) * 0.1), mean_of(hard + draws(4) * 0.1 + 0.1)
    found = difference(one, other, min_shared=20)
    assert found.shared
    assert found.sign(1) == -1
    alone = difference(one, mean_of(hard + 0.1, [f"other {i}" for i in range(NUM)]), min_shared=20)
    assert not alone.shared
    assert alone.sign(1) == 0


def test_few_shared_problems_are_not_enough_to_pair():
    one, other = mean_of([1.0, 2.0, 3.0], ["a", "b", "c"]), mean_of([1.0, 2.0, 4.0], ["a", "b", "d"])
    assert not difference(one, other, min_shared=3).shared
    assert difference(one, other, min_shared=2).value == 0


def test_more_comparisons_ask_for_more_certainty():
    found = Difference(value=2.2, error=1.0, shared=True)
    assert found.sign(1) == 1
    assert found.sign(10) == 0


def test_equals_are_seldom_told_apart():
    apart = sum(difference(mean_of(draws(i)), mean_of(draws(i + 1000)), min_shared=20).sign(1) != 0 for i in range(100))
    assert apart <= 12
