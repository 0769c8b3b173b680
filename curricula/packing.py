"""Lay traces side by side in sequences of one length, without splitting any, and in order up to a window.

Best fit decreasing (Johnson 1973) in each window of consecutive traces: the longest trace first, each into the
fullest sequence that has room. Windows go side by side, one step of each in a turn of the loop, and traces of one
length together: a step takes the sequences with the least free space that suffices, and fills them with as many
traces of the length at hand as they hold. So there are as many turns as the busiest window has steps.

Not covered: traces longer than the capacity (callers choose before they pack) and attention cost (balance.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

WINDOW = 512
"""A window's traces fill about this many sequences; benchmarks/bench_packing.py shows what other widths give."""
LEAST_WINDOWS = 4
"""A small stage has narrower windows instead of fewer: its order is worth more than the last half per cent."""
NARROWEST = 8
"""But none narrower: below that every window ends with a sequence that is far from full."""
SIDE_BY_SIDE = 256
"""Windows in memory at a time: each takes 256 KiB at a capacity of 64K."""
NONE = -1
ONE, ALL = np.uint64(1), np.uint64(2**64 - 1)


@dataclass(frozen=True, slots=True)
class Packing:
    """Sequence i holds the traces rows[offsets[i] : offsets[i + 1]]."""

    rows: Ints
    offsets: Ints

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __iter__(self) -> Iterator[Ints]:
        return (self.rows[first:end] for first, end in pairwise(self.offsets))


def pack(lengths: Ints, capacity: int, *, window: int | None = None) -> Packing:
    """Return sequences of at most capacity tokens, in order of the mean place of their traces, which rise in each.

    window: how many sequences the traces of a window fill; None: WINDOW, or less in a small stage.
    """
    lengths = np.asarray(lengths, np.int64)
    _check(lengths, capacity, window)
    sequence = np.zeros(len(lengths), np.int64)
    first, num_sequences = _windows(lengths, capacity, window), 0
    for chunk in range(0, len(first), SIDE_BY_SIDE):
        bounds = np.append(first, len(lengths))[chunk : chunk + SIDE_BY_SIDE + 1]
        found = _pack_windows(lengths[bounds[0] : bounds[-1]], bounds - bounds[0], capacity)
        sequence[bounds[0] : bounds[-1]] = num_sequences + found
        num_sequences += int(found.max()) + 1
    num_traces = np.bincount(sequence, minlength=num_sequences)
    return Packing(np.argsort(sequence, kind="stable"), np.concatenate([[0], np.cumsum(num_traces)]))


def _check(lengths: Ints, capacity: int, window: int | None) -> None:
    if window is not None and window < 1:
        raise ValueError(f"a window is 1 sequence at least, not {window}")
    wrong = np.flatnonzero((lengths < 1) | (lengths > capacity))
    if wrong.size:
        raise ValueError(
            f"trace {wrong[0]} has {lengths[wrong[0]]} tokens, and a sequence takes traces of 1 to {capacity} "
            f"({wrong.size} of {len(lengths)} are none): leave them out, or make sequences longer"
        )


