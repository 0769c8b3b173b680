"""How routes answer a query: in the format that the client accepts, with what was left out in the headers."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Header, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from gradus.api.sql.formats import MEDIA_TYPES, wanted_format
from gradus.api.sql.query import Limits, ask, stream
from gradus.engine.workspace import Workspace

Accept = Annotated[str, Header(description=f"one of {', '.join(MEDIA_TYPES.values())}; JSON if it is not given")]
HEADERS = {
    "Gradus-Rows": {"description": "how many rows the answer has", "schema": {"type": "integer"}},
    "Gradus-Truncated": {
        "description": "which limit left rows out, if one did; NDJSON, which begins before its end is known, "
        'says so in a last line instead: `{"_end": {"truncated": "rows", "rows": 10000}}`',
        "schema": {"type": "string", "enum": ["no", "rows", "bytes"]},
    },
}


class SQLAnswer(BaseModel):
    """truncated: there were more rows than are returned."""

    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool


class Asked(BaseModel):
    """What every query takes: values for its parameters, and limits."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"parameters": {"limit": 3}}]})
    parameters: dict[str, Any] = {}
    max_rows: int = Field(default=10_000, ge=1, le=1_000_000, description="more rows are left out, and that is said")
    timeout_s: float = Field(default=10.0, gt=0, le=60, description="the query is stopped after")

    @property
    def limits(self) -> Limits:
        return Limits(max_rows=self.max_rows, timeout_s=self.timeout_s)


RESPONSES: dict[int | str, dict[str, Any]] = {
    200: {
        "model": SQLAnswer,
        "content": {media.partition(";")[0]: {} for media in MEDIA_TYPES.values() if "/json" not in media},
        "headers": HEADERS,
    }
}


def respond(
    workspace: Workspace, sql: str, parameters: dict[str, Any], *, limits: Limits, accept: str
) -> StreamingResponse:
    """Run a query and return its answer; NDJSON begins before the query has ended."""
    wanted = wanted_format(accept)
    if wanted is None:
        raise HTTPException(406, f"Accept: {accept}: there are {', '.join(MEDIA_TYPES.values())}")
    headers = {"Vary": "Accept", "X-Content-Type-Options": "nosniff"}
    if wanted == "ndjson":
        lines = stream(workspace, sql, parameters, limits=limits)
        return StreamingResponse(lines, media_type=MEDIA_TYPES[wanted], headers=headers)
    answer = ask(workspace, sql, parameters, format=wanted, limits=limits)
    headers |= {"Gradus-Rows": str(answer.num_rows), "Gradus-Truncated": answer.cut}
    return StreamingResponse(answer.chunks(), media_type=MEDIA_TYPES[wanted], headers=headers)
