"""What routes need: the workspace, its newest snapshot, and answers that are read from it.

Answers carry an ETag: a snapshot never changes, so what `If-None-Match` names need not be read again, and a page that
was asked for before is not made twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Annotated, Any, Literal
from urllib.parse import parse_qsl, urlencode

from fastapi import Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, create_model

from gradus.api.faults import Fault
from gradus.api.listings import Cursor, Listing, read_cursor, read_page
from gradus.api.negotiation import FormatDep, Table, encode
from gradus.api.snapshots import Snapshots
from gradus.api.sql.formats import MEDIA_TYPES
from gradus.engine.store import Store
from gradus.engine.workspace import Workspace

Domain = Literal["math", "code", "instruction", "stem", "tool"]
Outcome = Literal["pass", "fail", "unparseable", "verifier_error"]
Name = Annotated[str | None, Field(max_length=200)]
Text = Annotated[str | None, Field(min_length=1, max_length=200, description="large and small letters are the same")]
Rate = Annotated[float | None, Field(ge=0, le=1)]
Read = Callable[..., tuple[Table, Cursor | None]]
ETAG = {"ETag": {"description": "another where the answer may be another", "schema": {"type": "string"}}}
LINK = {"Link": {"description": 'the next page, `rel="next"`; not on the last', "schema": {"type": "string"}}}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "it is what `If-None-Match` names", "headers": ETAG}
}


def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


def _snapshots(request: Request) -> Snapshots:
    snapshots: Snapshots = request.app.state.snapshots
    return snapshots


WorkspaceDep = Annotated[Workspace, Depends(_workspace)]
SnapshotsDep = Annotated[Snapshots, Depends(_snapshots)]


def _store(snapshots: SnapshotsDep) -> Iterator[Store]:
    with snapshots.read() as snapshot:
        yield snapshot.store


StoreDep = Annotated[Store, Depends(_store)]
"""The newest snapshot, open for this request."""


class Paged(BaseModel):
    """What every list takes beside its filters."""

    model_config = ConfigDict(extra="forbid")
    limit: int = Field(default=100, ge=1, le=1000, description="rows a page")
    cursor: str | None = Field(default=None, max_length=2000, description="`next` of the page before")

    def filters(self) -> dict[str, Any]:
        """Return the parameters of the list's SQL."""
        return self.model_dump(exclude={"limit", "cursor"})


def unless_same(request: Request, response: Response, tag: str) -> None:
    """Give the answer its ETag; answer 304 where the client has it."""
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag.removeprefix("W/") in known:
        raise HTTPException(304, headers={"ETag": tag, "Vary": "Accept"})
    request.state.tag = response.headers["ETag"] = tag


def unless_known(request: Request, response: Response, snapshots: SnapshotsDep) -> None:
    """Answer 304 where the client has what the newest snapshot gives; for routers that read snapshots alone."""
    unless_same(request, response, f'W/"{snapshots.newest()}"')


class Lister:
    """Answers one request with a page, in the format that the client likes."""

    def __init__(self, request: Request, snapshots: SnapshotsDep, format: FormatDep) -> None:
        self._request, self._snapshots, self._format = request, snapshots, format

    def page(self, listing: Listing, query: Paged, read: Read = read_page) -> Response:
        """Return one page of a listing."""
        cursor = read_cursor(listing, query.cursor) if query.cursor else None
        pinned = cursor.version if cursor and listing.moves else None
        if pinned and not self._snapshots.exists(pinned):
            raise Fault(410, "the snapshot that this cursor walks is gone; begin again without a cursor")
        asked = self._request.url.path, self._request.url.query, self._format
        with self._snapshots.read(pinned) as snapshot:
            body, links = snapshot.pages.get(asked) or (None, {})
            if body is None:
                table, following = read(snapshot, listing, query.filters(), limit=query.limit, cursor=cursor)
                body, links = self._encoded(table, following)
                snapshot.pages.put(asked, body, links)
        headers = {"Vary": "Accept", "ETag": self._request.state.tag, "X-Content-Type-Options": "nosniff"}
        return Response(body, headers=headers | links, media_type=MEDIA_TYPES[self._format])

    def _encoded(self, table: Table, following: Cursor | None) -> tuple[bytes, dict[str, str]]:
        if following is None:
            return encode(table, self._format, None), {}
        cursor = following.text()
        others = [(name, value) for name, value in parse_qsl(self._request.url.query) if name != "cursor"]
        target = f"{self._request.url.path}?{urlencode([*others, ('cursor', cursor)])}"
        return encode(table, self._format, cursor), {"Link": f'<{target}>; rel="next"'}


ListerDep = Annotated[Lister, Depends()]


def page_of(row: type[BaseModel]) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says of a page of such rows."""
    shape: dict[str, Any] = {"rows": (list[row], ...), "next": (str | None, ...)}  # type: ignore[valid-type]
    page = create_model(
        f"{row.__name__}s", __doc__="A page: rows, and the cursor of the next, null on the last.", **shape
    )
    others: dict[str, Any] = {
        media.partition(";")[0]: {} for media in MEDIA_TYPES.values() if media != MEDIA_TYPES["json"]
    }
    return {200: {"model": page, "description": "rows", "content": others, "headers": ETAG | LINK}} | NOT_MODIFIED
