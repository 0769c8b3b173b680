"""What the student can nearly do comes first, and the threshold grows, with diversity.

Self-paced learning is of Kumar, Packer and Koller (2010), its diversity of Jiang et al. (2014). A problem's loss is the
expected -log p of the student's pass rate, from its latest measured attempts: measure a new checkpoint, build again,
and the order follows it. Diversity γ is Jiang's closed form: of a group's traces, sorted by loss, the i-th is admitted
when the threshold exceeds its loss less γ / (√i + √(i - 1)), so the first of every group come early and no one skill
fills the start. As it grows, what was admitted is trained on again in the papers; here each trace comes once, at a
time drawn from its admission to the end (`review`). What is more likely mastered than not comes last and is left out
first: neither paper does so, but nothing is learnt from it.

Removing a trace changes the ranks of its group and the quantiles of all: others that are near one another may move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates, Ints
from gradus.curricula.policies.base import Plan, policies, takes
from gradus.curricula.policies.ranks import admitted, check_review, ranks_within

LAST = 1e9
"""Above every threshold: a million attempts without a pass lose 16 nats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SelfPacedOptions:
    """How fast a pace, and how diverse."""

    diversity: float = 0.5
    """γ, in nats: how much earlier a group's first trace comes than its loss alone says."""
    groups: Literal["problem", "component"] = "problem"
    """What is kept diverse: problems, or components (domain/kind/teacher)."""
    mastered: float = 0.9
    """A pass rate from which there is nothing more to learn."""
    review: float = 1.0
    """How far into the rest of the stage what was admitted may still come: from 0, strict sorting, to 1."""

    def __post_init__(self) -> None:
        if self.diversity < 0:
            raise ValueError(f"diversity must not be negative, not {self.diversity}")
        check_review(self.review)


@policies.register("self_paced")
@takes(SelfPacedOptions)
def self_paced(candidates: Candidates, options: SelfPacedOptions) -> Plan:
    """Admit and prefer by the threshold."""
    passed, attempts = candidates.num_passed, candidates.num_attempts
    loss = posterior.loss(passed, attempts).round(posterior.DIGITS)
    mastered = posterior.below(passed, attempts, options.mastered).round(posterior.DIGITS) < 0.5
    rank = ranks_within(_groups(candidates, options.groups), np.where(mastered, np.inf, loss)) + 1
    threshold = loss - options.diversity / (np.sqrt(rank) + np.sqrt(rank - 1))
    threshold = np.where(mastered, LAST, threshold)
    order, spread = admitted(threshold, options.review)
    return Plan(rows=np.arange(len(candidates)), order=order, spread=spread, preference=threshold)


def _groups(candidates: Candidates, by: str) -> Ints:
    if by == "problem":
        return candidates.problem
    codes: dict[str, int] = {}
    code_of = [codes.setdefault(name.rpartition("/")[0], len(codes)) for name in candidates.names]
    return np.array(code_of, np.int64)[candidates.component]
