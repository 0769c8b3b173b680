"""Problems: list and read them."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, HTTPException

from gradus.api.routes.base import Cursor, Limit, Page, WorkspaceDep, after, page
from gradus.engine.store import open_snapshot

router = APIRouter(tags=["problems"])


@router.get("/problems")
def list_problems(
    workspace: WorkspaceDep,
    domain: str | None = None,
    tag: str | None = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page:
    """Return problems in the order of their ids."""
    parameters = {"after": after(cursor), "domain": domain, "tag": tag, "limit": limit + 1}
    with open_snapshot(workspace) as store:
        return page([_problem(row) for row in store.named("page_problems", parameters)], limit, "id")


@router.get("/problems/{id}")
def read_problem(id: str, workspace: WorkspaceDep) -> dict[str, Any]:
    """Return one problem by its id, with its attempts' counts by model."""
    with open_snapshot(workspace) as store:
        rows = store.rows("SELECT * FROM problems WHERE id = $id", {"id": id})
        difficulty = store.rows("SELECT * FROM difficulty WHERE problem_id = $id", {"id": id})
    if not rows:
        raise HTTPException(404, f"no problem {id!r}; GET /v1/problems lists them")
    return _problem(rows[0]) | {"difficulty": difficulty}


def _problem(row: dict[str, Any]) -> dict[str, Any]:
    return row | {"spec": json.loads(row["spec"])}
