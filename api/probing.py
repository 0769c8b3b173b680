"""The probe: train the student for a few steps on each teacher's traces alone, and see what it passes then.

Every teacher gets the same steps and the same budget of tokens, the most that all of them can fill with the traces that
were compared. Manifests and runs lie in the workspace's folder `probes`, named by what they depend on, so the same
probe is not run twice; the answers to held-out problems are attempts like all others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradus.api import steps
from gradus.api.asking import Open
from gradus.api.fitting import Fitted, Probed
from gradus.api.runs import describe, plan_run, start_in_foreground
from gradus.curricula import manifest as m
from gradus.curricula.build import build_manifest
from gradus.curricula.chat import Renderer
from gradus.curricula.recipe import Recipe, StageConfig
from gradus.engine.compatibility.intervals import Ratio
from gradus.engine.compatibility.verdict import MIN_PROBLEMS
from gradus.engine.records import DOMAINS, HELDOUT, Trace
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, GradusError

NAME = "probe"
BLOCK = 64
"""Contexts are multiples of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeConfig:
    """How the student is trained and evaluated."""

    steps: int
    recipe: str | None = None
    """The training recipe, as for `gradus train sft`."""
    workers: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeResult:
    """What the student that was trained on one teacher passes in one domain."""

    teacher: str
    domain: str
    num_tokens: int
    """In the curriculum."""
    passes: Ratio
    """Over attempts, by held-out problem."""

    def row(self) -> dict[str, Any]:
        """Return the result for a table."""
        found = self.passes.estimate()
        row = {"teacher": self.teacher, "domain": self.domain, "tokens": self.num_tokens}
        return row | {"heldout": found.num_problems, "pass_at_1": found.value, "low": found.low, "high": found.high}


def probe(
    workspace: Workspace,
    recipe: Recipe,
    student: Path,
    fitted: Fitted,
    config: ProbeConfig,
    *,
    opening: Open = steps.opened,
) -> list[ProbeResult]:
    """Train on every teacher who has enough traces, evaluate, and return a result for each domain."""
    if config.steps < 1:
        raise ConfigError(f"--probe must be at least 1 step, not {config.steps}")
    traces = _by_teacher(fitted)
    if len(traces) < 2:
        raise ConfigError(f"a probe needs two teachers with traces of {MIN_PROBLEMS} problems each")
    recipe = replace(recipe, student=str(student), gates=(), rl=replace(recipe.rl, quotas={}))
    stage = _stage(traces, Renderer(student, recipe.render))
    folder = Workspace.create(workspace.root / "probes")
    results = []
    for teacher, found in traces.items():
        with workspace.writing(), open_store(workspace) as store:
            _check_heldout(store.problems("list_contains(tags, $tag)", {"tag": HELDOUT}))
            named = replace(recipe, name=f"{NAME} {teacher}", stages=(stage,))
            manifest = build_manifest(folder, store, named, found)
        export = _train(folder, manifest, student, config)
        counts = steps.evaluate(workspace, recipe, str(export), workers=config.workers, opening=opening)
        num_tokens = m.read(manifest).stages[0].num_tokens
        results += [
            ProbeResult(teacher=teacher, domain=domain, num_tokens=num_tokens, passes=passes)
            for domain, passes in _passes(workspace, recipe, counts["model"]).items()
        ]
    return results


def pass_rates(results: Sequence[ProbeResult]) -> Probed:
    """Return the results by domain and teacher."""
    found: dict[str, dict[str, Ratio]] = defaultdict(dict)
    for result in results:
        found[result.domain][result.teacher] = result.passes
    return found


def _by_teacher(fitted: Fitted) -> dict[str, list[Trace]]:
    found: dict[str, list[Trace]] = defaultdict(list)
    problems: dict[str, set[str]] = defaultdict(set)
    for one in fitted.scored:
        if one.trace.teacher != fitted.student:
            found[one.trace.teacher].append(one.trace)
            problems[one.trace.teacher].add(one.problem)
    return {teacher: traces for teacher, traces in sorted(found.items()) if len(problems[teacher]) >= MIN_PROBLEMS}


def _stage(traces: Mapping[str, Sequence[Trace]], renderer: Renderer) -> StageConfig:
    """Return a stage as long as the longest trace, with the tokens of the teacher who has fewest."""
    lengths = {
        teacher: [len(renderer.trace(trace.messages, trace.learn)[0]) for trace in found]
        for teacher, found in traces.items()
    }
    return StageConfig(
        name=NAME,
        context_length=-(-max(map(max, lengths.values())) // BLOCK) * BLOCK,
        token_budget=min(map(sum, lengths.values())),
        mixture={"*": 1.0},
        policy="uniform",
    )


def _check_heldout(problems: Sequence[object]) -> None:
    if not problems:
        raise ConfigError(f"a probe needs problems with the tag {HELDOUT!r}; `gradus problems import --tag {HELDOUT}`")


def _train(folder: Workspace, manifest: Path, student: Path, config: ProbeConfig) -> Path:
    overrides = (f"steps={config.steps}",)
    run = plan_run(folder, "sft", manifest, model=str(student), recipe=config.recipe, overrides=overrides)
    finished = run.folder.is_dir() and describe(run.folder)["state"] == "finished"
    if not finished and (status := start_in_foreground(run)):
        raise GradusError(f"probe {run.folder} ended with status {status}; the same command goes on from there")
    return run.folder / "export"


def _passes(workspace: Workspace, recipe: Recipe, model: str) -> dict[str, Ratio]:
    """Return a model's passes over attempts, by domain, on the held-out problems."""
    samplers = [recipe.evaluate.domain(domain).sampler for domain in DOMAINS]
    with workspace.writing(), open_store(workspace) as store:
        rows = store.named("heldout_passes", {"model": model, "samplers": samplers, "tag": HELDOUT})
    found = {}
    for domain in sorted({row["domain"] for row in rows}):
        chosen = [row for row in rows if row["domain"] == domain]
        columns = ([row[name] for row in chosen] for name in ("problem_id", "num_passed", "num_attempts"))
        found[domain] = Ratio(*columns)
    return found
