"""Users' SQL, read-only, on the newest snapshot."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from threading import Thread
from typing import Any

from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from gradus.api.routes.answers import RESPONSES, Accept, Asked, respond
from gradus.api.routes.base import WorkspaceDep
from gradus.api.sql import workers
from gradus.api.sql.query import MAX_SQL_CHARS

EXAMPLE: JsonDict = {
    "query": "select domain, count(*) as problems, avg(pass_at_1) as pass_at_1 from difficulty group by 1",
    "max_rows": 100,
}


@asynccontextmanager
async def _ready(_: Any) -> AsyncIterator[None]:
    """Start the process that answers queries beside the server: the first query need not wait for it."""
    Thread(target=workers.zygote, daemon=True).start()
    yield


router = APIRouter(tags=["sql"], lifespan=_ready)


class SQLRequest(Asked):
    """One SELECT; `$name` in it is bound from parameters."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})
    query: str = Field(min_length=1, max_length=MAX_SQL_CHARS)


@router.post("/sql", response_class=StreamingResponse, responses=RESPONSES)
def run_sql(request: SQLRequest, workspace: WorkspaceDep, accept: Accept = "") -> StreamingResponse:
    """Run one SELECT; the answer is JSON, NDJSON, CSV, an Arrow stream or Parquet, as Accept says."""
    return respond(workspace, request.query, request.parameters, limits=request.limits, accept=accept)
