"""What a request may say of models, files and addresses: nothing that leaves the workspace or what its owner set up.

A recipe is one of ours or `recipes/<name>.toml` in the workspace. What a request changes in it may not name a file
outside the workspace, nor options of a teacher (an address that gets the key, a library's switches): those belong in a
recipe, which its owner writes. Models are `default`, folders inside the workspace, or what the recipe itself names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from gradus.api.paths import inside
from gradus.api.runs import CONFIGS, recipe_path
from gradus.config import build, load
from gradus.curricula.recipe import Recipe, load_recipe
from gradus.engine.models import DEFAULT
from gradus.engine.teachers.base import TeacherConfig
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

TRAINING_FILES = ("evaluate.problems", "evaluate.manifest")
"""What training may read beside its manifest: files of the workspace, as seen from there."""
NO_FOLDER = ("openai",)
"""Teachers whose model is a name, not a folder."""


def recipe_of(workspace: Workspace, name: str) -> str:
    """Return what `--recipe` has to say for a recipe by its name."""
    own = inside(workspace.root, f"recipes/{name}.toml")
    return str(own) if own.exists() else name


def overrides_of(values: Mapping[str, Any]) -> list[str]:
    """Return overrides as the command line has them; JSON's values are TOML's, but for escapes."""
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in values.items()}
    return [f"{key}={text}".replace("\x7f", "\\u007f") for key, text in texts.items()]


def check_recipe(workspace: Workspace, name: str, overrides: Mapping[str, Any]) -> None:
    """Raise ConfigError for a recipe that does not exist, makes no sense, or asks for too much."""
    path = recipe_of(workspace, name)
    check_asked(workspace, load_recipe(path, overrides_of(overrides)), load_recipe(path))


def read_recipe(workspace: Workspace, data: dict[str, Any]) -> Recipe:
    """Return a recipe that came as JSON; ConfigError as above."""
    recipe = build(Recipe, data, "recipe")
    check_asked(workspace, recipe, Recipe(name=""))
    return recipe


def check_asked(workspace: Workspace, asked: Recipe, trusted: Recipe) -> None:
    """Raise ConfigError where a recipe asks for what its owner did not set up."""
    known = list(_teachers(trusted))
    for teacher in _teachers(asked):
        _check_teacher(workspace, teacher, known)
    for what, value, ours in (
        ("student", asked.student, trusted.student),
        ("correct.finder", asked.correct.finder, trusted.correct.finder),
    ):
        if value not in ("", ours):
            _check_model(workspace, what, value)
    if asked.earlier != trusted.earlier:
        inside(workspace.root, asked.earlier)  # an id, a run's step, or a folder of the workspace
    if asked.cache.folder != trusted.cache.folder:
        raise ConfigError("cache.folder: a request cannot choose it; a recipe in the workspace's `recipes` can")


def training_overrides(workspace: Workspace, kind: str, recipe: str | None, values: Mapping[str, Any]) -> list[str]:
    """Return a training run's overrides as the command line has them; ConfigError where they ask for too much."""
    named = {name: str(inside(workspace.root, str(values[name]))) for name in TRAINING_FILES if values.get(name)}
    overrides = [f"{key}={_toml(value)}" for key, value in {**values, **named}.items()]
    asked, trusted = (load(CONFIGS[kind], recipe_path(recipe), some) for some in (overrides, ()))
    known = list(_teachers(trusted))
    for teacher in _teachers(asked):
        _check_teacher(workspace, teacher, known)
    for path in (asked.evaluate.problems, asked.evaluate.manifest):
        if path not in ("", *named.values()):
            raise ConfigError(f"{' and '.join(TRAINING_FILES)} are named by these very keys, not by {path!r:.100}")
    return overrides


def _toml(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _check_teacher(workspace: Workspace, asked: TeacherConfig, known: list[TeacherConfig]) -> None:
    alike = [one for one in known if one.kind == asked.kind]
    if asked.options and asked.options not in [one.options for one in alike]:
        raise ConfigError(
            f"teacher.options {sorted(asked.options)}: a request cannot choose them; a recipe in the workspace's "
            "`recipes` can, and the request names that recipe"
        )
    if asked.kind not in NO_FOLDER and asked.model not in [one.model for one in alike]:
        _check_model(workspace, "teacher.model", asked.model)


def _check_model(workspace: Workspace, what: str, model: str) -> None:
    if model == DEFAULT or inside(workspace.root, model).exists():
        return
    raise ConfigError(f"{what} {model!r}: neither {DEFAULT!r} nor a path inside the workspace, as `runs/sft-…/export`")


def _teachers(value: Any) -> Iterator[TeacherConfig]:
    """Yield every teacher that a configuration names."""
    if isinstance(value, TeacherConfig):
        yield value
    elif is_dataclass(value):
        for field in fields(value):
            yield from _teachers(getattr(value, field.name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _teachers(inner)
    elif isinstance(value, tuple):
        for inner in value:
            yield from _teachers(inner)


def benchmark_of(workspace: Workspace, name: str) -> str:
    """Return what `--against` has to say for a benchmark of the workspace's folder `benchmarks`."""
    for suffix in (".jsonl", ".parquet"):
        path = inside(workspace.root, f"benchmarks/{name}{suffix}")
        if path.is_file():
            return str(path)
    raise ConfigError(f"no benchmark {name!r}: put {name}.jsonl into the workspace's folder benchmarks")
