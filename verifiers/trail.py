"""The steps a verifier took to its verdict, kept only while somebody asks for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_trail: ContextVar[list[str] | None] = ContextVar("trail", default=None)


def note(step: str, *values: object) -> None:
    """Add one step, `step.format(*values)`; costs next to nothing when nobody records."""
    steps = _trail.get()
    if steps is not None:
        steps.append(step.format(*values))


@contextmanager
def recording() -> Iterator[list[str]]:
    """Keep what `note` is told in this thread or task."""
    steps: list[str] = []
    token = _trail.set(steps)
    try:
        yield steps
    finally:
        _trail.reset(token)
