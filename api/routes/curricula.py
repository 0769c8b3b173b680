"""Curricula: a recipe becomes a manifest, by a job."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from gradus.api.auth import ActorDep
from gradus.api.idempotency import idempotent
from gradus.api.jobs import job as jobs
from gradus.api.jobs.commands import Key, Name, Value
from gradus.api.jobs.trust import check_recipe, overrides_of, read_recipe, recipe_of
from gradus.api.routes.base import WorkspaceDep
from gradus.api.routes.jobs import JobRecord, QueueDep, accepted
from gradus.curricula.recipe import Recipe
from gradus.engine.parts import write_json
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


@router.post("/curricula", status_code=202, dependencies=[Depends(idempotent)])
def build_curriculum(
    request: CurriculumRequest, response: Response, workspace: WorkspaceDep, queue: QueueDep, actor: ActorDep
) -> JobRecord:
    """Build a manifest; the job's result holds it, with its id."""
    if isinstance(request.recipe, str):
        check_recipe(workspace, request.recipe, request.overrides)
        recipe = recipe_of(workspace, request.recipe)
        folder = jobs.new_job(workspace)
    else:
        if request.overrides:
            raise ConfigError("overrides change a recipe that is given by its name; change the recipe itself")
        _check_stages(read_recipe(workspace, request.recipe))
        folder = jobs.new_job(workspace)
        write_json(folder / "recipe.json", request.recipe)
        recipe = str(folder / "recipe.json")
    argv = ["curriculum", "build", f"--recipe={recipe}", *overrides_of(request.overrides)]
    arguments = request.model_dump(exclude_defaults=True)
    job = jobs.submit(folder, "curriculum", arguments, argv=argv, writes=True, actor=actor.name)
    return accepted(job, queue, response)


def _check_stages(recipe: Recipe) -> None:
    if not recipe.stages:
        raise ConfigError("recipe.stages: a curriculum has at least one stage")
