"""The stages that an executor may spread over ranks: what each rank does with its problems, and what is done once.

They call the functions that the commands call without an executor; only the store that those read is a shard.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from socket import gethostname
from typing import Any

from gradus.api import cleaning, correcting, steps
from gradus.api.asking import Asking, cache_folder
from gradus.api.progress import progress
from gradus.curricula.recipe import Recipe
from gradus.engine import judge as judging
from gradus.engine.clean.dedupe import DedupeConfig
from gradus.engine.clean.key_files import read_key_files, write_keys
from gradus.engine.clean.semantic import SemanticConfig
from gradus.engine.clean.texts import count_texts
from gradus.engine.correct import failures
from gradus.engine.parts import write_json
from gradus.engine.pipeline.executors import ExecutorConfig
from gradus.engine.pipeline.lead import lead
from gradus.engine.pipeline.rank import Task
from gradus.engine.pipeline.reports import Report
from gradus.engine.records import HELDOUT
from gradus.engine.spending import Budget, Spent, share
from gradus.engine.store import Store, open_snapshot, open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError
from gradus.verifiers.pool import Judges

Reports = Mapping[int, Report]
Counts = dict[str, Any]


def sample(workspace: Workspace, recipe: Recipe, config: ExecutorConfig) -> Counts:
    """Attempt every problem that is not held out; each rank opens the recipe's teacher."""
    if recipe.sample.budget.passed:
        raise ConfigError("sample.budget.passed counts over all problems, which ranks cannot: leave out --executor")
    workspace = Workspace(workspace.root.resolve())
    asking = _shared(workspace, recipe, "sample", recipe.sample.budget, config)
    return lead(workspace, SampleStage(asking, many_hosts=config.kind != "local"), config, progress=progress)


def correct(workspace: Workspace, recipe: Recipe, config: ExecutorConfig, *, workers: int) -> Counts:
    """Ask for corrections of failures, judge them, and keep what passes and has no fault; ranks ask and judge."""
    if recipe.correct.budget.passed or recipe.correct.most:
        raise ConfigError("correct.budget.passed and correct.most count over all failures: leave out --executor")
    workspace = Workspace(workspace.root.resolve())
    asking = _shared(workspace, recipe, "correct", recipe.correct.budget, config)
    with workspace.writing(), open_store(workspace) as store:
        correcting.classify(store, workspace, workers=workers)
        model = correcting.failing_model(store, recipe)
    stage = CorrectStage(asking, model, many_hosts=config.kind != "local")
    counts = lead(workspace, stage, config, progress=progress)
    kinds = Counter({(domain, kind): num for domain, kind, num in counts.pop("kinds")})
    judge(workspace, config)
    with workspace.writing(), open_store(workspace) as store:
        correcting.revise(store, workspace, workers=workers)
        return counts | correcting.correction_counts(store, kinds)


def judge(workspace: Workspace, config: ExecutorConfig) -> Counts:
    """Judge every attempt that has no verdict of its verifier's present version."""
    workspace = Workspace(workspace.root.resolve())
    return lead(workspace, JudgeStage(workspace), config, progress=progress)


def dedupe(
    workspace: Workspace, what: str, config: DedupeConfig, semantic: SemanticConfig | None, executor: ExecutorConfig
) -> Counts:
    """Drop the problems or traces that are there already; ranks make the keys, which are compared here."""
    workspace = Workspace(workspace.root.resolve())
    return lead(workspace, DedupeStage(workspace, what, config, semantic), executor, progress=progress)


def decontaminate(workspace: Workspace, against: str, config: ExecutorConfig) -> Counts:
    """Drop the problems and traces that give away a benchmark."""
    workspace = Workspace(workspace.root.resolve())
    return lead(workspace, DecontaminateStage(workspace, against), config, progress=progress)


def _shared(workspace: Workspace, recipe: Recipe, run: str, budget: Budget, config: ExecutorConfig) -> Asking:
    """Return who asks in each rank, with an equal share of what is left of a budget."""
    asking = steps.asking_of(workspace, recipe, recipe.teacher, run, steps.opened)
    return replace(asking, budget=share(budget, asking.purse.ledger.total, config.tasks))


