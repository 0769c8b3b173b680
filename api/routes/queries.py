"""Saved queries: list, read, put, delete and run them by name."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.config import JsonDict

from gradus.api.routes.answers import RESPONSES, Accept, Asked, respond
from gradus.api.routes.base import WorkspaceDep
from gradus.api.sql import saved
from gradus.api.sql.query import MAX_SQL_CHARS
from gradus.api.sql.saved import Parameter, SavedQuery
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

router = APIRouter(tags=["queries"])
EXAMPLE: JsonDict = {
    "sql": "SELECT id, prompt FROM problems WHERE domain = $domain ORDER BY id",
    "description": "The problems of one domain.",
    "parameters": [{"name": "domain", "type": "text", "required": False, "default": "math"}],
}


class DeclaredParameter(BaseModel):
    """A parameter of a saved query: `$name` in its SQL."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(pattern=r"^[A-Za-z_]\w*$")
    type: saved.Kind
    required: StrictBool = True
    default: Any = None
    description: str = ""


class PutQuery(BaseModel):
    """A query to save; its parameters are exactly those of its SQL."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [EXAMPLE]})
    sql: str = Field(min_length=1, max_length=MAX_SQL_CHARS)
    description: str = Field(default="", max_length=1000)
    parameters: list[DeclaredParameter] = []


@router.get("/queries")
def list_queries(workspace: WorkspaceDep) -> list[SavedQuery]:
    """Return every saved query: those that come with Gradus and those of the workspace."""
    return saved.list_queries(workspace)


@router.get("/queries/{name}")
def read_query(name: str, workspace: WorkspaceDep) -> SavedQuery:
    """Return one saved query."""
    return _find(workspace, name)


@router.put("/queries/{name}")
def put_query(name: str, request: PutQuery, workspace: WorkspaceDep) -> SavedQuery:
    """Save a query in the workspace; one of the same name is replaced. It is checked first, as if it were run."""
    parameters = tuple(Parameter(**one.model_dump()) for one in request.parameters)
    query = SavedQuery(name=name, sql=request.sql, description=request.description, parameters=parameters)
    return saved.save(workspace, query)


@router.delete("/queries/{name}", status_code=204)
def delete_query(name: str, workspace: WorkspaceDep) -> None:
    """Delete a query of the workspace; what comes with Gradus stays."""
    _find(workspace, name)
    saved.delete(workspace, name)


@router.post("/queries/{name}/run", response_class=StreamingResponse, responses=RESPONSES)
def run_query(name: str, request: Asked, workspace: WorkspaceDep, accept: Accept = "") -> StreamingResponse:
    """Run a saved query with values for its parameters; formats and limits are those of /v1/sql."""
    query = _find(workspace, name)
    values = saved.bind(query, request.parameters)
    return respond(workspace, query.sql, values, limits=request.limits, accept=accept)


def _find(workspace: Workspace, name: str) -> SavedQuery:
    try:
        return saved.find_query(workspace, name)
    except ConfigError as error:
        raise HTTPException(404, str(error)) from None
