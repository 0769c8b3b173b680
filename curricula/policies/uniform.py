"""The baseline that every other policy must beat: a shuffle.

All candidates are equal, so the hash of seed, stage and trace alone decides which are taken and when.
"""

from __future__ import annotations

import numpy as np

from gradus.curricula.candidates import Candidates
from gradus.curricula.policies.base import NoOptions, Plan, policies, takes


@policies.register("uniform")
@takes(NoOptions)
def uniform(candidates: Candidates, _: NoOptions) -> Plan:
    """Find all candidates equal."""
    return Plan(rows=np.arange(len(candidates)), order=np.zeros(len(candidates)))
