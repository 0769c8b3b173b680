"""What watches the server asks: does it live, can it answer, and how much does it do."""

from __future__ import annotations

import os
from typing import Literal

from fastapi import APIRouter, Request, Response
from prometheus_client.exposition import choose_encoder
from pydantic import BaseModel

from gradus.api.auth import needs
from gradus.api.faults import Fault, ProblemDetails
from gradus.api.metrics import Metrics
from gradus.api.routes.base import WorkspaceDep
from gradus.engine.store import open_snapshot

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """That it is so; what is not so is a 503 that says why."""

    status: Literal["ok", "ready"]


@router.get("/healthz", operation_id="read_health")
async def read_health() -> Health:
    """Answer as long as the process can: restart it when this fails. Needs no token."""
    return Health(status="ok")


@router.get("/readyz", operation_id="read_readiness", responses={503: {"model": ProblemDetails}})
def read_readiness(workspace: WorkspaceDep) -> Health:
    """Say whether requests can be served: the workspace can be written, its newest snapshot read. Needs no token."""
    if not os.access(workspace.parts, os.W_OK | os.X_OK):
        raise Fault(503, "the workspace cannot be written")
    if (workspace.snapshots / "current.duckdb").is_symlink():
        try:
            with open_snapshot(workspace) as store:
                store.rows("SELECT count(*) FROM problems")
        except Exception as error:  # whatever it is, the answer is: not ready
            raise Fault(503, f"the newest snapshot cannot be read: {type(error).__name__}") from error
    return Health(status="ready")


@router.get(
    "/metrics",
    operation_id="read_prometheus_metrics",
    dependencies=[needs("read")],
    response_class=Response,
    responses={200: {"content": {"text/plain": {}}, "description": "in the format of Prometheus, or of OpenMetrics"}},
)
def read_prometheus_metrics(request: Request) -> Response:
    """Return counts and timings of requests, rows of the store, jobs by state, and what the process uses."""
    metrics: Metrics = request.app.state.metrics
    encode, media_type = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(metrics.registry), headers={"Content-Type": media_type})
