"""Difficulty: pass@k with its interval, per problem, model and sampler."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from gradus.api.routes.base import Cursor, Limit, Page, WorkspaceDep, after, page
from gradus.engine.store import open_snapshot

router = APIRouter(tags=["difficulty"])
Rate = Annotated[float, Query(ge=0, le=1)]


@router.get("/difficulty")
def list_difficulty(
    workspace: WorkspaceDep,
    domain: str | None = None,
    model: str | None = None,
    min_rate: Rate = 0.0,
    max_rate: Rate = 1.0,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Page:
    """Return the difficulty of problems, inside a band of pass@1."""
    parameters = {"after": after(cursor), "domain": domain, "model": model, "limit": limit + 1}
    with open_snapshot(workspace) as store:
        rows = store.named("page_difficulty", parameters | {"low": min_rate, "high": max_rate})
    return page(rows, limit, "key")


@router.get("/difficulty/summary")
def summary(workspace: WorkspaceDep) -> dict[str, Any]:
    """Return pass rates by domain and model, a histogram, and the funnel."""
    with open_snapshot(workspace) as store:
        return {
            "pass_rates": store.rows("FROM pass_rates ORDER BY ALL"),
            "histogram": store.named("histogram"),
            "funnel": store.rows("FROM funnel"),
        }
