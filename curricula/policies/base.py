"""A policy orders traces for training; one file adds one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradus.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A rendered trace, its text and tokens left on disk. pass_rate is the target model's on its problem."""

    trace_id: str
    component: str
    """What a mixture weighs: `domain/kind`."""
    num_tokens: int
    pass_rate: float | None
    """None: never measured."""
    place: int = 0
    """Where its row is read from (`rendered.py`)."""


Policy = Callable[[Sequence[Candidate], random.Random], list[Candidate]]
"""Return the same candidates in training order, the same for the same seed."""

policies: Registry[Policy] = Registry("gradus.curricula.policies", "policy")
