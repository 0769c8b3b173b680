"""What the page draws: aggregates of the newest snapshot, and a problem or trace with all that belongs to it."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from gradus.api import views
from gradus.api.faults import Fault
from gradus.api.routes.base import NOT_MODIFIED, SnapshotsDep, StoreDep, WorkspaceDep, unless_known
from gradus.api.routes.view_shapes import (
    FitRow,
    FunnelRow,
    HistogramRow,
    Lengths,
    ProblemView,
    RateRow,
    TableView,
    TraceView,
)
from gradus.api.sql.guard import BOOKKEEPING

router = APIRouter(prefix="/views", tags=["views"])
UNLESS_KNOWN: dict[str, Any] = {"dependencies": [Depends(unless_known)], "responses": NOT_MODIFIED}
"""For what depends on the snapshot alone."""
Manifest = Annotated[
    str | None, Query(max_length=64, description="id of a manifest, or its start; the newest if it is not given")
]


@router.get("/histogram", **UNLESS_KNOWN)
def view_histogram(workspace: WorkspaceDep, snapshots: SnapshotsDep) -> list[HistogramRow]:
    """Return problems by model, domain and tenth of the pass rate."""
    return [HistogramRow(**row) for row in views.once(workspace, snapshots, "histogram")]


@router.get("/funnel", **UNLESS_KNOWN)
def view_funnel(workspace: WorkspaceDep, snapshots: SnapshotsDep) -> list[FunnelRow]:
    """Return how many records came through each step, and why the others did not."""
    return [FunnelRow(**row) for row in views.once(workspace, snapshots, "view_funnel")]


@router.get("/fit", **UNLESS_KNOWN)
def view_fit(workspace: WorkspaceDep, snapshots: SnapshotsDep) -> list[FitRow]:
    """Return how each student reads each teacher's traces, by domain; lower fits better."""
    return [FitRow(**row) for row in views.once(workspace, snapshots, "view_fit")]


@router.get("/rates")
def view_rates(workspace: WorkspaceDep, snapshots: SnapshotsDep, manifest: Manifest = None) -> list[RateRow]:
    """Return pass rates with intervals by domain and model: of all problems, and by stage of a manifest."""
    return [RateRow(**row) for row in views.rates(workspace, snapshots, manifest)]


@router.get("/lengths")
def view_lengths(workspace: WorkspaceDep, snapshots: SnapshotsDep, manifest: Manifest = None) -> Lengths:
    """Return the lengths of traces and the fill of sequences by stage, and the lengths of answers by model."""
    return Lengths(**views.lengths(workspace, snapshots, manifest))


@router.get("/problems/{id}", **UNLESS_KNOWN)
def view_problem(id: str, store: StoreDep) -> ProblemView:
    """Return what belongs to a problem: attempts with verdicts, traces, variants, and what was said of it."""
    found = views.problem(store, id)
    if found is None:
        raise Fault(404, f"no problem {id!r}; GET /v1/problems lists them")
    return ProblemView(**found)


@router.get("/traces/{id}", **UNLESS_KNOWN)
def view_trace(id: str, store: StoreDep) -> TraceView:
    """Return a trace, its problem and verdict, and the failed attempt that it corrects, ready to compare."""
    found = views.trace(store, id)
    if found is None:
        raise Fault(404, f"no trace {id!r}; GET /v1/traces lists them")
    return TraceView(**found)


@router.get("/tables", **UNLESS_KNOWN)
def view_tables(workspace: WorkspaceDep, snapshots: SnapshotsDep) -> list[TableView]:
    """Return the tables and views that SQL may ask about, with their columns."""
    found = views.once(workspace, snapshots, "view_tables")
    return [TableView(**row) for row in found if row["name"] not in BOOKKEEPING]
