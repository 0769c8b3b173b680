"""Users' SQL, read-only, on the newest snapshot."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from gradus.api.routes.base import WorkspaceDep
from gradus.api.sqlguard import SQLLimits, query

router = APIRouter(tags=["sql"])
EXAMPLE = "select domain, count(*) as problems, avg(pass_at_1) as pass_at_1 from difficulty group by 1"


class SQLRequest(BaseModel):
    """One SELECT; `$name` in it is bound from parameters."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"query": EXAMPLE}]})
    query: str = Field(min_length=1, max_length=20_000)
    parameters: dict[str, Any] = {}


class SQLAnswer(BaseModel):
    """truncated: there were more rows than are returned."""

    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool


@router.post("/sql")
def run_sql(request: SQLRequest, workspace: WorkspaceDep) -> SQLAnswer:
    """Run one SELECT."""
    answer = query(workspace, request.query, request.parameters, limits=SQLLimits())
    return SQLAnswer(columns=answer.columns, rows=answer.rows, truncated=answer.truncated)
