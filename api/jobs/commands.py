"""The commands that a request can have run as jobs, each with typed arguments; nothing else can be run.

An argument never becomes an option of its own: every value is checked by its type and stands behind the name of its
option, and what recipes are changed by are keys that begin with a letter.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool
from pydantic.config import JsonDict

from gradus.api.jobs.trust import benchmark_of, check_recipe, overrides_of, recipe_of
from gradus.engine.workspace import Workspace

Value = bool | int | float | str | list[str | int | float]
Key = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.*/-]{0,199}$")]
Name = Annotated[str, Field(pattern=r"^[\w-]{1,100}$")]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Workers = Annotated[int | None, Field(ge=1, le=1024, description="processes that judge; none: as many as cores")]
EXAMPLE: JsonDict = {"command": "sample", "arguments": {"recipe": "default", "overrides": {"sample.num_attempts": 4}}}


class Arguments(BaseModel):
    """What a command is told."""

    model_config = ConfigDict(extra="forbid")

    def argv(self, _: Workspace, /) -> list[str]:
        """Return the command line behind the command; ConfigError for what makes no sense."""
        return []


class Judge(Arguments):
    """`gradus judge`."""

    workers: Workers = None

    def argv(self, _: Workspace, /) -> list[str]:
        return _option("--workers", self.workers)


class Recipe(Judge):
    """`gradus sample`, `correct` and `traces`: a recipe of ours, or `recipes/<name>.toml`, and changes to it."""

    recipe: Name = "default"
    overrides: dict[Key, Value] = Field(default={}, max_length=100)

    def argv(self, workspace: Workspace, /) -> list[str]:
        check_recipe(workspace, self.recipe, self.overrides)
        return [
            *super().argv(workspace),
            *_option("--recipe", recipe_of(workspace, self.recipe)),
            *overrides_of(self.overrides),
        ]


class Vary(Recipe):
    """`gradus vary`."""

    way: list[Name] = Field(default=[], max_length=20)
    num: int | None = Field(default=None, ge=1)
    tag: Text | None = None
    aligned: Text | None = None

    def argv(self, workspace: Workspace, /) -> list[str]:
        ways = [text for way in self.way for text in _option("--way", way)]
        more = [*_option("--num", self.num), *_option("--tag", self.tag), *_option("--aligned", self.aligned)]
        return [*super().argv(workspace), *ways, *more]


class Dedupe(Arguments):
    """`gradus dedupe`."""

    what: Literal["problems", "traces"] = "problems"
    near: StrictBool = False
    semantic: StrictBool = False
    threshold: float | None = Field(default=None, gt=0, le=1)
    undo: StrictBool = False

    def argv(self, _: Workspace, /) -> list[str]:
        flags = {"--near": self.near, "--semantic": self.semantic, "--undo": self.undo}
        given = [flag for flag, wanted in flags.items() if wanted]
        return [*_option("--what", self.what), *_option("--threshold", self.threshold), *given]


class Decontaminate(Arguments):
    """`gradus decontaminate`: against `heldout`, or a file of the workspace's `benchmarks` by its name."""

    against: Name
    undo: StrictBool = False

    def argv(self, workspace: Workspace, /) -> list[str]:
        against = self.against if self.against == "heldout" else benchmark_of(workspace, self.against)
        return [*_option("--against", against), *(["--undo"] if self.undo else [])]


class Generate(Arguments):
    """`gradus problems generate`."""

    generator: Name
    num: int = Field(default=20, ge=1, le=1_000_000)
    heldout: int = Field(default=0, ge=0, le=1_000_000)
    seed: int = Field(default=0, ge=0)

    def argv(self, _: Workspace, /) -> list[str]:
        told = {"--num": self.num, "--heldout": self.heldout, "--seed": self.seed}
        numbers = [text for name, value in told.items() for text in _option(name, value)]
        return ["generate", *_option("--generator", self.generator), *numbers]


class Job(BaseModel):
    """A command of the list, and its arguments."""

    model_config = ConfigDict(extra="forbid")


class GenerateJob(Job):
    """New problems from a generator."""

    command: Literal["generate"]
    arguments: Generate


class RecipeJob(Job):
    """A step that follows a recipe."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})
    command: Literal["sample", "correct", "traces"]
    arguments: Recipe = Recipe()


class VaryJob(Job):
    """New problems from old ones."""

    command: Literal["vary"]
    arguments: Vary = Vary()


class JudgeJob(Job):
    """Verdicts for attempts that have none."""

    command: Literal["judge"]
    arguments: Judge = Judge()


class ScoreJob(Job):
    """Difficulty anew."""

    command: Literal["score"]
    arguments: Arguments = Arguments()


class DedupeJob(Job):
    """Duplicates left out."""

    command: Literal["dedupe"]
    arguments: Dedupe = Dedupe()


class DecontaminateJob(Job):
    """What gives away a benchmark left out."""

    command: Literal["decontaminate"]
    arguments: Decontaminate


JobRequest = Annotated[
    GenerateJob | RecipeJob | VaryJob | JudgeJob | ScoreJob | DedupeJob | DecontaminateJob,
    Field(discriminator="command"),
]


def argv_of(request: JobRequest, workspace: Workspace) -> list[str]:
    """Return the whole command line; ConfigError for arguments that make no sense."""
    name = "problems" if request.command == "generate" else request.command
    return [name, *request.arguments.argv(workspace)]


def _option(name: str, value: float | str | None) -> list[str]:
    """Return an option with its value as one word, so that no value is taken for an option."""
    return [] if value is None else [f"{name}={value}"]
