"""What routes need: the workspace, and pages of rows behind opaque cursors."""

from __future__ import annotations

import base64
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import BaseModel

from gradus.engine.workspace import Workspace
from gradus.errors import DataError


def _workspace(request: Request) -> Workspace:
    workspace: Workspace = request.app.state.workspace
    return workspace


WorkspaceDep = Annotated[Workspace, Depends(_workspace)]
Limit = Annotated[int, Query(ge=1, le=1000, description="rows a page")]
Cursor = Annotated[str | None, Query(description="`next` of the page before")]


class Page(BaseModel):
    """Rows, and the cursor of the next page; null on the last."""

    rows: list[dict[str, Any]]
    next: str | None


def page(rows: list[dict[str, Any]], limit: int, key: str) -> Page:
    """Make a page of rows that were asked for one beyond the limit, ordered by key."""
    more = len(rows) > limit
    last = str(rows[limit - 1][key]) if more else ""
    return Page(rows=rows[:limit], next=base64.urlsafe_b64encode(last.encode()).decode() if more else None)


def after(cursor: str | None) -> str:
    """Return the key that a cursor stands for; the empty string begins."""
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode() if cursor else ""
    except ValueError:
        raise DataError(f"cursor {cursor!r} is not one of ours; use `next` of the page before") from None
