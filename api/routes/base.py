"""What routes need: the workspace, its newest snapshot, and answers that are read from it.

Answers carry an ETag: a snapshot never changes, so what `If-None-Match` names need not be read again, and a page that
was asked for before is not made twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field, create_model

from gradus.api.kept import snapshot_tag
from gradus.api.lister import Lister
from gradus.api.negotiation import FormatDep
from gradus.api.snapshots import Snapshots
from gradus.api.sql.formats import MEDIA_TYPES
from gradus.engine.store import Store
from gradus.engine.workspace import Workspace

Domain = Literal["math", "code", "instruction", "stem", "tool"]
Outcome = Literal["pass", "fail", "unparseable", "verifier_error"]
Name = Annotated[str | None, Field(max_length=200)]
Text = Annotated[str | None, Field(min_length=1, max_length=200, description="large and small letters are the same")]
Rate = Annotated[float | None, Field(ge=0, le=1)]
ETAG = {"ETag": {"description": "another where the answer may be another", "schema": {"type": "string"}}}
LINK = {"Link": {"description": 'the next page, `rel="next"`; not on the last', "schema": {"type": "string"}}}
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {
    304: {"description": "it is what `If-None-Match` names", "headers": ETAG}
}


async def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


async def _snapshots(request: Request) -> Snapshots:
    snapshots: Snapshots = request.app.state.snapshots
    return snapshots


WorkspaceDep = Annotated[Workspace, Depends(_workspace)]
SnapshotsDep = Annotated[Snapshots, Depends(_snapshots)]


def _store(snapshots: SnapshotsDep) -> Iterator[Store]:
    with snapshots.read() as snapshot:
        yield snapshot.store


StoreDep = Annotated[Store, Depends(_store)]
"""The newest snapshot, open for this request."""


def unless_same(request: Request, response: Response, tag: str) -> None:
    """Give the answer its ETag; answer 304 where the client has it."""
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag.removeprefix("W/") in known:
        raise HTTPException(304, headers={"ETag": tag, "Vary": "Accept"})
    request.state.tag = response.headers["ETag"] = tag


async def unless_known(request: Request, response: Response, snapshots: SnapshotsDep) -> None:
    """Answer 304 where the client has what the newest snapshot gives; for routers that read snapshots alone."""
    unless_same(request, response, snapshot_tag(snapshots.newest()))


async def _lister(request: Request, snapshots: SnapshotsDep, format: FormatDep) -> Lister:
    return Lister(request, snapshots, format)


ListerDep = Annotated[Lister, Depends(_lister)]


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
