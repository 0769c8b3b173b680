"""Easiest problems first (Bengio et al. 2009), by the pass rate of the model that will be trained."""

from __future__ import annotations

import random
from collections.abc import Sequence

from gradus.curricula.policies.base import Candidate, policies


@policies.register("easy_to_hard")
def easy_to_hard(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Sort by falling pass rate, equals in random order; what was never measured counts as hardest."""
    shuffled = rng.sample(list(candidates), len(candidates))
    return sorted(shuffled, key=lambda c: -1.0 if c.pass_rate is None else c.pass_rate, reverse=True)
