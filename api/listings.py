"""Lists of the store, read page by page in the order in which records came in.

A cursor names the last row of a page by its place in the table and its key. In the snapshot that it was made for, the
place is enough; in another one the row is found by its key, where the database was built anew. Where rows move, as
those of `difficulty` do when they are computed again, a list stays on the snapshot that it began with.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from gradus.api.faults import Fault
from gradus.api.negotiation import Table
from gradus.api.snapshots import Snapshot
from gradus.engine.store import SQL
from gradus.errors import DataError

MAX_PLACE = (1 << 63) - 1
VERSION = re.compile("[0-9a-f]{1,64}")


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: in which snapshot, after which place, at the row of which key."""

    version: str
    places: tuple[float, ...]
    key: tuple[str, ...]

    def text(self) -> str:
        """Return it as clients see it."""
        return base64.urlsafe_b64encode(json.dumps([self.version, self.places, self.key]).encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A list: `sql/<name>.sql` takes the last row's place, $limit and the filters; places are its first columns."""

    name: str
    table: str
    key: tuple[str, ...] = ("id",)
    """The columns that tell rows apart."""
    start: Mapping[str, float]
    """The place before all rows, by parameter."""
    objects: frozenset[str] = frozenset()
    """Columns that hold JSON as text."""
    moves: bool = False
    """Do rows of other snapshots stand at other places?"""


def read_cursor(listing: Listing, text: str) -> Cursor:
    """Return the cursor that a client sent back."""
    try:
        version, places, key = json.loads(base64.b64decode(text.encode(), altchars=b"-_", validate=True))
        fits = len(places) == len(listing.start) and len(key) == len(listing.key) and isinstance(version, str)
        numbers = all(type(place) in (int, float) and abs(place) <= MAX_PLACE for place in places)
        if not (fits and numbers and VERSION.fullmatch(version) and all(isinstance(part, str) for part in key)):
            raise ValueError
    except (ValueError, TypeError):
        raise DataError(f"cursor {text!r} is not one of ours; use `next` of the page before") from None
    return Cursor(version, tuple(places), tuple(key))


def read_page(
    snapshot: Snapshot, listing: Listing, filters: Mapping[str, Any], *, limit: int, cursor: Cursor | None
) -> tuple[Table, Cursor | None]:
    """Return a page of rows, and where the next one begins if there is one."""
    places = _places(snapshot, listing, cursor) if cursor else listing.start
    found = snapshot.store.execute(_sql(listing.name), {**filters, **places, "limit": limit + 1})
    columns = [(name, str(kind)) for name, kind, *_ in found.description or ()]
    rows = found.fetchall()
    names = [name for name, _ in columns]
    following = None
    if len(rows) > limit:
        last = dict(zip(names, rows[limit - 1], strict=True))
        key = tuple(last[column] for column in listing.key)
        following = Cursor(snapshot.version, tuple(last[place] for place in listing.start), key)
    kept = len(listing.start)
    types = [kind for _, kind in columns[kept:]]
    return Table(names[kept:], types, [row[kept:] for row in rows[:limit]], listing.objects), following


def _places(snapshot: Snapshot, listing: Listing, cursor: Cursor) -> dict[str, float]:
    """Return the parameters that begin after a cursor."""
    places = dict(zip(listing.start, cursor.places, strict=True))
    if cursor.version == snapshot.version:
        return places
    same_key = " AND ".join(f"{column} = ${column}" for column in listing.key)
    query = f"SELECT rowid AS place FROM {listing.table} WHERE {same_key}"
    key = dict(zip(listing.key, cursor.key, strict=True))
    there = snapshot.store.rows(f"{query} AND rowid = $place", key | places) or snapshot.store.rows(query, key)
    if not there:
        raise Fault(410, "the row that this cursor stands at is gone; begin again without a cursor")
    return {"place": there[0]["place"]}


@cache
def _sql(name: str) -> str:
    return (SQL / f"{name}.sql").read_text()
