"""Training runs: start one on a manifest, follow it, cancel it, go on with it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from gradus.api import runs
from gradus.api.auth import ActorDep
from gradus.api.faults import Fault
from gradus.api.idempotency import idempotent
from gradus.api.jobs.sse import EVENTS, LastEventId, stream
from gradus.api.jobs.trust import training_overrides
from gradus.api.launch import Launch
from gradus.api.paths import without_root
from gradus.api.routes.base import WorkspaceDep
from gradus.api.watching import Watch
from gradus.curricula.find import find_manifest
from gradus.curricula.verify import verify
from gradus.engine.workspace import Workspace
from gradus.errors import DataError

router = APIRouter(tags=["runs"])


class RunRequest(BaseModel):
    """What to train, and on what. overrides are the recipe's keys: `{"optim.lr": "1e-5"}`."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"kind": "sft", "manifest": "latest"}]})
    kind: Literal["sft", "rl"] = "sft"
    manifest: str = Field(default="latest", max_length=100)
    model: str = Field(default="default", max_length=200, description="`default`, or the name of a run")
    recipe: str | None = Field(default=None, max_length=100, pattern=r"^[\w-]+$", description="one of ours, by name")
    overrides: dict[str, str | int | float | bool] = {}
    launcher: Literal["local", "slurm"] = "local"
    num_processes: int = Field(default=1, ge=1, le=64, description="on each machine, one a GPU")
    num_nodes: int = Field(default=1, ge=1, le=4096)
    options: dict[str, str] = Field(default={}, description="Slurm's own, as partition and time")


class RunRecord(BaseModel):
    """A run: how it stands, how it was started, and its newest metrics; also what the trainer notes of itself."""

    model_config = ConfigDict(extra="allow")
    name: str
    folder: str = Field(description="as seen from the workspace")
    state: Literal["queued", "running", "finished", "failed", "cancelled", "stopped"]
    launch: dict[str, Any] | None
    error: str | None
    metrics: dict[str, Any] | None


@router.post("/runs", status_code=202, dependencies=[Depends(idempotent)])
def start_run(request: RunRequest, response: Response, workspace: WorkspaceDep, actor: ActorDep) -> RunRecord:
    """Start training, or go on with the same run; the files of the manifest are checked first."""
    manifest = find_manifest(workspace, request.manifest)
    verify(manifest)
    planned = runs.plan_run(
        workspace,
        request.kind,
        manifest,
        model=_model(request.model, workspace),
        recipe=request.recipe,
        overrides=training_overrides(workspace, request.kind, request.recipe, request.overrides),
        launch=Launch(
            launcher=request.launcher,
            num_processes=request.num_processes,
            num_nodes=request.num_nodes,
            options=request.options,
        ),
    )
    runs.start(planned, actor=actor.name)
    response.headers["Location"] = f"/v1/runs/{planned.folder.name}"
    return _record(workspace, runs.describe(planned.folder))


@router.get("/runs")
def list_runs(workspace: WorkspaceDep) -> list[RunRecord]:
    """Return every run, newest first."""
    return [_record(workspace, run) for run in runs.list_runs(workspace)]


def _name(name: str, workspace: WorkspaceDep) -> str:
    try:
        return runs.find_run(workspace, name).name
    except DataError as error:
        raise Fault(404, str(error)) from None


NameDep = Annotated[str, Depends(_name)]


@router.get("/runs/{name}")
def read_run(name: NameDep, workspace: WorkspaceDep) -> RunRecord:
    """Return one run."""
    return _record(workspace, runs.describe(workspace.runs / name))


@router.get("/runs/{name}/metrics")
def read_metrics(name: NameDep, workspace: WorkspaceDep) -> list[dict[str, Any]]:
    """Return what was measured, one row a step."""
    return runs.read_metrics(workspace.runs / name)


@router.get("/runs/{name}/events", responses=EVENTS)
def watch_run(name: NameDep, workspace: WorkspaceDep, after: LastEventId = 0) -> Response:
    """Follow a run: events `state` and `metrics`, whose id is the step; `rewound` where steps are made again; `end`."""
    watch = Watch(workspace.runs / name)
    if after and watch.over and [row["step"] for row in runs.read_metrics(workspace.runs / name)][-1:] == [after]:
        return Response(status_code=204)
    return stream(watch.read, lambda: watch.over, after)


@router.post("/runs/{name}/cancel")
def cancel_run(name: NameDep, workspace: WorkspaceDep, actor: ActorDep) -> RunRecord:
    """End a run with all its processes; its checkpoints stay."""
    return _record(workspace, runs.cancel(workspace, name, actor=actor.name))


@router.post("/runs/{name}/resume", status_code=202)
def resume_run(name: NameDep, workspace: WorkspaceDep) -> RunRecord:
    """Go on, from its newest checkpoint, with a run that stopped, failed or was cancelled."""
    return _record(workspace, runs.resume(workspace, name))


def _record(workspace: Workspace, run: dict[str, Any]) -> RunRecord:
    return RunRecord(**_names(without_root(workspace.root, run)))


def _names(value: Any) -> Any:
    """Return a value that names a file of the server's, beyond the workspace, without where it lies."""
    if isinstance(value, dict):
        return {name: _names(inner) for name, inner in value.items()}
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def _model(name: str, workspace: WorkspaceDep) -> str:
    """Return `default` or the name of a run: no path in a request opens a file outside the workspace."""
    return name if name == "default" else runs.find_run(workspace, name).name
