"""Traces: the conversations that training learns from."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gradus.api.faults import Fault
from gradus.api.kept import Listed
from gradus.api.lister import Paged
from gradus.api.listings import Listing
from gradus.api.places import found_by
from gradus.api.routes.base import (
    NOT_MODIFIED,
    Domain,
    ListerDep,
    Name,
    StoreDep,
    Text,
    page_of,
    unless_known,
)

router = APIRouter(tags=["traces"], route_class=Listed, dependencies=[Depends(unless_known)])
ALL = Listing(name="page_traces", table="traces", start={"place": -1}, objects=frozenset({"messages"}))
Kind = Literal["cot", "correction", "imported"]


class TraceRow(BaseModel):
    """What training sees: a conversation whose last turn is verified."""

    id: str
    kind: Kind
    domain: str
    messages: list[dict[str, Any]]
    learn: list[bool] = Field(description="one a message: does training learn to say it?")
    problem_id: str
    attempt_id: str
    failed_attempt_id: str | None
    teacher: str


class Left(BaseModel):
    """Why a step left a record out."""

    step: str
    reason: str


class TraceWithDrops(TraceRow):
    """A trace, and the steps that leave it out of curricula."""

    dropped: list[Left]


class TraceQuery(Paged):
    """Filters; text looks into the messages."""

    kind: Kind | None = None
    domain: Domain | None = None
    teacher: Name = None
    problem: Name = None
    text: Text = None

    def filters(self) -> dict[str, Any]:
        return self.model_dump(exclude={"limit", "cursor", "problem"})


@router.get("/traces", response_class=Response, responses=page_of(TraceRow))
def list_traces(query: Annotated[TraceQuery, Query()], lister: ListerDep) -> Response:
    """Return traces in the order in which they came in, left-out ones, too."""
    return lister.page(ALL, query, found_by("problem_id", query.problem))


@router.get("/traces/{id}", responses=NOT_MODIFIED)
def read_trace(id: str, store: StoreDep) -> TraceWithDrops:
    """Return one trace by its id, with the steps that leave it out."""
    rows = store.rows_of("traces", "id", [id])
    if not rows:
        raise Fault(404, f"no trace {id!r}; GET /v1/traces lists them")
    dropped = store.rows("SELECT step, reason FROM dropped WHERE record_id = $id ORDER BY ALL", {"id": id})
    return TraceWithDrops(**rows[0] | {"messages": json.loads(rows[0]["messages"]), "dropped": dropped})
