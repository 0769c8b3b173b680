"""Drift: what changed in difficulty between two checkpoints of a student."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from gradus.api.faults import Fault
from gradus.api.routes.base import NOT_MODIFIED, StoreDep, unless_known
from gradus.curricula.drift import Drift, drift
from gradus.curricula.recipe import BANDS
from gradus.curricula.standing import Checkpoint, known_checkpoint
from gradus.engine.store import Store

router = APIRouter(tags=["difficulty"], dependencies=[Depends(unless_known)])
Name = Annotated[str, Query(min_length=1, max_length=200, description="a model's id or its beginning, or `RUN/step-N`")]
Limit = Annotated[int, Query(ge=0, le=1000, description="of the problems that improved, and of those that regressed")]


@router.get("/difficulty/drift", responses=NOT_MODIFIED)
def read_drift(a: Name, b: Name, store: StoreDep, limit: Limit = 100) -> Drift:
    """Compare two checkpoints: pass@1 by domain and band, and the problems that improved or regressed, surest first."""
    found = drift(store, _checkpoint(store, a), _checkpoint(store, b), BANDS)
    return replace(found, improved=found.improved[:limit], regressed=found.regressed[:limit])


def _checkpoint(store: Store, name: str) -> Checkpoint:
    found = known_checkpoint(store, name)
    if found is None:
        raise Fault(404, f"no checkpoint {name!r}, or several begin so; GET /v1/difficulty/summary lists models")
    return found
