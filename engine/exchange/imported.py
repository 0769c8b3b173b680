"""Imported traces for a curriculum. Nobody of ours has verified their answers: a recipe has to ask for them."""

from __future__ import annotations

from collections.abc import Sequence

from gradus.engine.records import HELDOUT, Trace
from gradus.engine.store import Store, stored_trace


def imported_traces(store: Store, domains: Sequence[str]) -> list[Trace]:
    """Return those of some domains that cleaning did not drop, in the order of their ids."""
    if not domains:
        return []
    return [stored_trace(row) for row in store.named("imported", {"domains": list(domains), "heldout": HELDOUT})]