def _windows(lengths: Ints, capacity: int, window: int | None) -> Ints:
    """Return the first trace of each window; all are of about as many tokens."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    if window is None:
        window = min(WINDOW, max(NARROWEST, total // (LEAST_WINDOWS * capacity)))
    number = (ends - lengths) * max(1, total // (window * capacity)) // max(1, total)
    return np.flatnonzero(np.diff(number, prepend=-1))


def _pack_windows(lengths: Ints, bounds: Ints, capacity: int) -> Ints:
    """Return which sequence each trace goes into, counted from 0. Window i is lengths[bounds[i] : bounds[i + 1]]."""
    places = np.arange(len(lengths))
    window = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    # Longest first in each window; equal ones in order.
    longest = np.argsort(window * (capacity + 1) + capacity - lengths, kind="stable")
    sequence = np.empty(len(lengths), np.int64)
    sequence[longest] = _best_fit(lengths[longest], bounds, capacity)
    num_traces = np.bincount(sequence)
    used = np.flatnonzero(num_traces)
    mean_place = np.bincount(sequence, weights=places)[used] / num_traces[used]
    number = np.empty(len(num_traces), np.int64)
    number[used[np.argsort(mean_place, kind="stable")]] = np.arange(len(used))
    return number[sequence]


def _best_fit(lengths: Ints, bounds: Ints, capacity: int) -> Ints:
    """Return the sequence of each trace, where lengths fall in every window; some numbers stay unused."""
    first, last = bounds[:-1], bounds[1:]
    is_end = np.append(np.diff(lengths) != 0, True)
    is_end[last - 1] = True
    run_ends = np.flatnonzero(is_end) + 1
    run_end = np.repeat(run_ends, np.diff(run_ends, prepend=0))
    groups = _Groups(first, last, capacity)
    window, at = np.arange(len(first)), first
    while window.size:
        at = at + groups.fill(window, at, lengths[at], run_end[at] - at)
        going = at < last[window]
        window, at = window[going], at[going]
    return groups.sequences()


class _Groups:
    """The sequences of each window, in groups that were filled alike and so have the same free space.

    A fill makes a group, named by the first of the traces that it lays down. What a window has not opened yet is one
    group more, named behind all traces. The groups of one window and space are a stack: `top`, then `below`.
    """

    def __init__(self, first: Ints, last: Ints, capacity: int) -> None:
        num_windows, self.num_traces = len(first), int(last[-1])
        unopened = np.arange(num_windows) + self.num_traces
        num_groups = self.num_traces + num_windows
        self.start, self.size = np.zeros(num_groups, np.int64), np.zeros(num_groups, np.int64)
        # A sequence has a trace at least, so these never run out, and no two windows share a number.
        self.start[unopened], self.size[unopened] = first, last - first + 1
        self.below = np.full(num_groups, NONE)
        self.top = np.full((num_windows, capacity + 1), NONE, np.int32)
        self.top[:, capacity] = unopened
        self.spaces = _Spaces(num_windows, capacity)
        self.spaces.add(np.arange(num_windows), np.full(num_windows, capacity))
        self.fill_start, self.fill_size, self.fill_depth = np.zeros((3, self.num_traces), np.int64)

    def fill(self, window: Ints, trace: Ints, length: Ints, most: Ints) -> Ints:
        """Lay down up to `most` traces of a length in each window, the first called `trace`; return how many."""
        space = self.spaces.least(window, length)
        group = self.top[window, space].astype(np.int64)
        depth = np.minimum(space // length, most)
        size = np.minimum(self.size[group], most // depth)
        self.fill_start[trace], self.fill_size[trace], self.fill_depth[trace] = self.start[group], size, depth
        self.start[group] += size
        self.size[group] -= size
        gone = np.flatnonzero(self.size[group] == 0)
        self._pop(window[gone], space[gone], group[gone])
        self.start[trace], self.size[trace] = self.fill_start[trace], size
        self._push(window, space - depth * length, trace)
        return size * depth

    def _pop(self, window: Ints, space: Ints, group: Ints) -> None:
        below = self.below[group]
        self.top[window, space] = below
        empty = below == NONE
        self.spaces.remove(window[empty], space[empty])

    def _push(self, window: Ints, space: Ints, group: Ints) -> None:
        below = self.top[window, space]
        self.below[group] = below
        self.top[window, space] = group
        new = (below == NONE) & (space > 0)
        self.spaces.add(window[new], space[new])

    def sequences(self) -> Ints:
        """Return the sequence of each trace: a fill's traces are dealt out in rows of its depth."""
        fill = np.flatnonzero(self.fill_size)
        size, depth = self.fill_size[fill], self.fill_depth[fill]
        number = np.arange(self.num_traces) - np.repeat(fill, size * depth)
        return np.repeat(self.fill_start[fill], size * depth) + number // np.repeat(depth, size * depth)


class _Spaces:
    """Which amounts of free space a window has, as bits: a level's bit says that a word of the level below has any."""

    def __init__(self, num_windows: int, capacity: int) -> None:
        self.levels: list[NDArray[np.uint64]] = []
        size = capacity + 1
        while not self.levels or size > 1:
            size = -(-size // 64)
            self.levels.append(np.zeros((num_windows, size), np.uint64))

    def add(self, window: Ints, space: Ints) -> None:
        for level in self.levels:
            space, bit = space >> 6, ONE << (space & 63).astype(np.uint64)
            level[window, space] |= bit

    def remove(self, window: Ints, space: Ints) -> None:
        for level in self.levels:
            space, bit = space >> 6, ONE << (space & 63).astype(np.uint64)
            level[window, space] &= ~bit
            empty = level[window, space] == 0
            window, space = window[empty], space[empty]

    def least(self, window: Ints, space: Ints, level: int = 0) -> Ints:
        """Return the least space that a window has and that is not below the given; there must be one."""
        words, word = self.levels[level], space >> 6
        bits = words[window, word] & (ALL << (space & 63).astype(np.uint64))
        none = np.flatnonzero(bits == 0)
        if none.size:
            word[none] = self.least(window[none], word[none] + 1, level + 1)
            bits[none] = words[window[none], word[none]]
        lowest = np.bitwise_count((bits & (~bits + ONE)) - ONE)
        return (word << 6) + lowest
