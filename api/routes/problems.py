"""Problems: list and read them."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel

from gradus.api.faults import Fault
from gradus.api.kept import Listed
from gradus.api.lister import Paged
from gradus.api.listings import Listing
from gradus.api.routes.base import (
    NOT_MODIFIED,
    Domain,
    ListerDep,
    Name,
    Rate,
    StoreDep,
    Text,
    page_of,
    unless_known,
)
from gradus.api.routes.difficulty import DifficultyRow

router = APIRouter(tags=["problems"], route_class=Listed, dependencies=[Depends(unless_known)])


class ProblemRow(BaseModel):
    """A prompt, and the verifier with its arguments that judges answers to it."""

    id: str
    prompt: str
    domain: str
    verifier: str
    spec: dict[str, Any]
    source: str
    parents: list[str]
    tags: list[str]


ROW: dict[str, Any] = {"objects": frozenset({"spec"}), "texts": tuple(ProblemRow.model_fields)}
ALL = Listing(name="page_problems", table="problems", start={"place": -1}, **ROW)
BY_RATE = Listing(name="page_problems_by_rate", table="problems", start={"place": -1}, **ROW)


class MeasuredProblem(ProblemRow):
    """A problem with how hard it was for each model."""

    difficulty: list[DifficultyRow]


class ProblemQuery(Paged):
    """Filters; a problem in the band is one that some model, or the one named, passes so often."""

    domain: Domain | None = None
    tag: Name = None
    source: Name = None
    verifier: Name = None
    text: Text = None
    model: Name = None
    min_rate: Rate = None
    max_rate: Rate = None

    @property
    def measured(self) -> bool:
        return not (self.model is None and self.min_rate is None and self.max_rate is None)


@router.get("/problems", response_class=Response, responses=page_of(ProblemRow))
def list_problems(query: Annotated[ProblemQuery, Query()], lister: ListerDep) -> Response:
    """Return problems in the order in which they came in."""
    return lister.page(BY_RATE if query.measured else ALL, query)


@router.get("/problems/{id}", responses=NOT_MODIFIED)
def read_problem(id: str, store: StoreDep) -> MeasuredProblem:
    """Return one problem by its id, with its difficulty by model."""
    rows = store.rows_of("problems", "id", [id])
    if not rows:
        raise Fault(404, f"no problem {id!r}; GET /v1/problems lists them")
    difficulty = store.named("difficulty_of", {"id": id})
    return MeasuredProblem(**rows[0] | {"spec": json.loads(rows[0]["spec"]), "difficulty": difficulty})
