"""Training runs: start one on a manifest, watch it."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from gradus.api import runs
from gradus.api.routes.base import WorkspaceDep
from gradus.curricula.find import find_manifest
from gradus.curricula.manifest import verify

router = APIRouter(tags=["runs"])


class RunRequest(BaseModel):
    """What to train. overrides are the recipe's keys: `{"optim.lr": "1e-5"}`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "sft", "manifest": "latest"}]})
    kind: Literal["sft", "rl"] = "sft"
    manifest: str = "latest"
    model: str = "default"
    recipe: str | None = Field(default=None, pattern=r"^[\w-]+$", description="one of ours, by name")
    overrides: dict[str, str | int | float | bool] = {}


@router.post("/runs", status_code=202)
def start_run(request: RunRequest, response: Response, workspace: WorkspaceDep) -> dict[str, Any]:
    """Start training, or go on with the same run; the files of the manifest are checked first."""
    manifest = find_manifest(workspace, request.manifest)
    verify(manifest)
    planned = runs.plan_run(
        workspace,
        request.kind,
        manifest,
        model=_model(request.model, workspace),
        recipe=request.recipe,
        overrides=[f"{key}={_toml(value)}" for key, value in request.overrides.items()],
    )
    runs.start(planned)
    response.headers["Location"] = f"/v1/runs/{planned.folder.name}"
    return runs.describe(planned.folder)


@router.get("/runs")
def list_runs(workspace: WorkspaceDep) -> list[dict[str, Any]]:
    """Return every run, newest first."""
    return runs.list_runs(workspace)


@router.get("/runs/{name}")
def read_run(name: str, workspace: WorkspaceDep) -> dict[str, Any]:
    """Return one run."""
    return runs.describe(runs.find_run(workspace, name))


@router.get("/runs/{name}/metrics")
def read_metrics(name: str, workspace: WorkspaceDep) -> list[dict[str, Any]]:
    """Return what was measured, one row a step."""
    return runs.read_metrics(runs.find_run(workspace, name))


def _model(name: str, workspace: WorkspaceDep) -> str:
    """Return `default` or the name of a run: no path in a request opens a file outside the workspace."""
    return name if name == "default" else runs.find_run(workspace, name).name


def _toml(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
