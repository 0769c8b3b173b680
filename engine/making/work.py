"""Read many records on several cores, and hand back what was found a part at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from gradus.engine.clean.texts import batched
from gradus.verifiers.pool import Lost, in_order

T = TypeVar("T")
R = TypeVar("R")
BATCH = 1000
"""Records a part; a kill loses at most this much work."""


def worked(work: Callable[[T], R], rows: Iterable[T], *, lost: Lost[R], workers: int) -> Iterator[list[R]]:
    """Yield work(row) of every row, in order and in lists; with one worker in this process."""
    return batched(map(work, rows) if workers <= 1 else in_order(work, rows, lost=lost, workers=workers), BATCH)
