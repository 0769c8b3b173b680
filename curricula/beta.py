"""Beta(a, b) distributions on whole arrays: density, distribution function, quantiles, mean logarithm.

The regularised incomplete beta function is the continued fraction DLMF 8.17.22, by Lentz's method; its power of x
comes from deviances (Loader 2000), so that nothing large cancels. For a and b from 1/2 to 1,000,000 the absolute error
is below 1e-10 (tests/curricula/test_beta.py, against mpmath). The steps grow with the root of a + b.

Not covered: a or b below 1/2, and relative accuracy in tails below 1e-10.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TINY = 1e-300
ENOUGH = 4e-16
MOST_STEPS = 100_000
STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360)
"""Of the series for log Γ(z) in 1/z, 1/z³, …"""
STIRLING_FROM = 16
"""Where the series is exact to a double."""


def cdf(x: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return P(p ≤ x) for p of Beta(a, b)."""
    x, a, b = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (x, a, b)))
    shape, (x, a, b) = x.shape, (value.ravel() for value in (x, a, b))
    result = np.where(x >= 1, 1.0, 0.0)
    within = np.flatnonzero((x > 0) & (x < 1))
    x, a, b = x[within], a[within], b[within]
    swap = x > (a + 1) / (a + b + 2)
    y = 1 - x
    x, y, a, b = np.where(swap, y, x), np.where(swap, x, y), np.where(swap, b, a), np.where(swap, a, b)
    lower = np.minimum(np.exp(_log_power(x, y, a, b)) / a * _fraction(x, a, b), 1.0)
    result[within] = np.where(swap, 1 - lower, lower)
    return result.reshape(shape)


def angle_density(angle: Floats, a: Floats, b: Floats) -> Floats:
    """Return the density of θ, where sin²θ is of Beta(a, b); at a, b ≥ 1/2 it has no poles. 0 < θ < π/2."""
    sine, cosine = np.sin(angle), np.cos(angle)
    return 2 * np.exp(_log_power(sine**2, cosine**2, a, b)) / (sine * cosine)


def mean_log(a: Floats, b: Floats) -> Floats:
    """Return the expected -log p, ψ(a + b) - ψ(a)."""
    return _digamma(a + b) - _digamma(a)


def quantile(q: npt.ArrayLike, a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """Return the x with cdf(x, a, b) = q: Newton's steps in θ, x = sin²θ, halved where they leave the bracket."""
    q, a, b = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (q, a, b)))
    shape, (q, a, b) = q.shape, (value.ravel() for value in (q, a, b))
    low, high = np.zeros(len(q)), np.full(len(q), math.pi / 2)
    angle = np.arcsin(np.sqrt(a / (a + b)))
    active = np.flatnonzero((q > 0) & (q < 1))
    for _ in range(100):
        if not len(active):
            break
        here, some_a, some_b = angle[active], a[active], b[active]
        excess = cdf(np.sin(here) ** 2, some_a, some_b) - q[active]
        low[active] = np.where(excess < 0, here, low[active])
        high[active] = np.where(excess < 0, high[active], here)
        density = angle_density(here, some_a, some_b)
        step = np.divide(excess, density, out=np.full(len(here), np.inf), where=density > 0)
        newton = here - step
        inside = (newton > low[active]) & (newton < high[active])
        found = (np.abs(step) <= ENOUGH * here) | (high[active] - low[active] <= ENOUGH * here)
        angle[active] = np.where(found, here, np.where(inside, newton, (low[active] + high[active]) / 2))
        active = active[~found]
    return np.where(q <= 0, 0.0, np.where(q >= 1, 1.0, np.sin(angle) ** 2)).reshape(shape)


def _fraction(x: Floats, a: Floats, b: Floats) -> Floats:
    """Return the continued fraction of a B(a, b) I_x(a, b) / (x^a (1-x)^b)."""
    result = np.empty(len(x))
    active = np.arange(len(x))
    numerator = np.ones(len(x))
    inverse = 1 / _away(1 - (a + b) * x / (a + 1))
    value = inverse.copy()
    for m in range(1, MOST_STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        inverse = 1 / _away(1 + even * inverse)
        numerator = _away(1 + even / numerator)
        value *= inverse * numerator
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        inverse = 1 / _away(1 + odd * inverse)
        numerator = _away(1 + odd / numerator)
        change = inverse * numerator
        value *= change
        if m % 8 == 0:
            going = np.abs(change - 1) > ENOUGH
            if not going.all():
                result[active] = value
                active = active[going]
                numerator, inverse, value, x, a, b = (column[going] for column in (numerator, inverse, value, x, a, b))
            if not len(active):
                break
    result[active] = value
    return result


def _away(values: Floats) -> Floats:
    return np.where(np.abs(values) < TINY, TINY, values)


def _log_power(x: Floats, y: Floats, a: Floats, b: Floats) -> Floats:
    """Return log(x^a y^b / B(a, b)), where y is 1 - x."""
    total = a + b
    size = 0.5 * np.log(a * b / (2 * math.pi * total)) + _stirling(total) - _stirling(a) - _stirling(b)
    return size - _deviance(a, total * x) - _deviance(b, total * y)


def _deviance(a: Floats, m: Floats) -> Floats:
    """Return a log(a / m) + m - a without cancellation where a is near m."""
    v = (a - m) / (a + m)
    near = (a - m) * v + 2 * a * sum(v ** (2 * j + 1) / (2 * j + 1) for j in range(1, 11))
    far = a * np.log(a / np.maximum(m, TINY)) + m - a
    return np.where(np.abs(v) < 0.1, near, far)


def _digamma(z: Floats) -> Floats:
    result, z = np.zeros(np.shape(z)), z.copy()
    while (small := z < STIRLING_FROM).any():
        result -= np.where(small, 1 / z, 0.0)
        z = np.where(small, z + 1, z)
    return result + np.log(z) - 0.5 / z - sum((2 * k + 1) * f / z ** (2 * k + 2) for k, f in enumerate(STIRLING))


def _stirling(z: Floats) -> Floats:
    """Return log Γ(z) - (z - 1/2) log z + z - log(2π) / 2."""
    result, z = np.zeros(np.shape(z)), z.copy()
    while (small := z < STIRLING_FROM).any():
        step = (z + 0.5) * np.log1p(1 / z) - 1
        result += np.where(small, step, 0.0)
        z = np.where(small, z + 1, z)
    return result + sum(factor / z ** (2 * k + 1) for k, factor in enumerate(STIRLING))
