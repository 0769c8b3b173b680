"""Attempts: what models answered, with what the verifier said of it."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gradus.api.faults import Fault
from gradus.api.judged import read_judged
from gradus.api.kept import Listed
from gradus.api.lister import Paged
from gradus.api.listings import Listing
from gradus.api.routes.base import NOT_MODIFIED, ListerDep, Name, Outcome, StoreDep, Text, page_of, unless_known
from gradus.api.routes.verdicts import VerdictRow

router = APIRouter(tags=["attempts"], route_class=Listed, dependencies=[Depends(unless_known)])
ALL = Listing(name="page_attempts", table="attempts", start={"place": -1})


class AttemptFacts(BaseModel):
    """One answer of one model."""

    id: str
    problem_id: str
    model_id: str
    policy_version: str
    sampler: str
    index: int
    seed: int
    answer: str
    tokens_in: int
    tokens_out: int
    seconds: float
    finish_reason: str
    failed_attempt_id: str | None = Field(description="set on corrections: the attempt that they correct")


class AttemptRow(AttemptFacts):
    """An attempt with the newest verdict of its problem's verifier; null where there is none yet."""

    outcome: Outcome | None
    score: float | None
    reason: str | None


class WholeAttempt(AttemptFacts):
    """An attempt with its messages, its tokens, and every verdict on it."""

    messages: list[dict[str, Any]]
    sampling: dict[str, Any]
    token_ids: list[int]
    token_logprobs: list[float]
    verdicts: list[VerdictRow]


class AttemptQuery(Paged):
    """Filters; text looks into the answer, correction chooses those that were shown a failed attempt, or the others."""

    problem: Name = None
    model: Name = None
    policy: Name = None
    sampler: Name = None
    finish_reason: Name = None
    correction: bool | None = None
    outcome: Outcome | None = None
    text: Text = None


@router.get("/attempts", response_class=Response, responses=page_of(AttemptRow))
def list_attempts(query: Annotated[AttemptQuery, Query()], lister: ListerDep) -> Response:
    """Return attempts in the order in which they came in. With an outcome, a page before the last may be short."""
    return lister.page(ALL, query, read_judged)


@router.get("/attempts/{id}", responses=NOT_MODIFIED)
def read_attempt(id: str, store: StoreDep) -> WholeAttempt:
    """Return one attempt by its id, with every verdict on it."""
    rows = store.rows_of("attempts", "id", [id])
    if not rows:
        raise Fault(404, f"no attempt {id!r}; GET /v1/attempts lists them")
    verdicts = store.rows_of("verdicts", "attempt_id", [id])
    told = {column: json.loads(rows[0][column]) for column in ("messages", "sampling")}
    return WholeAttempt(**rows[0] | told | {"verdicts": verdicts})