def _in_rank(asking: Asking, task: Task, *, many_hosts: bool) -> Asking:
    """Return who asks in one rank. On many hosts, each has its own cache: one is for the processes of one host."""
    if many_hosts:
        folder = cache_folder(asking.workspace, asking.recipe) / gethostname()
        cache = replace(asking.recipe.cache, folder=str(folder))
        asking = replace(asking, recipe=replace(asking.recipe, cache=cache))
    return replace(asking, rank=task.writer)


def _asked(asking: Asking, reports: Reports, names: tuple[str, ...]) -> Counts:
    """Return the sums of what ranks counted under names, and of what they made and spent."""
    every = [report.counts for report in reports.values()]
    sums = {name: sum(counts[name] for counts in every) for name in (*names, "made", "refused", "failed", "left")}
    last = {name: next((c[name] for c in every if c[name]), "") for name in ("failure", "stopped")}
    now = sum((Spent(**counts["spent"]) for counts in every), Spent())
    in_all = asking.purse.ledger.total
    return {**sums, **last, "spent": asdict(now), "spent_in_all": asdict(in_all)}


@dataclass(frozen=True)
class SampleStage:
    """Ranks ask the teacher about their problems, each within its share of the budget."""

    asking: Asking
    many_hosts: bool
    name = "sample"

    @property
    def settings(self) -> Any:
        return [asdict(self.asking.recipe), self.asking.model_id]

    def count_in(self, store: Store) -> int:
        query = f"SELECT count(*) AS n FROM problems WHERE {steps.TRAINABLE}"
        return int(store.rows(query, {"tag": HELDOUT})[0]["n"]) * self.asking.recipe.sample.num_attempts

    def count_records(self, store: Store) -> int:
        return self.asking.records(store)

    def work(self, store: Store, task: Task) -> Report:
        asking = _in_rank(self.asking, task, many_hosts=self.many_hosts)
        chosen = steps.trainable(store)
        with closing(Judges(max(2, task.cores))) as judges:  # one would judge in this process, which a crash ends
            feed = asking.feed(chosen, asking.recipe.sample, judges)
            task.advance(feed.there)
            made = asking.make(feed, task.advance)
        counts = steps.sample_counts(asking, len(chosen), feed, made)
        num_in = len(chosen) * asking.recipe.sample.num_attempts
        return Report(num_in=num_in, num_records=made["made"] + made["refused"], counts=counts)

    def finish(self, store: Store, folder: Path, reports: Reports) -> Counts:  # noqa: ARG002
        sums = _asked(self.asking, reports, ("problems", "attempts", "skipped"))
        return sums | {"model": self.asking.model_id}


@dataclass(frozen=True)
class CorrectStage:
    """Ranks ask the teacher to correct a model's failures at their problems."""

    asking: Asking
    model: str
    many_hosts: bool
    name = "correct"

    @property
    def settings(self) -> Any:
        return [asdict(self.asking.recipe), self.asking.model_id, self.model]

    def count_in(self, store: Store) -> int:
        return len(failures(store, self.model, self.asking.recipe.correct.failures_per_problem))

    def count_records(self, store: Store) -> int:
        return self.asking.records(store)

    def work(self, store: Store, task: Task) -> Report:
        asking = _in_rank(self.asking, task, many_hosts=self.many_hosts)
        found, set_aside, feed = correcting.corrections_feed(asking, store, self.model)
        made = asking.make(feed, task.advance)
        kinds = [[*key, num] for key, num in correcting.kinds(found).items()]
        counts = {"failures": len(found), "set_aside": set_aside, "skipped": feed.there, "kinds": kinds, **made}
        return Report(num_in=len(found) + set_aside, num_records=made["made"] + made["refused"], counts=counts)

    def finish(self, store: Store, folder: Path, reports: Reports) -> Counts:  # noqa: ARG002
        kinds: Counter[tuple[str, str]] = Counter()
        for report in reports.values():
            for domain, kind, num in report.counts["kinds"]:
                kinds[domain, kind] += num
        sums = _asked(self.asking, reports, ("failures", "set_aside", "skipped"))
        return sums | {"kinds": [(*key, num) for key, num in kinds.items()]}


