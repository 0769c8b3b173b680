"""Lay traces side by side in sequences of one length, without splitting any or losing their order.

Best fit within a window: a trace goes into the fullest of the last few open sequences that has room,
so training order is kept up to the window.
"""

from __future__ import annotations

from collections.abc import Sequence

WINDOW = 64
"""Open sequences; a larger window packs tighter and mixes the order more."""


def pack(lengths: Sequence[int], context_length: int, *, window: int = WINDOW) -> list[list[int]]:
    """Return sequences of indices into lengths. Every length must fit the context."""
    closed: list[list[int]] = []
    opened: list[tuple[list[int], int]] = []  # (rows, free tokens), oldest first
    for row, length in enumerate(lengths):
        if length > context_length:
            raise ValueError(f"trace {row} has {length} tokens, more than {context_length}")
        fitting = [i for i, (_, free) in enumerate(opened) if free >= length]
        if fitting:
            best = min(fitting, key=lambda i: opened[i][1])
            rows, free = opened[best]
            rows.append(row)
            opened[best] = rows, free - length
            continue
        opened.append(([row], context_length - length))
        if len(opened) > window:
            closed.append(opened.pop(0)[0])
    return closed + [rows for rows, _ in opened]
