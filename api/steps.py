"""The steps of the main job, one function each; commands and the demo call these and nothing below.

Every step looks first at what the workspace holds and does only the rest, so running it again is free.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from gradus.api.progress import progress
from gradus.curricula.build import build_manifest
from gradus.curricula.recipe import GenerateConfig, Recipe
from gradus.engine import correct as correcting
from gradus.engine import judge as judging
from gradus.engine import sample as sampling
from gradus.engine.parts import write_part
from gradus.engine.records import DOMAINS, HELDOUT, Problem
from gradus.engine.sources.base import generate_problems, tagged
from gradus.engine.store import Store, open_store
from gradus.engine.teachers.base import Teacher, TeacherConfig, open_teacher, teachers
from gradus.engine.traces import harvest
from gradus.engine.workspace import Workspace

Open = Callable[[TeacherConfig], AbstractContextManager[Teacher]]


class opened(AbstractContextManager[Teacher]):  # noqa: N801
    """Open a teacher for one step and close it after."""

    def __init__(self, config: TeacherConfig) -> None:
        self.config = config

    def __enter__(self) -> Teacher:
        self.teacher = open_teacher(self.config)
        return self.teacher

    def __exit__(self, *_: object) -> None:
        self.teacher.close()


def add_problems(workspace: Workspace, problems: Sequence[Problem], run: str) -> dict[str, int]:
    """Store the problems that are new."""
    with workspace.writing():
        with open_store(workspace) as store:
            known = {row["id"] for row in store.rows("SELECT id FROM problems")}
        fresh = {p.id: p for p in problems if p.id not in known}
        write_part(workspace.parts, run, list(fresh.values()))
        with open_store(workspace):
            pass
    return {"in": len(problems), "kept": len(fresh), "known": len(problems) - len(fresh)}


def generated(config: GenerateConfig) -> list[Problem]:
    """Make a generator's problems; every so many of each level are held out for evaluation."""
    total = config.num + config.num_heldout
    problems = generate_problems(config.generator, total, seed=config.seed)
    heldout = {problems[i * total // config.num_heldout].id for i in range(config.num_heldout)}
    return [tagged(p, HELDOUT) if p.id in heldout else p for p in problems]


def sample(workspace: Workspace, recipe: Recipe, *, opening: Open = opened) -> dict[str, Any]:
    """Attempt every problem that is not held out, with the recipe's teacher."""

    def choose(store: Store) -> list[Problem]:
        return store.problems("NOT list_contains(tags, $tag)", {"tag": HELDOUT})

    return _sample(workspace, recipe.sample, recipe.teacher, choose, opening)


def _sample(
    workspace: Workspace,
    config: sampling.SampleConfig,
    teacher: TeacherConfig,
    choose: Callable[[Store], list[Problem]],
    opening: Open,
) -> dict[str, Any]:
    name = teachers[teacher.kind].identify(teacher)
    with workspace.writing():
        with open_store(workspace) as store:
            problems = choose(store)
            asks = sampling.plan(problems, config, sampling.attempts_done(store, name))
        total = len(problems) * config.num_attempts
        made = _ask(workspace, asks, teacher, "sample", opening)
    return {"problems": len(problems), "attempts": total, "made": made, "skipped": total - made, "model": name}


def _ask(workspace: Workspace, asks: list[sampling.Ask], teacher: TeacherConfig, what: str, opening: Open) -> int:
    if not asks:
        return 0
    with opening(teacher) as model, progress(what, len(asks)) as advance:
        made = sampling.sample(asks, model, workspace.parts, run=what, advance=advance)
    with open_store(workspace):
        pass
    return made


def judge(workspace: Workspace, *, workers: int) -> dict[str, Any]:
    """Judge every attempt that has no verdict of its verifier's present version."""
    with workspace.writing():
        with open_store(workspace) as store:
            rows = judging.unjudged(store)
            total = store.rows("SELECT count(*) AS n FROM attempts")[0]["n"]
        with progress("judge", len(rows)) as advance:
            outcomes = judging.judge(rows, workspace.parts, run="judge", workers=workers, advance=advance)
        with open_store(workspace):
            pass
    return {"attempts": total, "judged": len(rows), "skipped": total - len(rows), "outcomes": dict(outcomes)}


def score(workspace: Workspace) -> dict[str, Any]:
    """Compute pass@k and its interval for every problem, model and sampler."""
    with workspace.writing(), open_store(workspace) as store:
        store.refresh_difficulty()
        rates = store.rows("FROM pass_rates ORDER BY ALL")
        histogram = store.named("histogram")
    return {"pass_rates": rates, "histogram": histogram}


def correct(workspace: Workspace, recipe: Recipe, *, workers: int, opening: Open = opened) -> dict[str, Any]:
    """Ask the teacher to correct the student's failures, judge what it says, and keep what passes."""
    student = teachers["vllm"].identify(TeacherConfig(model=recipe.student))
    teacher = teachers[recipe.teacher.kind].identify(recipe.teacher)
    with workspace.writing():
        with open_store(workspace) as store:
            found = correcting.failures(store, student, recipe.correct.failures_per_problem)
            asks = correcting.plan_corrections(found, recipe.correct, correcting.corrections_done(store, teacher))
        made = _ask(workspace, asks, recipe.teacher, "correct", opening)
    judge(workspace, workers=workers)
    with workspace.writing(), open_store(workspace) as store:
        counts = store.named("corrections")[0]
    total = len(found) * recipe.correct.tries
    return {"failures": len(found), "made": made, "skipped": total - made, **counts}


def build(workspace: Workspace, recipe: Recipe) -> Path:
    """Make traces of what passed, and a manifest of the traces."""
    with workspace.writing(), open_store(workspace) as store:
        traces = harvest(store, workspace.parts, recipe.traces, run="harvest")
        store.sync(workspace.parts)
        return build_manifest(workspace, store, recipe, traces)


def evaluate(
    workspace: Workspace, recipe: Recipe, model: str, *, tag: str = HELDOUT, workers: int, opening: Open = opened
) -> dict[str, Any]:
    """Return a model's pass rate, by domain, on the problems with a tag, in the student's template."""
    teacher = replace(recipe.teacher, kind="vllm", model=model)

    def choose(store: Store) -> list[Problem]:
        return store.problems("list_contains(tags, $tag)", {"tag": tag})

    counts = _sample(workspace, recipe.evaluate, teacher, choose, opening)
    judge(workspace, workers=workers)
    samplers = [recipe.evaluate.domain(domain).sampler for domain in DOMAINS]
    with workspace.writing(), open_store(workspace) as store:
        rates = store.named("evaluation", {"model": counts["model"], "samplers": samplers, "tag": tag})
    return counts | {"rates": rates}
