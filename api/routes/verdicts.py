"""Verdicts: what verifiers said of attempts, every version of it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gradus.api.kept import Listed
from gradus.api.lister import Paged
from gradus.api.listings import Listing
from gradus.api.places import found_by
from gradus.api.routes.base import ListerDep, Name, Outcome, Text, page_of, unless_known

router = APIRouter(tags=["verdicts"], route_class=Listed, dependencies=[Depends(unless_known)])
ALL = Listing(name="page_verdicts", table="verdicts", key=("attempt_id", "verifier", "version"), start={"place": -1})


class VerdictRow(BaseModel):
    """One verifier's word on one attempt."""

    attempt_id: str
    verifier: str
    version: str
    outcome: Outcome
    score: float = Field(description="in [0, 1]")
    reason: str
    seconds: float


class VerdictQuery(Paged):
    """Filters; text looks into the reason."""

    attempt: Name = None
    verifier: Name = None
    version: Name = None
    outcome: Outcome | None = None
    text: Text = None

    def filters(self) -> dict[str, Any]:
        return self.model_dump(exclude={"limit", "cursor", "attempt"})


@router.get("/verdicts", response_class=Response, responses=page_of(VerdictRow))
def list_verdicts(query: Annotated[VerdictQuery, Query()], lister: ListerDep) -> Response:
    """Return verdicts in the order in which they came in; those of a verifier's older versions, too."""
    return lister.page(ALL, query, found_by("attempt_id", query.attempt))
