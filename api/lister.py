"""Answers lists page by page, and reads ahead for those who walk them.

Once a walk comes to the second half of the pages that were read for it, those that follow are read in the background,
in one query: twice as many as the time before, as long as they are small. Ten pages in one query cost about a third of
ten queries.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from gradus.api.faults import Fault
from gradus.api.kept import Key, key_of, page_response
from gradus.api.listings import Cursor, Listing, Page, read_cursor, read_pages
from gradus.api.negotiation import encode
from gradus.api.snapshots import Snapshot, Snapshots
from gradus.api.sql.formats import Format

AHEAD_BYTES = 512 << 10
Read = Callable[..., list[Page]]


class Paged(BaseModel):
    """What every list takes beside its filters."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=100, ge=1, le=1000, description="rows a page")
    cursor: str | None = Field(default=None, max_length=2000, description="`next` of the page before")

    def filters(self) -> dict[str, Any]:
        """Return the parameters of the list's SQL."""
        return self.model_dump(exclude={"limit", "cursor"})


class Lister:
    """Answers one request with a page, in the format that the client likes."""

    def __init__(self, request: Request, snapshots: Snapshots, format: Format) -> None:
        self._request, self._snapshots, self._format = request, snapshots, format

    def page(self, listing: Listing, query: Paged, read: Read = read_pages) -> Response:
        """Return one page of a listing."""
        cursor = read_cursor(listing, query.cursor) if query.cursor else None
        pinned = cursor.version if cursor and listing.moves else None
        if pinned and not self._snapshots.exists(pinned):
            raise Fault(410, "the snapshot that this cursor walks is gone; begin again without a cursor")
        asked = key_of(self._request.scope, self._format)
        with self._snapshots.read(pinned) as snapshot:
            found = snapshot.pages.get(asked)
            if found is None:
                snapshot.pages.ahead.wait_for(asked)
                found = snapshot.pages.get(asked)
            if found is None:
                walk = Walk(self._snapshots, listing, query, read, asked, self._request.url.query)
                found = walk.read_on(snapshot, asked, cursor, num_pages=1)
        return page_response(*found, self._format, self._request.state.tag)


class Walk:
    """The pages of one list with one set of filters, in one format."""

    def __init__(
        self, snapshots: Snapshots, listing: Listing, query: Paged, read: Read, asked: Key, parameters: str
    ) -> None:
        self._snapshots, self._listing, self._read = snapshots, listing, read
        self._filters, self._limit = query.filters(), query.limit
        self._path, _, self._format = asked
        self._parameters = [(name, value) for name, value in parse_qsl(parameters) if name != "cursor"]

    def read_on(
        self, snapshot: Snapshot, asked: Key, cursor: Cursor | None, *, num_pages: int
    ) -> tuple[bytes, dict[str, str]]:
        """Read and keep pages that follow each other from one that is asked for; return that one."""
        as_texts = bool(self._listing.texts) and self._format in ("json", "ndjson")
        how = {"num_pages": num_pages, "as_texts": as_texts}
        pages = self._read(snapshot, self._listing, self._filters, limit=self._limit, cursor=cursor, **how)
        keys = [asked]
        answers: list[tuple[bytes, dict[str, str]]] = []
        for table, cursor in pages:
            body, links = encode(table, self._format, cursor.text() if cursor else None), dict[str, str]()
            if cursor:
                query = urlencode([*self._parameters, ("cursor", cursor.text())])
                links["Link"] = f'<{self._path}?{query}>; rel="next"'
                keys.append((self._path, query.encode(), self._format))
            snapshot.pages.put(keys[len(answers)], body, links)
            answers.append((body, links))
        if cursor:
            most = AHEAD_BYTES // max(len(body) for body, _ in answers)
            num_pages = max(1, min(2 * len(pages), most))
            run = partial(self._run, snapshot.version, keys[-1], cursor, num_pages)
            snapshot.pages.ahead.plan(keys[(len(pages) + 1) // 2], keys[-1], run)
        return answers[0]

    def _run(self, version: str, asked: Key, cursor: Cursor, num_pages: int) -> None:
        """Read on after the request that planned it has ended."""
        with self._snapshots.read(version) as snapshot:
            self.read_on(snapshot, asked, cursor, num_pages=num_pages)
