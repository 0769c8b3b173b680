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
from contextlib import nullcontext
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
FILTER = re.compile(r"\(\$(\w+) IS NULL OR (.*)\)$", re.MULTILINE)
IN_ORDER = "ORDER BY rowid\n"
WHOLE = "rowid AS place, *\n"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page ended: in which snapshot, after which place, at the row of which key."""

    version: str
    places: tuple[float, ...]
    key: tuple[str, ...]

    def text(self) -> str:
        """Return it as clients see it."""
        return base64.urlsafe_b64encode(json.dumps([self.version, self.places, self.key]).encode()).decode()


Page = tuple[Table, Cursor | None]
"""Rows, and where the next page begins if there is one."""


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
    texts: tuple[str, ...] = ()
    """All columns, where the database shall write rows as JSON: fast, but fractions and times as we would not."""


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


def read_pages(
    snapshot: Snapshot,
    listing: Listing,
    filters: Mapping[str, Any],
    *,
    limit: int,
    cursor: Cursor | None,
    num_pages: int = 1,
    as_texts: bool = False,
) -> list[Page]:
    """Return a page of rows, and as many more of those that follow; as_texts with each row as its JSON alone."""
    places = _places(snapshot, listing, cursor) if cursor else listing.start
    given = {name: value for name, value in filters.items() if value is not None}
    query = _sql(listing.name, frozenset(given))
    if as_texts:
        query = query.replace(WHOLE, f"rowid AS place, {', '.join(listing.key)}, {_as_json(listing)}\n")
    with nullcontext(snapshot.store) if "ORDER BY" in query else snapshot.scanning() as store:
        found = store.execute(query, {**given, **places, "limit": limit * num_pages + 1})
        names, types = zip(*((name, str(kind)) for name, kind, *_ in found.description or ()), strict=True)
        rows = found.fetchall()
    pages: list[Page] = []
    kept = -1 if as_texts else len(listing.start)
    for start in range(0, max(1, len(rows) - 1), limit):
        some = rows[start : start + limit]
        table = Table(names[kept:], types[kept:], [row[kept:] for row in some], listing.objects, written=as_texts)
        more = len(rows) > start + limit
        pages.append((table, after(snapshot, listing, dict(zip(names, some[-1], strict=True))) if more else None))
    return pages


def after(snapshot: Snapshot, listing: Listing, last: Mapping[str, Any]) -> Cursor:
    """Return where the page after a row begins."""
    key = tuple(last[column] for column in listing.key)
    return Cursor(snapshot.version, tuple(last[place] for place in listing.start), key)


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


def _as_json(listing: Listing) -> str:
    """Return SQL for a row as JSON.

    Columns that hold JSON are put where empty texts stand under their names; within a text nothing looks like that, for
    quotes follow backslashes there.
    """
    row = ", ".join(f"{name}: {repr('') if name in listing.objects else name}" for name in listing.texts)
    text = f"to_json({{{row}}})::VARCHAR"
    for name in listing.objects:
        text = f"""replace({text}, '"{name}":""', '"{name}":' || coalesce(nullif({name}, ''), 'null'))"""
    return text


@cache
def _sql(name: str, given: frozenset[str]) -> str:
    """Return a list's SQL with the conditions of the given filters alone: to plan the others costs more than a page.

    A scan is in order by itself, and stops at the limit; after a join, as that with $places, rows have to be sorted.
    """
    query = (SQL / f"{name}.sql").read_text()
    query = FILTER.sub(lambda found: found[2] if found[1] in given else "true", query)
    return query if "places" in given else query.replace(IN_ORDER, "")
