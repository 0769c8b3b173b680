"""Curricula: a recipe becomes a manifest, by a job; or a plan of it, at once, which writes nothing."""

from __future__ import annotations

import json
import tempfile
from typing import Any

from fastapi import APIRouter, Depends, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.config import JsonDict

from gradus.api.auth import ActorDep
from gradus.api.idempotency import idempotent
from gradus.api.jobs import job as jobs
from gradus.api.jobs.commands import Key, Name, Value
from gradus.api.jobs.once import result_of
from gradus.api.jobs.trust import check_recipe, overrides_of, read_recipe, recipe_of
from gradus.api.routes.base import WorkspaceDep
from gradus.api.routes.jobs import JobRecord, QueueDep, accepted
from gradus.engine.parts import write_json
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

router = APIRouter(tags=["curricula"])
RECIPE: JsonDict = {
    "name": "short",
    "stages": [{"name": "first", "context_length": 1024, "token_budget": 100000, "mixture": {"*/cot": 1.0}}],
}


class CurriculumRequest(BaseModel):
    """A recipe: its name (one of ours, or `recipes/<name>.toml` in the workspace), or the recipe itself."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"recipe": RECIPE}]})
    recipe: Name | dict[str, Any] = "default"
    overrides: dict[Key, Value] = Field(default={}, max_length=100, description="of a recipe by its name")
    dry_run: StrictBool = Field(
        default=False, description="answer at once with what it would take, and what is missing"
    )


class Share(BaseModel):
    """What a stage would take of one entry of its mixture."""

    entry: str
    wanted_tokens: int
    available_traces: int
    available_tokens: int
    num_traces: int
    num_tokens: int
    num_sequences: int
    utilisation: float
    shortage: int = Field(description="tokens that there are too few")


class StagePlan(BaseModel):
    """What a stage would take."""

    name: str
    policy: str
    context_length: int
    token_budget: int
    num_traces: int
    num_documents: int
    num_tokens: int
    num_sequences: int
    utilisation: float
    entries: list[Share]
    lacking: list[str]


class Need(BaseModel):
    """Something that is missing, and the command that makes it."""

    what: str
    num: int
    command: str


class RLPlan(BaseModel):
    """Problems by domain for reinforcement, what minibatches hold of them, and why the others are left out."""

    active: dict[str, int]
    reserve: dict[str, int]
    quotas: dict[str, int]
    left_out: dict[str, int]
    lacking: list[str]


class CurriculumPlan(BaseModel):
    """What a recipe would make of the workspace as it is."""

    recipe: str
    student: str
    num_in: int = Field(alias="in")
    kept: int
    dropped: dict[str, int]
    stages: list[StagePlan]
    rl: RLPlan
    missing: list[Need]


@router.post(
    "/curricula",
    status_code=202,
    response_model=JobRecord,
    responses={200: {"model": CurriculumPlan, "description": "the plan, for `dry_run`"}},
    dependencies=[Depends(idempotent)],
)
def build_curriculum(
    request: CurriculumRequest, response: Response, workspace: WorkspaceDep, queue: QueueDep, actor: ActorDep
) -> JobRecord | JSONResponse:
    """Build a manifest; the job's result holds it, with its id."""
    if request.dry_run:
        return JSONResponse(_plan(request, workspace))
    if isinstance(request.recipe, str):
        check_recipe(workspace, request.recipe, request.overrides)
        recipe = recipe_of(workspace, request.recipe)
        folder = jobs.new_job(workspace)
    else:
        _check_posted(workspace, request.recipe, request.overrides)
        folder = jobs.new_job(workspace)
        write_json(folder / "recipe.json", request.recipe)
        recipe = str(folder / "recipe.json")
    argv = ["curriculum", "build", f"--recipe={recipe}", *overrides_of(request.overrides)]
    arguments = request.model_dump(exclude_defaults=True)
    job = jobs.submit(folder, "curriculum", arguments, argv=argv, writes=True, actor=actor.name)
    return accepted(job, queue, response)


def _plan(request: CurriculumRequest, workspace: Workspace) -> dict[str, Any]:
    argv = ["curriculum", "build", "--dry-run", *overrides_of(request.overrides)]
    if isinstance(request.recipe, str):
        check_recipe(workspace, request.recipe, request.overrides)
        return result_of([*argv, f"--recipe={recipe_of(workspace, request.recipe)}"], workspace)
    _check_posted(workspace, request.recipe, request.overrides)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(request.recipe, file)
        file.flush()
        found = result_of([*argv, f"--recipe={file.name}"], workspace)
        # The file is gone when this is read.
        for need in found["missing"]:
            need["command"] = need["command"].replace(file.name, "RECIPE.json")
    return found


def _check_posted(workspace: Workspace, recipe: dict[str, Any], overrides: dict[str, Any]) -> None:
    if overrides:
        raise ConfigError("overrides change a recipe that is given by its name; change the recipe itself")
    if not read_recipe(workspace, recipe).stages:
        raise ConfigError("recipe.stages: a curriculum has at least one stage")
