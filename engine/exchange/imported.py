"""Imported traces. Nobody of ours has verified their answers: a recipe has to ask for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gradus.engine.records import HELDOUT, Trace
from gradus.engine.store import Store, stored_trace


def imported_traces(store: Store, domains: Sequence[str] | None = None, *, limit: int | None = None) -> Iterator[Trace]:
    """Yield those that cleaning did not drop, at most limit of each teacher and domain, in the order of their ids."""
    if domains is not None and not domains:
        return
    chosen = None if domains is None else list(domains)
    parameters = {"domains": chosen, "heldout": HELDOUT, "limit": limit}
    yield from map(stored_trace, store.stream("imported", parameters))
