"""Answers lists page by page, and reads ahead for those who walk them.

Whoever asks for the page after the last one that was read gets it in one query with those that follow: twice as many
as the time before, as long as they are small. Ten pages in one query cost about a third of ten queries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from fastapi import Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from gradus.api.faults import Fault
from gradus.api.kept import Key, key_of, page_response
from gradus.api.listings import Listing, Page, read_cursor, read_pages
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
        self._path = request.url.path
        self._filters = [(name, value) for name, value in parse_qsl(request.url.query) if name != "cursor"]
        self._request, self._snapshots, self._format = request, snapshots, format

    def page(self, listing: Listing, query: Paged, read: Read = read_pages) -> Response:
        """Return one page of a listing."""
        cursor = read_cursor(listing, query.cursor) if query.cursor else None
        pinned = cursor.version if cursor and listing.moves else None
        if pinned and not self._snapshots.exists(pinned):
            raise Fault(410, "the snapshot that this cursor walks is gone; begin again without a cursor")
        with self._snapshots.read(pinned) as snapshot:
            asked = key_of(self._request.scope, self._format)
            found = snapshot.pages.get(asked)
            if found is None:
                num = snapshot.pages.due(asked)
                how = {"num_pages": num, "as_texts": bool(listing.texts) and self._format in ("json", "ndjson")}
                pages = read(snapshot, listing, query.filters(), limit=query.limit, cursor=cursor, **how)
                found = self._keep(snapshot, asked, pages)
        return page_response(*found, self._format, self._request.state.tag)

    def _keep(self, snapshot: Snapshot, asked: Key, pages: list[Page]) -> tuple[bytes, dict[str, str]]:
        """Keep pages that follow each other; return the first."""
        answers = []
        for table, following in pages:
            here, cursor = asked, following.text() if following else None
            body, links = encode(table, self._format, cursor), dict[str, str]()
            if cursor:
                query = urlencode([*self._filters, ("cursor", cursor)])
                links["Link"] = f'<{self._path}?{query}>; rel="next"'
                asked = self._path, query.encode(), self._format
            snapshot.pages.put(here, body, links)
            answers.append((body, links))
        if cursor:
            most = AHEAD_BYTES // max(len(body) for body, _ in answers)
            snapshot.pages.expect(asked, max(1, min(2 * len(pages), most)))
        return answers[0]
