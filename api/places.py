"""Pages of the rows of a key, which the store finds by where they stand."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gradus.api.listings import Cursor, Listing, read_page
from gradus.api.negotiation import Table
from gradus.api.snapshots import Snapshot

Read = Callable[..., tuple[Table, Cursor | None]]


def found_by(column: str, value: str | None) -> Read:
    """Return how to read pages of the rows whose column is value, or of all where there is none."""

    def read(
        snapshot: Snapshot, listing: Listing, filters: Mapping[str, Any], *, limit: int, cursor: Cursor | None
    ) -> tuple[Table, Cursor | None]:
        places = None if value is None else snapshot.store.places(listing.table, column, [value])
        return read_page(snapshot, listing, {**filters, "places": places}, limit=limit, cursor=cursor)

    return read
