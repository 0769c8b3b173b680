"""A policy orders traces for training; one file adds one."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gradus.engine.records import Trace
from gradus.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A rendered trace. pass_rate is the target model's on its problem; None: never measured."""

    trace: Trace
    token_ids: tuple[int, ...]
    loss_mask: tuple[bool, ...]
    pass_rate: float | None

    @property
    def component(self) -> str:
        """Name what a mixture weighs: `domain/kind`."""
        return f"{self.trace.domain}/{self.trace.kind}"

    @property
    def num_tokens(self) -> int:
        return len(self.token_ids)


Policy = Callable[[Sequence[Candidate], random.Random], list[Candidate]]
"""Return the same candidates in training order, the same for the same seed."""

policies: Registry[Policy] = Registry("gradus.curricula.policies", "policy")
