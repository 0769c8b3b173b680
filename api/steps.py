"""The steps of the main job, one function each; commands and the demo call these and nothing below.

Every step looks first at what the workspace holds and does only the rest, so running it again is free.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from gradus.api.asking import Asking, Open
from gradus.api.correcting import classify, correction_counts, corrections_feed, failing_model, kinds, revise
from gradus.api.progress import progress
from gradus.api.shaping import make_traces
from gradus.curricula.build import build_manifest
from gradus.curricula.choosing import declared
from gradus.curricula.dry_run import dry_run
from gradus.curricula.mixture import fits
from gradus.curricula.recipe import GenerateConfig, Recipe
from gradus.engine import judge as judging
from gradus.engine.answers import Feed
from gradus.engine.exchange.imported import imported_traces
from gradus.engine.parts import write_part
from gradus.engine.records import DOMAINS, HELDOUT, Problem, Trace
from gradus.engine.sample import SampleConfig
from gradus.engine.sources.base import generate_problems, tagged
from gradus.engine.spending import Budget
from gradus.engine.store import Store, open_store
from gradus.engine.teachers.base import Teacher, TeacherConfig, open_teacher, teachers
from gradus.engine.traces import kept_traces
from gradus.engine.unmade import Chosen
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError
from gradus.trainer.stages import check_training
from gradus.verifiers.pool import Judges

TRAINABLE = "NOT list_contains(tags, $tag) AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)"


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
    problems = generate_problems(config.generator, total, seed=config.seed, options=config.options)
    heldout = {problems[i * total // config.num_heldout].id for i in range(config.num_heldout)}
    return [tagged(p, HELDOUT) if p.id in heldout else p for p in problems]


def sample(workspace: Workspace, recipe: Recipe, *, workers: int = 1, opening: Open = opened) -> dict[str, Any]:
    """Attempt every problem that is not held out, with the recipe's teacher; workers judge where passes count."""
    asking = asking_of(workspace, recipe, recipe.teacher, "sample", opening)
    return attempt(replace(asking, budget=recipe.sample.budget), recipe.sample, trainable, workers=workers)


def trainable(store: Store) -> Chosen:
    """Return the problems to be attempted: neither held out nor dropped."""
    return Chosen(store, TRAINABLE, {"tag": HELDOUT})


def asking_of(workspace: Workspace, recipe: Recipe, teacher: TeacherConfig, run: str, opening: Open) -> Asking:
    """Return who asks a teacher, in a step."""
    name = teachers[teacher.kind].identify(teacher)
    return Asking(workspace=workspace, recipe=recipe, teacher=teacher, model_id=name, run=run, opening=opening)


def attempt(asking: Asking, config: SampleConfig, choose: Callable[[Store], Chosen], *, workers: int) -> dict[str, Any]:
    """Have the chosen problems attempted as config says; workers judge where passes count."""
    with (
        asking.workspace.writing(),
        closing(Judges(workers)) as judges,
        open_store(asking.workspace) as store,
    ):
        chosen = choose(store)
        feed = asking.feed(chosen, config, judges)
        return sample_counts(asking, len(chosen), feed, asking.ask(feed, store))


def sample_counts(asking: Asking, num_problems: int, feed: Feed, counts: dict[str, Any]) -> dict[str, Any]:
    """Return what became of every attempt that was planned, and what is known of how."""
    total = feed.there + counts["made"] + counts["refused"] + counts["left"]
    return {"problems": num_problems, "attempts": total, "skipped": feed.there, "model": asking.model_id, **counts}


def judge(workspace: Workspace, *, workers: int) -> dict[str, Any]:
    """Judge every attempt that has no verdict of its verifier's present version."""
    with workspace.writing(), open_store(workspace) as store:
        total = store.rows("SELECT count(*) AS n FROM attempts")[0]["n"]
        with progress("judge", judging.count_unjudged(store)) as advance:
            rows = judging.unjudged(store)
            outcomes = judging.judge(rows, workspace.parts, run="judge", workers=workers, advance=advance)
    judged = outcomes.total()
    return {"attempts": total, "judged": judged, "skipped": total - judged, "outcomes": dict(outcomes)}


def score(workspace: Workspace) -> dict[str, Any]:
    """Compute pass@k and its interval for every problem, model and sampler."""
    with workspace.writing(), open_store(workspace) as store:
        store.refresh_difficulty()
        rates = store.rows("FROM pass_rates ORDER BY ALL")
        histogram = store.named("histogram")
    return {"pass_rates": rates, "histogram": histogram}


def correct(workspace: Workspace, recipe: Recipe, *, workers: int, opening: Open = opened) -> dict[str, Any]:
    """Ask the teacher to correct failures, judge what it says, and keep what passes and has no fault."""
    asking = asking_of(workspace, recipe, recipe.teacher, "correct", opening)
    asking = replace(asking, budget=recipe.correct.budget)
    with workspace.writing(), open_store(workspace) as store:
        classify(store, workspace, workers=workers)
        found, set_aside, feed = corrections_feed(asking, store, failing_model(store, recipe))
        made = asking.ask(feed, store)
    judge(workspace, workers=workers)
    with workspace.writing(), open_store(workspace) as store:
        revise(store, workspace, workers=workers)
        counts = correction_counts(store, kinds(found))
    return {"failures": len(found), "set_aside": set_aside, "skipped": feed.there, **made, **counts}


def build(workspace: Workspace, recipe: Recipe) -> Path:
    """Make traces of what passed, and a manifest of the traces."""
    check_training(recipe.stages)
    with workspace.writing(), open_store(workspace) as store:
        make_traces(store, workspace, recipe.traces, workers=1)
        return build_manifest(workspace, store, recipe, _traces_of(store, recipe))


def plan(store: Store, recipe: Recipe, *, named: str) -> dict[str, Any]:
    """Return what build would make of a store, and what is missing; named is what commands call the recipe."""
    check_training(recipe.stages)
    return dry_run(store, recipe, _traces_of(store, recipe), named=named)


def _traces_of(store: Store, recipe: Recipe) -> Iterator[Trace]:
    """Yield the traces that a recipe makes of attempts, and imported ones of the domains in whose mixtures they are."""
    patterns = {name for stage in recipe.stages for name in declared(stage).start}
    wanted = [d for d in DOMAINS if any(fits(pattern, f"{d}/imported") for pattern in patterns)]
    return chain(kept_traces(store, recipe.traces), imported_traces(store, wanted))


def evaluate(
    workspace: Workspace, recipe: Recipe, model: str, *, tag: str = HELDOUT, workers: int, opening: Open = opened
) -> dict[str, Any]:
    """Return a model's pass rate, by domain, on the problems with a tag, in the student's template."""
    teacher = replace(recipe.teacher, kind="vllm", model=model)

    def choose(store: Store) -> Chosen:
        return Chosen(store, "list_contains(tags, $tag)", {"tag": tag})

    if recipe.evaluate.until_passed or recipe.evaluate.budget != Budget():
        raise ConfigError("evaluate takes neither until_passed nor a budget: rates compare over equally many attempts")
    asking = asking_of(workspace, recipe, teacher, "evaluate", opening)
    counts = attempt(asking, recipe.evaluate, choose, workers=workers)
    judge(workspace, workers=workers)
    samplers = [recipe.evaluate.domain(domain).sampler for domain in DOMAINS]
    with workspace.writing(), open_store(workspace) as store:
        rates = store.named("evaluation", {"model": counts["model"], "samplers": samplers, "tag": tag})
    return counts | {"rates": rates}
