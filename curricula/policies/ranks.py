"""Ranks, and orders made of them."""

from __future__ import annotations

import numpy as np

from gradus.curricula.candidates import Floats, Ints


def ranks_within(groups: Ints, values: Floats) -> Ints:
    """Return for each row how many of its group come before it, by value and then as they stand."""
    order = np.lexsort((values, groups))
    sorted_groups = groups[order]
    new = np.flatnonzero(np.diff(sorted_groups, prepend=sorted_groups[:1] - 1))
    ranks = np.empty(len(groups), np.int64)
    ranks[order] = np.arange(len(groups)) - np.repeat(new, np.diff(new, append=len(groups)))
    return ranks


def admitted(values: Floats, review: float) -> tuple[Floats, Floats]:
    """Return order and spread: a row is admitted when as large a share of the stage has passed as has lesser values.

    With review = 1 it may then come at any time until the end, so that what came first stays in play and the last
    sequences hold something of everything; with 0 values are sorted strictly.
    """
    order = np.searchsorted(np.sort(values), values) / max(len(values), 1)
    return order, review * (1 - order)


def check_review(review: float) -> None:
    """Raise ValueError unless a share."""
    if not 0 <= review <= 1:
        raise ValueError(f"review must be from 0 to 1, not {review}")
