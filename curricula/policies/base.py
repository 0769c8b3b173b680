"""A policy orders traces for training; one file adds one.

It sees the candidates that fit a stage and may be chosen, and draws no random numbers: what it finds equal is put in
order by a hash of the recipe's seed, the stage and the trace (`chance.py`), so that an order never depends on the
machine or on other traces. What it compares it rounds to `posterior.DIGITS`, for the same reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

from gradus.config import build
from gradus.curricula.candidates import Candidates, Floats, Ints
from gradus.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a policy makes of candidates: three columns of one length."""

    rows: Ints
    """Indices into the candidates; one that stands here twice is offered twice, one that is missing never."""
    order: Floats
    """The order of training within an entry of the mixture, least first."""
    spread: Floats | None = None
    """A row stands at a place drawn by chance from `order` to `order + spread`; None: at `order`."""
    preference: Floats | None = None
    """What is taken when the budget does not hold all, least first; None: as chance has it."""


Settings = Mapping[str, Any]
"""The policy's own options, `settings` in the recipe's stage; a policy refuses keys it does not know."""
Policy = Callable[[Candidates, Settings], Plan]
Options = TypeVar("Options")

policies: Registry[Policy] = Registry("gradus.curricula.policies", "policy")


@dataclass(frozen=True, slots=True)
class NoOptions:
    """Of a policy that leaves nothing to choose."""


def takes(options: type[Options]) -> Callable[[Callable[[Candidates, Options], Plan]], Policy]:
    """Make a policy of a function that wants its settings as a frozen dataclass."""

    def decorate(function: Callable[[Candidates, Options], Plan]) -> Policy:
        @wraps(function)
        def policy(candidates: Candidates, settings: Settings) -> Plan:
            return function(candidates, build(options, dict(settings), f"settings of policy {function.__name__!r}"))

        return policy

    return decorate
