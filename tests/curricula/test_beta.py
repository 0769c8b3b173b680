"""Beta distributions on arrays, against closed forms and mpmath."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula import beta

GRID = np.array([0.0, 1e-12, 1e-3, 0.1, 0.5, 0.77, 0.999, 1.0])


@pytest.mark.parametrize(
    ("a", "b", "closed"),
    [
        (1, 1, lambda x: x),
        (3, 1, lambda x: x**3),
        (1, 4, lambda x: 1 - (1 - x) ** 4),
        (0.5, 0.5, lambda x: 2 / math.pi * np.arcsin(np.sqrt(x))),
        (1.5, 0.5, lambda x: 2 / math.pi * (np.arcsin(np.sqrt(x)) - np.sqrt(x * (1 - x)))),
    ],
)
def test_the_distribution_function_meets_its_closed_forms(a, b, closed):
    np.testing.assert_allclose(beta.cdf(GRID, a, b), closed(GRID), rtol=0, atol=1e-14)


def exact(x: float, a: float, b: float) -> float:
    """Integrate in θ, x = sin²θ, over where the density is."""
    with mpmath.workdps(30):
        size = mpmath.loggamma(a + b) - mpmath.loggamma(a) - mpmath.loggamma(b)

        def density(t):
            return 2 * mpmath.exp(
                size + (2 * a - 1) * mpmath.log(mpmath.sin(t)) + (2 * b - 1) * mpmath.log(mpmath.cos(t))
            )

        mode, width = math.asin(math.sqrt((a - 0.5) / (a + b - 1))), 9 / math.sqrt(a + b - 1)
        low, high = max(1e-30, mode - width), min(math.asin(math.sqrt(x)), mode + width)
        return float(mpmath.quad(density, mpmath.linspace(low, high, 9))) if high > low else 0.0


@pytest.mark.parametrize("n", [1, 4, 100, 10_000, 1_000_000])
def test_the_distribution_function_is_exact_to_1e_10_up_to_a_million_attempts(n):
    for c in sorted({0, 1, n // 3, n - 1, n}):
        a, b = c + 0.5, n - c + 0.5
        rate = a / (a + b)
        deviation = math.sqrt(rate * (1 - rate) / (a + b + 1))
        points = [x for x in (rate + k * deviation for k in (-3.0, -0.5, 0.2, 4.0)) if 0 < x < 1]
        np.testing.assert_allclose(beta.cdf(points, a, b), [exact(x, a, b) for x in points], rtol=0, atol=1e-10)


COUNTS = st.integers(0, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, x=st.floats(0, 1))
def test_the_distribution_function_agrees_with_mpmath_and_mirrors(counts, x):
    c, n = counts
    a, b = c + 0.5, n - c + 0.5
    with mpmath.workdps(30):
        want = float(mpmath.betainc(a, b, 0, x, regularized=True)) if n < 200 else None
    got = float(beta.cdf(x, a, b))
    assert want is None or abs(got - want) < 1e-12
    # 1 - (1 - x) is not x, where the density is steep.
    assert abs(got - (1 - float(beta.cdf(1 - x, b, a)))) < 1e-10


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, q=st.floats(1e-6, 1 - 1e-6))
def test_a_quantile_is_what_the_distribution_function_inverts(counts, q):
    a, b = counts[0] + 0.5, counts[1] - counts[0] + 0.5
    x = beta.quantile(q, a, b)
    around = np.clip([x - 1e-12, x + 1e-12], 0, 1)  # the density at the ends is so steep that q itself is not met
    low, high = beta.cdf(around, a, b)
    assert low - 1e-13 <= q <= high + 1e-13


def test_quantiles_of_nothing_and_all_are_the_ends():
    assert beta.quantile([0.0, 1.0], 2.5, 7.5).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("a", [0.5, 1.5, 20.5, 123456.5])
def test_the_mean_logarithm_agrees_with_mpmath(a):
    b = np.array([0.5, 3.5, 1000.5])
    want = [float(mpmath.digamma(a + other) - mpmath.digamma(a)) for other in b]
    np.testing.assert_allclose(beta.mean_log(np.full(3, a), b), want, rtol=1e-12, atol=1e-13)
