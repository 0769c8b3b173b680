"""Pages that were asked for before, answered from memory: without a thread, and without the checks of their route.

A page is kept with the snapshot that it was read from, under its path, query and format, after a request for it passed
all checks of its route. Whoever may read gets the same bytes; everything else is for the route itself.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from starlette.types import Scope

from gradus.api.auth import Actor
from gradus.api.negotiation import liked
from gradus.api.snapshots import Snapshots
from gradus.api.sql.formats import MEDIA_TYPES, Format

Key = tuple[str, bytes, Format]


class Listed(APIRoute):
    """A route of pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return how a request is answered: with the page that is kept, or by the route."""
        make = super().get_route_handler()

        async def answer(request: Request) -> Response:
            return await _kept(request) or await make(request)

        return answer


def key_of(scope: Scope, format: Format) -> Key:
    """Return what the page of a request is kept under."""
    return scope["path"], scope["query_string"], format


def page_response(body: bytes, links: dict[str, str], format: Format, tag: str) -> Response:
    """Return a page as an answer."""
    headers = {"Vary": "Accept", "ETag": tag, "X-Content-Type-Options": "nosniff"}
    return Response(body, headers=headers | links, media_type=MEDIA_TYPES[format])


async def _kept(request: Request) -> Response | None:
    actor: Actor | None = request.state.actor
    if actor is None or "read" not in actor.scopes or "if-none-match" in request.headers:
        return None
    snapshots: Snapshots = request.app.state.snapshots
    wanted = await liked(request)
    version, pages = snapshots.newest_pages()
    found = pages.get(key_of(request.scope, wanted)) if pages else None
    return page_response(*found, wanted, snapshot_tag(version)) if found else None


def snapshot_tag(version: str) -> str:
    """Return the ETag of what a snapshot gives."""
    return f'W/"{version}"'
