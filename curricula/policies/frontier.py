"""What the student solves about every second time is taken first: there is most to learn.

The idea is the zone of proximal development (Vygotsky 1978); the measure is the variance p(1 - p) of an attempt's
outcome, which scales the gradient of a policy (Foster and Foerster 2025, "Learning to reason at the frontier of
learnability"). p is not known, so its expectation over the posterior is taken: 1 of 4 may well be one half, 0 of 4 may
not, 0 of 64 cannot, and a problem never tried stands between 1 of 4 and 0 of 4.

It chooses, and leaves the order to chance: of a pool that fits the budget whole, it makes what `uniform` does. Sorting
what it takes as well cost more than choosing gained (benchmarks/bench_policies.py).
"""

from __future__ import annotations

import numpy as np

from gradus.curricula import posterior
from gradus.curricula.candidates import Candidates
from gradus.curricula.policies.base import NoOptions, Plan, policies, takes


@policies.register("frontier")
@takes(NoOptions)
def frontier(candidates: Candidates, _: NoOptions) -> Plan:
    """Prefer by falling expected p(1 - p)."""
    preference = -posterior.spread(candidates.num_passed, candidates.num_attempts)
    return Plan(rows=np.arange(len(candidates)), order=np.zeros(len(candidates)), preference=preference)