@dataclass(frozen=True)
class JudgeStage:
    """Ranks judge the attempts at their problems."""

    workspace: Workspace
    name = "judge"
    settings = None  # all of it is in the data: attempts, and verifiers by their versions

    def count_in(self, store: Store) -> int:
        return int(store.rows("SELECT count(*) AS n FROM attempts")[0]["n"])

    def count_records(self, store: Store) -> int:
        return int(store.rows("SELECT count(*) AS n FROM verdicts")[0]["n"])

    def work(self, store: Store, task: Task) -> Report:
        total, rows = self.count_in(store), judging.unjudged(store)
        workers = max(2, task.cores)  # one would judge in this process, which a crash ends
        outcomes = judging.judge(
            rows, self.workspace.parts, run=self.name, workers=workers, rank=task.writer, advance=task.advance
        )
        judged = outcomes.total()
        counts = {"attempts": total, "judged": judged, "skipped": total - judged, "outcomes": dict(outcomes)}
        return Report(num_in=total, num_records=judged, counts=counts)

    def finish(self, store: Store, folder: Path, reports: Reports) -> Counts:  # noqa: ARG002
        every = [report.counts for report in reports.values()]
        outcomes = sum((Counter(counts["outcomes"]) for counts in every), Counter[str]())
        sums = {name: sum(counts[name] for counts in every) for name in ("attempts", "judged", "skipped")}
        return {**sums, "outcomes": dict(outcomes)}


@dataclass(frozen=True)
class DedupeStage:
    """Ranks make the keys of their texts; the one who has them all finds the duplicates."""

    workspace: Workspace
    what: str
    config: DedupeConfig
    semantic: SemanticConfig | None

    @property
    def name(self) -> str:
        return f"dedupe {self.what}"

    @property
    def settings(self) -> Any:
        return asdict(self.config)

    def count_in(self, store: Store) -> int:
        return count_texts(store, self.what, self.name)

    def count_records(self, store: Store) -> int:  # noqa: ARG002
        return 0

    def work(self, store: Store, task: Task) -> Report:
        folder = _made(task.folder / "keys")
        texts = cleaning.READERS[self.what](store, self.name)
        total = 0
        for num in write_keys(folder / f"{task.shard.rank:05d}.parquet", texts, self.config):
            total += num
            task.advance(num)
        return Report(num_in=total)

    def finish(self, store: Store, folder: Path, reports: Reports) -> Counts:  # noqa: ARG002
        keys = read_key_files(folder / "keys")
        return cleaning.dedupe_in(store, self.workspace, self.what, self.config, semantic=self.semantic, keys=keys)


@dataclass(frozen=True)
class DecontaminateStage:
    """Ranks look for a benchmark's problems in their texts."""

    workspace: Workspace
    against: str

    @property
    def name(self) -> str:
        return cleaning.decontaminate_step(self.against)

    @property
    def settings(self) -> Any:
        if self.against == HELDOUT:
            return HELDOUT
        return hashlib.sha256(cleaning.benchmark_path(self.workspace, self.against).read_bytes()).hexdigest()

    def count_in(self, store: Store) -> int:
        cleaning.benchmark_items(self.workspace, store, self.against)  # what is wrong with it is better said here
        return cleaning.count_leakable(store, self.against)

    def count_records(self, store: Store) -> int:  # noqa: ARG002
        return 0

    def work(self, store: Store, task: Task) -> Report:
        with open_snapshot(self.workspace) as whole:
            items = cleaning.benchmark_items(self.workspace, whole, self.against)
        kept, reasons = cleaning.leaks_in(store, items, self.against, task.advance)
        write_json(_made(task.folder / "reasons") / f"{task.shard.rank:05d}.json", reasons)
        return Report(num_in=kept + len(reasons), counts={"kept": kept})

    def finish(self, store: Store, folder: Path, reports: Reports) -> Counts:
        reasons: dict[str, str] = {}
        for path in sorted((folder / "reasons").glob("*.json")):
            reasons |= json.loads(path.read_text())
        total, kept = (sum(r.num_in for r in reports.values()), sum(r.counts["kept"] for r in reports.values()))
        return cleaning.finished(store, self.workspace, self.name, reasons, (total, kept))


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
