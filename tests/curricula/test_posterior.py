"""What attempts say of a pass rate, and what they leave open."""

import math
import time

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula import posterior

BANDS = {"hard": (0.0, 0.3), "medium": (0.3, 0.7), "easy": (0.7, 1.0)}
COUNTS = st.integers(0, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_one_of_four_is_not_a_quarter_give_or_take_nothing():
    low, high = posterior.interval(1, 4)
    assert (round(float(low), 4), round(float(high), 4)) == (0.0285, 0.7162)


def test_the_interval_is_that_of_the_table_of_brown_cai_and_dasgupta():
    """Of 2001, for n = 7, as astropy's tests cite it."""
    low, high = posterior.interval([0, 1, 2, 3, 4], 7)
    assert low.tolist() == pytest.approx([0.000, 0.016, 0.065, 0.139, 0.234], abs=5.1e-4)
    assert high.tolist() == pytest.approx([0.292, 0.501, 0.648, 0.766, 0.861], abs=5.1e-4)


def test_after_nothing_but_passes_the_rate_is_above_one_half_as_the_appendix_of_bayes_essay_asks():
    """Price's first problem, with Jeffreys' prior; the figures are of the examples of the package bbai."""
    n = np.arange(1, 11)
    want = [0.8183, 0.9244, 0.9669, 0.9850, 0.9931, 0.9968, 0.9985, 0.9993, 0.9997, 0.9998]
    assert (1 - posterior.below(n, n, 0.5)).tolist() == pytest.approx(want, abs=5.1e-5)


@pytest.mark.parametrize("n", [0, 1, 4, 1000])
def test_the_interval_begins_at_0_where_nothing_passed_and_ends_at_1_where_all_did(n):
    assert posterior.interval(0, n)[0] == 0
    assert posterior.interval(n, n)[1] == 1


@pytest.mark.parametrize("n", [1, 2, 5, 12, 30])
def test_the_ends_of_jeffreys_interval_leave_equal_tails(n):
    c = np.arange(1, n)
    low, high = posterior.interval(c, n)
    with mpmath.workdps(30):
        for passed, left, right in zip(c, low, high, strict=True):
            a, b = int(passed) + 0.5, n - int(passed) + 0.5
            assert abs(mpmath.betainc(a, b, 0, float(left), regularized=True) - 0.025) < 1e-10
            assert abs(mpmath.betainc(a, b, float(right), 1, regularized=True) - 0.025) < 1e-10


@pytest.mark.parametrize(("p", "n"), [(0.5, 10), (0.3, 20), (0.1, 50), (0.5, 100)])
def test_jeffreys_interval_covers_about_as_often_as_it_says(p, n):
    """Brown, Cai and DasGupta (2001): close to 95% on average over p, not at each p."""
    low, high = posterior.interval(np.arange(n + 1), n)
    rates = np.linspace(p - 0.05, p + 0.05, 101)
    covered = [
        sum(math.comb(n, c) * r**c * (1 - r) ** (n - c) for c in range(n + 1) if low[c] <= r <= high[c]) for r in rates
    ]
    assert abs(np.mean(covered) - 0.95) < 0.01


@pytest.mark.parametrize("n", [10**3, 10**6])
def test_the_edges_of_many_attempts_are_poisson(n):
    """Of n attempts none passed: n p has nearly the χ² distribution, halved, of one degree of freedom."""
    assert float(posterior.interval(0, n)[1]) * n == pytest.approx(5.02389 / 2, rel=2 / n + 1e-4)
    assert float(1 - posterior.interval(n, n)[0]) * n == pytest.approx(5.02389 / 2, rel=2 / n + 1e-4)


def test_expected_values_of_the_prior_and_of_two_of_four():
    assert posterior.mean([0, 2], [0, 4]).tolist() == [0.5, 0.5]
    np.testing.assert_allclose(posterior.spread([0, 2], [0, 4]), [1 / 8, 6.25 / 30])
    np.testing.assert_allclose(posterior.loss(0, 0), 2 * math.log(2))


def exactly_greater(c, n, other_c, other_n):
    """Cook (2003): each more success or failure moves P(p > q) by B(a+c, b+d) / (a B(a, b) B(c, d)), from 1/2."""
    a, b, d, e = (mpmath.mpf(1) / 2,) * 4
    found = mpmath.mpf(1) / 2

    def step():
        return mpmath.beta(a + d, b + e) / (mpmath.beta(a, b) * mpmath.beta(d, e))

    for _ in range(c):
        found, a = found + step() / a, a + 1
    for _ in range(n - c):
        found, b = found - step() / b, b + 1
    for _ in range(other_c):
        found, d = found - step() / d, d + 1
    for _ in range(other_n - other_c):
        found, e = found + step() / e, e + 1
    return float(found)


@settings(max_examples=60, deadline=None)
@given(mine=COUNTS, other=COUNTS)
def test_the_chance_that_one_rate_is_greater_is_exact(mine, other):
    with mpmath.workdps(30):
        assert abs(float(posterior.greater(*mine, *other)) - exactly_greater(*mine, *other)) < 1e-12


@pytest.mark.parametrize("counts", [(0, 10**6), (5 * 10**5, 10**6), (10**6, 10**6), (999_999, 10**6)])
def test_of_two_equal_rates_each_is_greater_half_of_the_time(counts):
    assert abs(float(posterior.greater(*counts, *counts)) - 0.5) < 1e-10


def test_two_near_rates_of_a_million_attempts_differ_as_normal_ones_do():
    got = float(posterior.greater(500_100, 10**6, 499_900, 10**6))
    assert got == pytest.approx(float(mpmath.ncdf(2e-4 / math.sqrt(0.5 / 10**6))), abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(counts=COUNTS, x=st.floats(0, 1))
def test_bands_that_meet_hold_the_whole_posterior(counts, x):
    assert float(posterior.inside(*counts, 0, x) + posterior.inside(*counts, x, 1)) == pytest.approx(1, abs=1e-12)
    assert posterior.below(*counts, x) == pytest.approx(posterior.inside(*counts, 0, x), abs=1e-12)


@pytest.mark.parametrize(
    ("passed", "attempts", "name"),
    [(0, 0, "unmeasured"), (0, 4, "hard"), (1, 4, "hard"), (2, 4, "medium"), (3, 4, "easy"), (4, 4, "easy")],
)
def test_a_problem_is_in_its_most_probable_band(passed, attempts, name):
    assert posterior.band_names(BANDS)[int(posterior.band_of(passed, attempts, BANDS))] == name


def test_of_equally_probable_bands_the_first_named_holds():
    assert posterior.band_of(2, 4, {"low": (0, 0.5), "high": (0.5, 1)}) == 0
    assert posterior.band_of(2, 4, {"high": (0.5, 1), "low": (0, 0.5)}) == 0


def test_without_bands_all_are_unmeasured():
    assert posterior.band_names({}) == ("unmeasured",)
    assert posterior.band_of([0, 3], [0, 4], {}).tolist() == [0, 0]


@settings(max_examples=20, deadline=None)
@given(rows=st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 3000)), min_size=1, max_size=20))
def test_a_column_gives_what_each_of_its_rows_gives(rows):
    c, n = np.array([min(row) for row in rows]), np.array([max(row) for row in rows])
    alone = [float(posterior.below(passed, attempts, 0.4)) for passed, attempts in zip(c, n, strict=True)]
    np.testing.assert_allclose(posterior.below(c, n, 0.4), alone, rtol=0, atol=1e-15)


def test_counts_keep_their_shape_and_may_be_none():
    assert posterior.greater(np.zeros((2, 3), int), 4, np.ones(3, int), 4).shape == (2, 3)
    for function in (posterior.mean, posterior.spread, posterior.loss):
        assert function(np.zeros(0, int), np.zeros(0, int)).shape == (0,)
    assert posterior.interval([], [])[0].shape == (0,)


def test_a_million_rows_of_few_different_counts_are_fast():
    rng = np.random.default_rng(0)
    n = rng.integers(0, 17, 10**6)
    c = rng.binomial(n, 0.4)
    start = time.process_time()
    posterior.band_of(c, n, BANDS)
    posterior.greater(c, n, n - c, n)
    assert time.process_time() - start < 1
