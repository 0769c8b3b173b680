"""What is known of a model's pass rate p at a problem after num_passed of num_attempts: a posterior, not the quotient.

The prior is Jeffreys', Beta(1/2, 1/2), so the posterior is Beta(passed + 1/2, failed + 1/2), also where attempts ended
at a pass: a likelihood does not know why one stopped. 1 of 4 means a p from 0.03 to 0.72, and a problem never tried has
the whole prior. Intervals are Jeffreys' as Brown, Cai and DasGupta (2001) recommend: equal tails, but from 0 where
nothing passed and to 1 where all did. Counts may be arrays of any shapes that broadcast; each different pair is
computed once. Absolute errors are below 1e-10 up to a million attempts.

Probabilities differ by about 1e-16 between machines: whoever decides by them rounds them to DIGITS first.

Not covered: attempts that depend on one another, and priors learnt from other problems.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from gradus.curricula import beta

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Number = TypeVar("Number", bound=np.generic)

PRIOR = 0.5
DIGITS = 9
UNMEASURED = "unmeasured"
NODES, WEIGHTS = np.polynomial.legendre.leggauss(48)
WIDTH = 6.0
"""In 1/(√passed + √failed): the log density of θ bends by twice that square or more, so that only about e^(-WIDTH²) of
its weight lies further from its mode."""
AT_ONCE = 4096
"""Pairs whose nodes are in memory together."""
TABLE = 16
"""Combinations of counts for each row that are looked up in a table; where there may be more, rows are sorted."""


def mean(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike) -> Floats:
    """Return the expected pass rate."""
    a, b = _parameters(num_passed, num_attempts)
    return a / (a + b)


def spread(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike) -> Floats:
    """Return the expected p(1 - p), the variance of one more attempt's outcome at its true rate; at most 1/4."""
    a, b = _parameters(num_passed, num_attempts)
    return a * b / ((a + b) * (a + b + 1))


def loss(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike) -> Floats:
    """Return the expected -log p, in nats: 2 log 2 for a problem never tried."""
    return _by_pair(lambda c, n: beta.mean_log(*_parameters(c, n)), num_passed, num_attempts)


def below(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike, rate: float) -> Floats:
    """Return P(p < rate)."""
    return _by_pair(lambda c, n: beta.cdf(rate, *_parameters(c, n)), num_passed, num_attempts)


def inside(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike, low: float, high: float) -> Floats:
    """Return P(low ≤ p ≤ high)."""
    return _by_pair(lambda c, n: _inside(*_parameters(c, n), low, high), num_passed, num_attempts)


def quantile(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike, q: float) -> Floats:
    """Return the rate that p is below with probability q."""
    return _by_pair(lambda c, n: beta.quantile(q, *_parameters(c, n)), num_passed, num_attempts)


def interval(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """Return the ends of Jeffreys' interval."""
    c, n = np.broadcast_arrays(np.asarray(num_passed), np.asarray(num_attempts))
    tails = np.array([[(1 - level) / 2], [(1 + level) / 2]])
    low, high = _by_pair(lambda c, n: beta.quantile(tails, *_parameters(c, n)), c, n)
    return np.where(c == 0, 0.0, low), np.where(c == n, 1.0, high)


def greater(
    num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike, other_passed: npt.ArrayLike, other_attempts: npt.ArrayLike
) -> Floats:
    """Return P(p > other p), the two independent."""
    return _by_pair(_greater, num_passed, num_attempts, other_passed, other_attempts)


def band_of(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike, bands: Mapping[str, Sequence[float]]) -> Ints:
    """Return for each the place in band_names of the band that most probably holds p, the first of equals."""
    unmeasured = len(bands)

    def places(c: Ints, n: Ints) -> Ints:
        if not bands:
            return np.zeros(len(n), np.int64)
        held = np.stack([_inside(*_parameters(c, n), low, high) for low, high in bands.values()])
        return np.where(n > 0, held.round(DIGITS).argmax(axis=0), unmeasured)

    return _by_pair(places, num_passed, num_attempts)


def band_names(bands: Mapping[str, Sequence[float]]) -> tuple[str, ...]:
    """Return the names that band_of numbers; the last is of what was never measured."""
    return *bands, UNMEASURED


def _parameters(num_passed: npt.ArrayLike, num_attempts: npt.ArrayLike) -> tuple[Floats, Floats]:
    c, n = np.asarray(num_passed, np.float64), np.asarray(num_attempts, np.float64)
    return c + PRIOR, n - c + PRIOR


def _inside(a: Floats, b: Floats, low: float, high: float) -> Floats:
    return np.maximum(beta.cdf(high, a, b) - beta.cdf(low, a, b), 0.0)


def _greater(c: Ints, n: Ints, other_c: Ints, other_n: Ints) -> Floats:
    """Integrate the narrower density times the wider's distribution function: at its scale, that is smooth."""
    swap = n < other_n
    c, n, other_c, other_n = (
        np.where(swap, *pair) for pair in ((other_c, c), (other_n, n), (c, other_c), (n, other_n))
    )
    # Near 1, doubles are too coarse for a million attempts: there, failures are counted.
    mirror = 2 * c > n
    c, other_c = np.where(mirror, n - c, c), np.where(mirror, other_n - other_c, other_c)
    parts = (slice(start, start + AT_ONCE) for start in range(0, len(n), AT_ONCE))
    above = np.concatenate([np.empty(0), *(_above(c[i], n[i], other_c[i], other_n[i]) for i in parts)])
    return np.where(swap ^ mirror, 1 - above, above)


def _above(c: Ints, n: Ints, other_c: Ints, other_n: Ints) -> Floats:
    """Return P(p > other p) by Gauss and Legendre's rule in θ, p = sin²θ, in which Jeffreys' prior is flat."""
    mode = np.arcsin(np.sqrt(c / np.maximum(n, 1)))
    width = WIDTH / np.maximum(np.sqrt(c) + np.sqrt(n - c), WIDTH / math.pi)
    low, high = np.maximum(mode - width, 0.0), np.minimum(mode + width, math.pi / 2)
    angle = low[:, None] + (high - low)[:, None] * (NODES + 1) / 2
    a, b = _parameters(c[:, None], n[:, None])
    values = beta.angle_density(angle, a, b) * beta.cdf(
        np.sin(angle) ** 2, *_parameters(other_c[:, None], other_n[:, None])
    )
    return np.clip(values @ WEIGHTS * (high - low) / 2, 0.0, 1.0)


def _by_pair(function: Callable[..., npt.NDArray[Number]], *counts: npt.ArrayLike) -> npt.NDArray[Number]:
    """Return function of the counts, computed once for each different row of them; they stand on its last axis."""
    whole = np.broadcast_arrays(*(np.asarray(column, np.int64) for column in counts))
    columns = tuple(column.ravel() for column in whole)
    sizes = [int(column.max(initial=0)) + 1 for column in columns]
    if math.prod(sizes) <= TABLE * len(columns[0]):
        keys = np.ravel_multi_index(columns, sizes)
        found = np.zeros(math.prod(sizes), bool)
        found[keys] = True
        values = function(*np.unravel_index(np.flatnonzero(found), sizes))
        keys = (np.cumsum(found) - 1)[keys]
    else:
        _, first, keys = np.unique(np.stack(columns), axis=1, return_index=True, return_inverse=True)
        values = function(*(column[first] for column in columns))
    return values[..., keys].reshape((*values.shape[:-1], *whole[0].shape))
