"""Where the rows of a key stand: the rowids of a table whose column holds one of some values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradus.api.listings import Cursor, Listing, read_page
from gradus.api.negotiation import Table
from gradus.api.snapshots import Snapshot
from gradus.engine.store import Store

Read = Callable[..., tuple[Table, Cursor | None]]


def find_places(store: Store, table: str, column: str, values: Sequence[str]) -> list[int]:
    """Return the places of the rows whose column is one of values, in order."""
    return store.places(table, column, values)


def found_by(column: str, value: str | None) -> Read:
    """Return how to read pages of the rows whose column is value, or of all where there is none."""

    def read(
        snapshot: Snapshot, listing: Listing, filters: Mapping[str, Any], *, limit: int, cursor: Cursor | None
    ) -> tuple[Table, Cursor | None]:
        places = None if value is None else find_places(snapshot.store, listing.table, column, [value])
        return read_page(snapshot, listing, {**filters, "places": places}, limit=limit, cursor=cursor)

    return read
