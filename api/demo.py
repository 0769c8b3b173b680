"""The main job, end to end: problems, attempts, verdicts, difficulty, corrections, manifest, SFT, GSPO, re-score."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

from gradus.api import steps
from gradus.api.commands.table import histogram, table
from gradus.api.runs import describe, plan_run, read_metrics, start_in_foreground
from gradus.curricula.manifest import read
from gradus.curricula.recipe import load_recipe
from gradus.engine.store import open_store
from gradus.engine.teachers.base import Teacher, TeacherConfig, open_teacher
from gradus.engine.workspace import Workspace
from gradus.errors import GradusError
from gradus.log import logger


@dataclass
class SharedTeacher:
    """One teacher for several steps: opened when first asked for, kept until `close`."""

    config: TeacherConfig | None = None
    teacher: Teacher | None = None

    @contextmanager
    def __call__(self, config: TeacherConfig) -> Iterator[Teacher]:
        if config != self.config:
            self.close()
            self.config, self.teacher = config, open_teacher(config)
        assert self.teacher is not None
        yield self.teacher

    def close(self) -> None:
        """Give back the memory."""
        if self.teacher is not None:
            self.teacher.close()
        self.config = self.teacher = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """Overrides of the demo's three recipes."""

    recipe: tuple[str, ...] = ()
    sft: tuple[str, ...] = ()
    rl: tuple[str, ...] = ()


FULL = Size()
REDUCED = Size(
    recipe=(
        "problems=[{generator='arithmetic', num=10, num_heldout=2}, {generator='functions', num=8, num_heldout=2}, "
        "{generator='constraints', num=8, num_heldout=2}]",
        "evaluate.num_attempts=2",
        "rl.band=[0.0, 0.9]",  # so few problems leave hardly any inside the demo's own band
    ),
    sft=("steps=3",),
    rl=("steps=2",),
)


