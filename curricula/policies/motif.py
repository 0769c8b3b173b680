"""Two stages, foundation and deep reasoning specialisation, with longer traces later in each.

The source is Motif-2-12.7B-Reasoning (Motif Technologies, December 2025). It describes stages, mixtures and lengths
(16K, 32K, 64K), which a recipe states as stages of its own; this policy orders what one of them holds. Within an entry
of the mixture, broad traces come before specialised ones (corrections, and traces of problems too hard for the
student), shorter length bands before longer, and easier problems before harder. Where the budget does not hold all, a
foundation takes one trace of every problem before a second of any, and a specialisation takes specialised traces first,
the hardest problems before all. That is when traces are admitted; they may come until the end of the stage (`review`).
How to order below the length bands and what to prefer, the report does not say: that is ours.

A place is by quantiles of all candidates: to remove one may move others that are near one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates
from gradus.curricula.policies.base import Plan, policies, takes
from gradus.curricula.policies.ranks import admitted, check_review, ranks_within


@dataclass(frozen=True, slots=True, kw_only=True)
class MotifOptions:
    """How a stage of the two is ordered."""

    focus: Literal["foundation", "specialisation"] = "foundation"
    lengths: tuple[int, ...] = (16384, 32768, 65536)
    """The most tokens of each length band."""
    specialised: tuple[str, ...] = ("correction",)
    """Kinds of trace that come after the broad ones."""
    hard: float = 0.25
    """A problem is hard when the student's pass rate is more likely below this than above."""
    review: float = 1.0
    """How far into the rest of the stage what was admitted may still come: from 0, strict sorting, to 1."""

    def __post_init__(self) -> None:
        if not self.lengths or list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(f"lengths must be rising numbers of tokens, not {list(self.lengths)}")
        check_review(self.review)


@policies.register("motif")
@takes(MotifOptions)
def motif(candidates: Candidates, options: MotifOptions) -> Plan:
    """Admit by breadth, length band and difficulty."""
    passed, attempts = candidates.num_passed, candidates.num_attempts
    special_name = np.array([name.split("/")[1] in options.specialised for name in candidates.names], bool)
    hard = posterior.below(passed, attempts, options.hard).round(posterior.DIGITS) > 0.5
    special = special_name[candidates.component] | hard
    band = np.searchsorted(options.lengths, candidates.num_tokens)
    rate = posterior.mean(passed, attempts)
    # 0 < rate < 1, so each number decides only where those before it are equal.
    order, spread = admitted(special * (len(options.lengths) + 1.0) + band + (1 - rate), options.review)
    again = ranks_within(candidates.problem, np.zeros(len(candidates)))
    preference = again.astype(np.float64) if options.focus == "foundation" else rate - special
    return Plan(rows=np.arange(len(candidates)), order=order, spread=spread, preference=preference)
