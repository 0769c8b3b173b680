"""What the student has lost since an earlier checkpoint comes again at growing distances, the rest once.

That is expanding rehearsal (Landauer and Bjork 1978), of what is failed, as in Leitner's boxes (1972). A problem has
regressed when its pass rate is lower than at the recipe's `earlier` checkpoint with probability `sure`, both rates
uncertain (`posterior.greater`); one that either has not tried has not regressed. Each regressed problem is visited
1 + repeats times, first early in the stage, then after gaps that grow by a factor. Its traces take turns, so one is
repeated only where there are fewer traces than visits; a stage's `max_passes` is not about these repeats. Everything
else stands at a place in [0, 1) that a hash of its own trace gives. Gaps are shares of the stage as long as regressed
problems are few; many crowd where they are visited, which stretches the stage there, and as their visits are taken
first, they may fill the budget: then raise `sure` or lower `repeats`.

Removing a trace changes the turns of its problem alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates, Floats, Ints
from gradus.curricula.chance import chances, shares
from gradus.curricula.policies.base import Plan, policies, takes
from gradus.curricula.policies.ranks import ranks_within


@dataclass(frozen=True, slots=True, kw_only=True)
class SpacedOptions:
    """What is visited again, how often, and when."""

    sure: float = 0.8
    """The least probability that the pass rate truly fell."""
    repeats: int = 3
    growth: float = 2.0
    """Each gap is as many times as long as the one before."""
    span: float = 0.75
    """From the first visit to the last, as a share of the stage."""

    def __post_init__(self) -> None:
        if not (self.repeats >= 1 and self.growth >= 1 and 0 < self.span < 1 and 0.5 <= self.sure <= 1):
            raise ValueError("spaced needs repeats ≥ 1, growth ≥ 1, 0 < span < 1 and 0.5 ≤ sure ≤ 1")


@policies.register("spaced")
@takes(SpacedOptions)
def spaced(candidates: Candidates, options: SpacedOptions) -> Plan:
    """Sort by place in the stage; prefer what regressed."""
    place = shares(chances("spaced", candidates.trace_ids, candidates.part))
    regressed = fell(candidates) >= options.sure
    rows, times = _visits(candidates.problem, np.flatnonzero(regressed), place, options)
    once = np.flatnonzero(~regressed)
    return Plan(
        rows=np.concatenate([once, rows]),
        order=np.concatenate([place[once], times]),
        preference=np.concatenate([np.ones(len(once)), np.zeros(len(rows))]),
    )


def fell(candidates: Candidates) -> Floats:
    """Return the probability that the pass rate is lower than it was; 0 where it was not measured twice."""
    both = (candidates.earlier_attempts > 0) & (candidates.num_attempts > 0)
    lower = posterior.greater(
        candidates.earlier_passed, candidates.earlier_attempts, candidates.num_passed, candidates.num_attempts
    )
    return np.where(both, lower.round(posterior.DIGITS), 0.0)


def _visits(problem: Ints, regressed: Ints, place: Floats, options: SpacedOptions) -> tuple[Ints, Floats]:
    """Return the row of each visit and its time in the stage; traces beyond 1 + repeats keep their own place."""
    turn = ranks_within(problem[regressed], np.zeros(len(regressed)))
    rows = regressed[np.lexsort((turn, problem[regressed]))]
    _, first, traces = np.unique(problem[rows], return_index=True, return_counts=True)
    visits = np.maximum(traces, options.repeats + 1)
    visit = np.arange(visits.sum()) - np.repeat(np.cumsum(visits) - visits, visits)
    first, traces = np.repeat(first, visits), np.repeat(traces, visits)
    gaps = options.growth ** np.arange(options.repeats)
    after = np.concatenate([[0.0], np.cumsum(gaps) / gaps.sum() * options.span])
    here = rows[first + visit % traces]
    times = place[rows[first]] * (1 - options.span) + after[np.minimum(visit, options.repeats)]
    return here, np.where(visit <= options.repeats, times, place[here])
