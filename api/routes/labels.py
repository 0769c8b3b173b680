"""Labels: what people say of problems and traces. Only ever added to; the next manifest follows them."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from gradus.api.auth import ActorDep
from gradus.api.idempotency import idempotent
from gradus.api.lister import Paged
from gradus.api.listings import Listing
from gradus.api.routes.base import ListerDep, Name, StoreDep, WorkspaceDep, page_of, unless_known
from gradus.engine.labels import Action, Filter, Kind, Said, curate, matching
from gradus.errors import ConfigError

router = APIRouter(tags=["labels"])
ALL = Listing(name="page_labels", table="labels", start={"place": -1})
MAX_IDS = 10_000
Id = Annotated[str, Field(min_length=6, max_length=64, pattern="^[0-9a-f]+$")]


class LabelFilter(BaseModel):
    """Conditions that problems or traces meet, all of them; at least one. Rates are of pass@1."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind = "problem"
    domain: Name = None
    source: Name = None
    tag: Name = None
    text: Name = Field(default=None, description="stands in the prompt or the messages")
    trace_kind: str | None = Field(default=None, pattern="^(cot|correction|imported)$")
    teacher: Name = None
    label: Name = None
    model: Name = None
    min_rate: float | None = Field(default=None, ge=0, le=1)
    max_rate: float | None = Field(default=None, ge=0, le=1)


class LabelRequest(BaseModel):
    """What is said, why, and of which records: by their ids (or starts of them), or by a filter."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"filter": {"kind": "problem", "max_rate": 0}, "action": "exclude", "reason": "nobody ever passed"}
            ]
        },
    )
    ids: list[Id] | None = Field(default=None, min_length=1, max_length=MAX_IDS)
    filter: LabelFilter | None = None
    action: Action
    value: Annotated[str, Field(max_length=200)] | float = Field(
        default="", description="of `label`: its name; of `weight`: a number from 0 to 100"
    )
    reason: str = Field(min_length=1, max_length=2000)
    kind: Kind | None = Field(default=None, description="of the ids; an id of the other kind is refused")


class Curated(BaseModel):
    """What became of it: in = kept + dropped. visible: false where another process writes, and will publish it."""

    num_in: int = Field(alias="in")
    kept: int
    dropped: dict[str, int]
    visible: bool


class LabelRow(BaseModel):
    """What somebody said of a record. Of `restore`, value is the label that is taken back, or empty."""

    id: str
    record_id: str
    kind: Kind
    action: Action
    value: str
    actor: str
    reason: str
    at: str = Field(description="in UTC")


class RecordState(BaseModel):
    """How a record stands now, and all that was said of it, oldest first."""

    record_id: str
    excluded: bool
    weight: float
    labels: list[str]
    history: list[LabelRow]


class LabelQuery(Paged):
    """Filters."""

    record_id: Name = None
    kind: Kind | None = None
    action: Action | None = None
    actor: Name = None


@router.post("/labels", status_code=201, dependencies=[Depends(idempotent)])
def add_labels(request: LabelRequest, workspace: WorkspaceDep, actor: ActorDep) -> Curated:
    """Label, exclude, restore or weigh problems and traces; who asks is noted as the actor."""
    value = request.value if isinstance(request.value, str) else f"{request.value:g}"
    said = Said(action=request.action, value=value, actor=actor.name, reason=request.reason)
    if (request.ids is None) == (request.filter is None):
        raise ConfigError("one of ids and filter is needed: of which records is it said?")
    if request.filter is None:
        return Curated(**curate(workspace, request.ids or [], said, kind=request.kind))
    conditions = Filter(**request.filter.model_dump(exclude={"kind"}))
    return Curated(**curate(workspace, matching(workspace, request.filter.kind, conditions), said))


@router.get("/labels", response_class=Response, responses=page_of(LabelRow), dependencies=[Depends(unless_known)])
def list_labels(query: Annotated[LabelQuery, Query()], lister: ListerDep) -> Response:
    """Return what was said, in the order in which it came in."""
    return lister.page(ALL, query)


@router.get("/labels/{record_id}")
def read_labels(record_id: str, store: StoreDep) -> RecordState:
    """Return how a problem or trace stands, and what was said of it; of one that nobody touched, nothing was."""
    chosen = {"id": record_id}
    history = store.rows('FROM labels WHERE record_id = $id ORDER BY "at", id', chosen)
    rows = store.rows("FROM curated WHERE record_id = $id", chosen)
    state: dict[str, Any] = rows[0] if rows else {"excluded": False, "weight": 1.0, "labels": []}
    told = {name: state[name] for name in ("excluded", "weight", "labels")}
    return RecordState(record_id=record_id, **told, history=[LabelRow(**row) for row in history])
