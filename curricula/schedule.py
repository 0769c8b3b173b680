"""Which entry of the mixture each sequence of a stage belongs to, so that no prefix strays from the schedule.

Shares move with x, the part of the stage's sequences that is done, from `start` to `end`: linear in x, or by
(1 - cos pi x) / 2. By the schedule an entry has C(n) of the first n sequences, the integral of its share; the order
is Tijdeman's (The chairman assignment problem, 1980), in which the count of every entry in every prefix differs from C
by at most 1 - 1 / (2k - 2) for k entries: less than one sequence. Needs numpy alone.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from gradus.curricula.manifest import Schedule

TINY = 1e-7
"""Far above what rounding does to C, far below what one sequence changes."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


def cumulative(schedule: Schedule, entry: str, num_sequences: int) -> Floats:
    """Return how many of the first 0, 1, … num_sequences are an entry's by the schedule."""
    done = np.arange(num_sequences + 1) / max(num_sequences, 1)
    start, end = schedule.start[entry], schedule.end[entry]
    return num_sequences * (start * done + (end - start) * _moved(schedule.kind, done))


def _moved(kind: str, done: Floats) -> Floats:
    """Return the integral of how far the shares have moved from start (0) to end (1)."""
    if kind == "constant":
        return np.zeros_like(done)
    if kind == "linear":
        return done**2 / 2
    # sin pi x = sin pi (1 - x), which is 0 at the end where the first is not, for rounding.
    return done / 2 - np.sin(np.pi * np.minimum(done, 1 - done)) / (2 * np.pi)


def fitted(declared: Schedule, counts: Mapping[str, int]) -> Schedule:
    """Return the schedule nearest to a declared one that gives every entry exactly its count of sequences.

    The mean of start and end is the entry's share of the counts. Half the way between them is as declared, but never
    more than the mean, and what rises is as much as what falls.
    """
    names, total = sorted(counts), sum(counts.values())
    mean = np.array([counts[name] / total for name in names])
    half = np.array([(declared.end[name] - declared.start[name]) / 2 for name in names])
    half = np.clip(half, -mean, mean)
    rising, falling = half[half > 0].sum(), -half[half < 0].sum()
    least = min(rising, falling)
    half = np.where(half > 0, half * (least / (rising or 1)), half * (least / (falling or 1)))
    kind = declared.kind if np.any(half) else "constant"
    return Schedule(
        kind=kind,
        start=dict(zip(names, (mean - half).tolist(), strict=True)),
        end=dict(zip(names, (mean + half).tolist(), strict=True)),
    )


def assign(schedule: Schedule, counts: Mapping[str, int]) -> Ints:
    """Return for every sequence the place of its entry among the sorted names; counts are what the schedule gives.

    An entry's j-th sequence may not come before C reaches j - 1 + e, nor after C passes j - e, with e = 1 / (2k - 2).
    Whoever may come and must come first is next: this keeps every such bound if anything does, and Tijdeman proved
    that something does.
    """
    names, total = sorted(counts), sum(counts.values())
    slack = 1 / max(2 * len(names) - 2, 1)
    earliest, latest, entries = [], [], []
    for number, name in enumerate(names):
        wanted, each = cumulative(schedule, name, total), np.arange(1, counts[name] + 1)
        if abs(wanted[-1] - counts[name]) > TINY * max(total, 1):
            raise ValueError(f"the schedule gives {name!r} {wanted[-1]} of {total} sequences, not {counts[name]}")
        wanted = np.maximum.accumulate(wanted)
        earliest.append(np.searchsorted(wanted, each - 1 + slack - TINY))
        latest.append(np.searchsorted(wanted, each - slack + TINY))
        entries.append(np.full(counts[name], number))
    return _earliest_deadline(*(np.concatenate(columns) for columns in (earliest, latest, entries)), width=len(names))


def _earliest_deadline(earliest: Ints, latest: Ints, entries: Ints, *, width: int) -> Ints:
    """Give step 1, 2, … the task that is due first of those that may be done then."""
    order = np.argsort(earliest, kind="stable")
    starts: Sequence[int] = earliest[order].tolist()
    tasks: Sequence[int] = (latest[order] * width + entries[order]).tolist()
    result = np.empty(len(tasks), np.int64)
    waiting: list[int] = []
    coming = 0
    for step in range(1, len(tasks) + 1):
        while coming < len(tasks) and starts[coming] <= step:
            heapq.heappush(waiting, tasks[coming])
            coming += 1
        result[step - 1] = heapq.heappop(waiting) % width
    return result