@dataclass
class Demo:
    """What the demo knows as it goes."""

    workspace: Workspace
    size: Size
    workers: int
    opening: SharedTeacher = field(default_factory=SharedTeacher)
    seconds: dict[str, float] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recipe = load_recipe("demo", self.size.recipe)

    def run(self) -> Path:
        """Run every step that is not done yet; return the report's path."""
        for number, (name, step) in enumerate(self._steps(), 1):
            logger.info("\n%d/9 %s", number, name)
            start = time.monotonic()
            self.found[name] = step()
            self.seconds[name] = time.monotonic() - start
            logger.info("    %.0f s", self.seconds[name])
        from gradus.api.report import write_report  # matplotlib takes half a second

        return write_report(self.workspace, self.found, self.seconds)

    def _steps(self) -> list[tuple[str, Callable[[], Any]]]:
        return [
            ("problems", self.problems),
            ("sample", self.sample),
            ("judge", self.judge),
            ("score", self.score),
            ("correct", self.correct),
            ("curriculum", self.curriculum),
            ("train sft", lambda: self.train("sft", self.recipe.student, self.size.sft)),
            ("train rl", lambda: self.train("rl", self.found["train sft"]["name"], self.size.rl)),
            ("re-score", self.rescore),
        ]

    def problems(self) -> dict[str, Any]:
        """Step 1."""
        counts = {}
        for config in self.recipe.problems:
            added = steps.add_problems(self.workspace, steps.generated(config), config.generator)
            counts[config.generator] = added
            logger.info("    %s: %d new, %d there already", config.generator, added["kept"], added["known"])
        return counts

    def sample(self) -> dict[str, Any]:
        """Step 2, and the held-out problems as the student is now: the score before training."""
        counts = steps.sample(self.workspace, self.recipe, opening=self.opening)
        logger.info("    %d attempts made, %d skipped: there already", counts["made"], counts["skipped"])
        before = steps.evaluate(
            self.workspace, self.recipe, self.recipe.student, workers=self.workers, opening=self.opening
        )
        logger.info("    held out: %d attempts made, %d skipped: there already", before["made"], before["skipped"])
        return counts | {"before": before}

    def judge(self) -> dict[str, Any]:
        """Step 3."""
        counts = steps.judge(self.workspace, workers=self.workers)
        with self.workspace.writing(), open_store(self.workspace) as store:
            outcomes = store.rows("SELECT outcome, count(*) AS answers FROM judged GROUP BY 1 ORDER BY 1")
        logger.info("    %s", ", ".join(f"{row['answers']} {row['outcome']}" for row in outcomes))
        return counts | {"outcomes": outcomes}

    def score(self) -> dict[str, Any]:
        """Step 4."""
        found = steps.score(self.workspace)
        student = self.found["sample"]["before"]["model"]
        found["histogram"] = [row for row in found["histogram"] if row["model_id"] == student]
        logger.info("%s", _indented(histogram(found["histogram"])))
        return found

    def correct(self) -> dict[str, Any]:
        """Step 5."""
        counts = steps.correct(self.workspace, self.recipe, workers=self.workers, opening=self.opening)
        text = "    {failures} failures: {made} corrections made, {skipped} skipped: there already; {kept} kept"
        logger.info("%s", text.format(**counts))
        self.opening.close()
        return counts

    def curriculum(self) -> dict[str, Any]:
        """Step 6."""
        path = steps.build(self.workspace, self.recipe)
        manifest = read(path)
        for stage in manifest.stages:
            logger.info("    %s: %d traces, %d tokens", stage.name, stage.num_traces, stage.num_tokens)
        if manifest.rl:
            logger.info("    rl: %d problems in the band %s", manifest.rl.problems.num_rows, list(manifest.rl.band))
        return {"path": path, "manifest": manifest}

    def train(self, kind: str, model: str, overrides: tuple[str, ...]) -> dict[str, Any]:
        """Steps 7 and 8."""
        manifest = self.found["curriculum"]["path"]
        run = plan_run(self.workspace, kind, manifest, model=model, recipe=f"{kind}-demo", overrides=overrides)
        if describe(run.folder)["state"] == "finished":
            logger.info("    %s skipped: finished already", run.folder.name)
        elif start_in_foreground(run):
            raise GradusError(f"{run.folder.name} did not finish; after what is said above, the same command goes on")
        history = read_metrics(run.folder)
        if kind == "sft":  # every step of RL asks other problems: its rewards do not compare
            logger.info("    %s", _from_to(history, "loss"))
        return describe(run.folder) | {"history": history, "export": run.folder / "export"}

    def rescore(self) -> dict[str, Any]:
        """Step 9: in a process of its own, as anybody would load the model."""
        model = str(self.found["train rl"]["export"])
        command = [sys.executable, "-m", "gradus", "eval", "--json", "--workspace", str(self.workspace.root)]
        command += ["--recipe", "demo", "--model", model, *self.size.recipe]
        result = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if result.returncode:
            raise GradusError("the trained model could not be evaluated; see the message above")
        after = json.loads(result.stdout)
        before = {row["domain"]: row for row in self.found["sample"]["before"]["rates"]}
        rows = [
            {
                "domain": row["domain"],
                "held-out problems": row["problems"],
                "before": _rate(before[row["domain"]]),
                "after": _rate(row),
            }
            for row in after["rates"]
        ]
        logger.info("%s", _indented(table(rows)))
        return {"after": after, "table": rows}


def _from_to(history: list[dict[str, Any]], name: str) -> str:
    """Say how a quantity moved: the mean of the first and of the last quarter of the steps."""
    values = [row[name] for row in history if row.get(name) is not None]
    if not values:
        return f"no {name} was measured"
    few = max(1, len(values) // 4)
    return f"{name} {mean(values[:few]):.3f} in the first {few} steps, {mean(values[-few:]):.3f} in the last {few}"


def _rate(row: dict[str, Any]) -> str:
    return f"{row['pass_at_1']:.2f} [{row['low']:.2f}, {row['high']:.2f}]"


def _indented(text: str) -> str:
    return "\n".join("    " + line for line in text.splitlines())
