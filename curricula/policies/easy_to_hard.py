"""Easiest problems first (Bengio, Louradour, Collobert and Weston 2009, "Curriculum learning").

Harder ones are admitted as the stage goes on, and what was admitted stays in play, as in that paper, whose last
distribution is the whole one: `review`. Strict sorting ends on the hardest alone, and the student forgets the rest
(benchmarks/bench_policies.py). How easy a problem is for the student is its expected pass rate (`posterior.py`): 4 of 4
comes before 1 of 1, and what was never measured stands at one half. Which traces are taken where the budget does not
hold all is left to chance, so that the hard ones have their share.

A place is by quantiles of all candidates: to remove one may move others that are near one another.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates
from gradus.curricula.policies.base import Plan, policies, takes
from gradus.curricula.policies.ranks import admitted, check_review


@dataclass(frozen=True, slots=True, kw_only=True)
class EasyToHardOptions:
    """How strictly."""

    review: float = 1.0
    """How far into the rest of the stage what was admitted may still come: from 0, strict sorting, to 1."""

    def __post_init__(self) -> None:
        check_review(self.review)


@policies.register("easy_to_hard")
@takes(EasyToHardOptions)
def easy_to_hard(candidates: Candidates, options: EasyToHardOptions) -> Plan:
    """Admit by falling expected pass rate."""
    rate = posterior.mean(candidates.num_passed, candidates.num_attempts)
    order, spread = admitted(-rate, options.review)
    return Plan(rows=np.arange(len(candidates)), order=order, spread=spread)
