"""Pages of the rows of a key, which the store finds by where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradus.api.lister import Read
from gradus.api.listings import Listing, Page, read_pages
from gradus.api.snapshots import Snapshot


def found_by(column: str, value: str | None) -> Read:
    """Return how to read pages of the rows whose column is value, or of all where there is none."""

    def read(snapshot: Snapshot, listing: Listing, filters: Mapping[str, Any], **page: Any) -> list[Page]:
        places = None if value is None else snapshot.store.places(listing.table, column, [value])
        return read_pages(snapshot, listing, {**filters, "places": places}, **page)

    return read
