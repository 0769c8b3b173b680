"""Ratios of sums with bootstrap intervals, where what is drawn again is the problem, not the trace.

Traces of one problem are alike, so they stay together (a cluster). A ratio of sums covers all that is compared: a
mean is a sum over a count, and the rank-surprisal ratio of a set is the sum of its traces' mean ranks over that of
their mean NLLs. The interval is normal, with the bootstrap's standard error.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

DRAWS = 1000
CONFIDENCE = 0.95

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value, its 95% interval, and the number of problems it rests on."""

    value: float
    low: float
    high: float
    num_problems: int


@dataclass(frozen=True, slots=True)
class Difference:
    """One ratio less another, with its standard error; shared: over the problems that both have."""

    value: float
    error: float
    shared: bool

    def sign(self, num_comparisons: int) -> int:
        """Return -1 or 1 if the difference is certain at 95% over so many comparisons (Bonferroni), else 0."""
        return int(np.sign(self.value)) if abs(self.value) > _quantile(num_comparisons) * self.error else 0


class Ratio:
    """Sums by problem: the ratio's numerator and denominator of every trace, under its problem's name."""

    def __init__(self, problems: Sequence[str], above: Sequence[float], below: Sequence[float]) -> None:
        self.names = sorted(set(problems))
        place = {name: i for i, name in enumerate(self.names)}
        where = [place[name] for name in problems]
        self.sums = np.zeros((len(self.names), 2))
        np.add.at(self.sums, where, np.column_stack([above, below]))

    def only(self, names: Sequence[str]) -> Floats:
        """Return the sums of these problems, in this order."""
        place = {name: i for i, name in enumerate(self.names)}
        return self.sums[[place[name] for name in names]]

    def estimate(self) -> Estimate:
        """Return the ratio; a single problem has no interval: it is infinite."""
        value, num = _ratio(self.sums.sum(axis=0)), len(self.names)
        error = float(_drawn([self.sums])[0].std(ddof=1)) if num > 1 else float("inf")
        reach = _quantile(1) * error
        return Estimate(value, value - reach, value + reach, num)


def difference(one: Ratio, other: Ratio, *, min_shared: int) -> Difference:
    """Compare on the problems that both have if they are enough, else on all that each has."""
    shared = sorted(set(one.names) & set(other.names))
    if len(shared) >= min_shared:
        first, second = one.only(shared), other.only(shared)
        drawn = _drawn([first, second])
        error = float((drawn[0] - drawn[1]).std(ddof=1))
    else:
        first, second = one.sums, other.sums
        error = float(np.hypot(_drawn([first])[0].std(ddof=1), _drawn([second])[0].std(ddof=1)))
    value = _ratio(first.sum(axis=0)) - _ratio(second.sum(axis=0))
    return Difference(value, error, shared=len(shared) >= min_shared)


def _drawn(tables: Sequence[Floats]) -> list[Floats]:
    """Return each table's ratios over the same draws of its rows."""
    num = len(tables[0])
    weights = np.random.default_rng(0).multinomial(num, np.full(num, 1 / num), size=DRAWS).astype(np.float64)
    totals = [weights @ table for table in tables]
    return [total[:, 0] / np.maximum(total[:, 1], 1e-12) for total in totals]


def _ratio(sums: Floats) -> float:
    return float(sums[0] / max(sums[1], 1e-12))


def _quantile(num_comparisons: int) -> float:
    return NormalDist().inv_cdf(1 - (1 - CONFIDENCE) / 2 / num_comparisons)
