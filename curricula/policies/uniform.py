"""The baseline that every other policy must beat: a shuffle."""

from __future__ import annotations

import random
from collections.abc import Sequence

from gradus.curricula.policies.base import Candidate, policies


@policies.register("uniform")
def uniform(candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    """Return the candidates in random order."""
    return rng.sample(list(candidates), len(candidates))
