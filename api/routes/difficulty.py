"""Difficulty: pass@k with its interval, per problem, model, policy version and sampler."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, Field

from gradus.api.kept import Listed
from gradus.api.lister import Paged
from gradus.api.listings import Listing
from gradus.api.routes.base import NOT_MODIFIED, Domain, ListerDep, Name, Rate, StoreDep, page_of, unless_known

router = APIRouter(tags=["difficulty"], route_class=Listed, dependencies=[Depends(unless_known)])
KEY = ("problem_id", "model_id", "policy_version", "sampler")
STORED = Listing(name="page_difficulty", table="measured", key=KEY, start={"place": -1}, moves=True)
SORTED = Listing(name="page_difficulty_sorted", table="measured", key=KEY, start={"rank": -2, "place": -1}, moves=True)
SIGNS = {"hardest": 1, "easiest": -1}


class DifficultyRow(BaseModel):
    """How hard a problem is for a model; null where there are too few attempts to say."""

    problem_id: str
    domain: str
    model_id: str
    policy_version: str
    sampler: str
    num_attempts: int
    num_passed: int
    num_unparseable: int
    pass_at_1: float | None
    pass_at_2: float | None
    pass_at_4: float | None
    pass_at_8: float | None
    pass_at_16: float | None
    wilson_low: float | None
    wilson_high: float | None


class DifficultyQuery(Paged):
    """Filters; the band is of pass@1, both ends in it."""

    domain: Domain | None = None
    model: Name = None
    policy: Name = None
    sampler: Name = None
    min_attempts: int | None = Field(default=None, ge=0, le=1 << 31)
    min_rate: Rate = None
    max_rate: Rate = None
    order: Literal["stored", "hardest", "easiest"] = "stored"

    def filters(self) -> dict[str, Any]:
        sign = {} if self.order == "stored" else {"sign": SIGNS[self.order]}
        return sign | self.model_dump(exclude={"limit", "cursor", "order"})


class Summary(BaseModel):
    """The whole store in short."""

    pass_rates: list[dict[str, Any]]
    histogram: list[dict[str, Any]]
    funnel: list[dict[str, Any]]


@router.get("/difficulty", response_class=Response, responses=page_of(DifficultyRow))
def list_difficulty(query: Annotated[DifficultyQuery, Query()], lister: ListerDep) -> Response:
    """Return the difficulty of problems, inside a band of pass@1; a walk stays on the snapshot that it began with."""
    return lister.page(STORED if query.order == "stored" else SORTED, query)


@router.get("/difficulty/summary", responses=NOT_MODIFIED)
def read_summary(store: StoreDep) -> Summary:
    """Return pass rates by domain and model, a histogram, and the funnel."""
    return Summary(
        pass_rates=store.rows("FROM pass_rates ORDER BY ALL"),
        histogram=store.named("histogram"),
        funnel=store.rows("FROM funnel"),
    )
