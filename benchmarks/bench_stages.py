"""Is the loss continuous where context, mixture, learning rate and layout change: 16 to 32 to 64 Ki tokens.

    python benchmarks/bench_stages.py [--plot FILE] [--model qwen3-0.6b --lr 3e-4 --longest 40000]

One curriculum (stages_course.py) is trained three times. `one_run`: one start, on two processes, the last stage with
two to a sequence. `resumed`: the first stage by one process, then stopped at each stage's end and gone on with by two.
`control`: no stages: one learner in one process, rows of 16 Ki, the documents and learning rates of the same steps; a
longer document has a row of its own. On one GPU all have one process. Held-out loss is measured after every step, and
at each boundary by the next stage's learner before it learns: `handed_over`. `nearby` are the largest changes from step
to step among the three steps before a boundary's, and among the three after.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import torch
from bench_train import MODELS
from common import about
from stages_course import HELD_OUT, STAGES, build, made, make_model

from gradus.config import build as built
from gradus.config import load, plain
from gradus.curricula.manifest import read
from gradus.trainer import platform as platforms
from gradus.trainer.batch import Document, collate, num_tokens
from gradus.trainer.checkpoint import Checkpoints
from gradus.trainer.command import Job
from gradus.trainer.config import SFTConfig
from gradus.trainer.data import StageData
from gradus.trainer.evaluate import Evaluation
from gradus.trainer.learner import Learner
from gradus.trainer.run import METRICS, Run, read_rows
from gradus.trainer.sft import train_step
from gradus.trainer.stages import StagePlan, plan_stages

NEARBY = 3
ROW = STAGES[0].context
FIXED = ("optim.warmup_steps=2", "evaluate.every=1", "evaluate.attempts=0", "checkpoint.keep=1", "checkpoint.every=999")
Rows = list[dict[str, Any]]


class Course:
    """The files of one comparison, and what starts processes on them."""

    def __init__(self, folder: Path, args: argparse.Namespace) -> None:
        self.folder, self.model = folder, folder / "model"
        self.num_processes = 2 if not torch.cuda.is_available() else min(2, torch.cuda.device_count())
        make_model(self.model, args.model)
        lr, scale, longest = args.lr, args.scale, args.longest
        stages = "".join(stage.toml(scale=scale, lr=lr) for stage in STAGES)
        num_tokens = scale * sum(stage.num_tokens for stage in STAGES) * 7 // 10
        self.manifest = build(folder / "ours", self.model, made("ours", num_tokens=num_tokens, longest=longest), stages)
        others = made("theirs", num_tokens=HELD_OUT.num_tokens, longest=min(longest, ROW))
        self.heldout = build(folder / "theirs", self.model, others, HELD_OUT.toml(scale=1, lr=lr))
        self.settings = [*FIXED, f"evaluate.manifest={self.heldout}"]
        if self.num_processes == 1:
            self.settings += [f"stages.{stage.name}.parallel.context=1" for stage in STAGES]
        if torch.cuda.is_available():  # else 64 Ki tokens of 0.6B parameters take more than 80 GB
            self.settings.append(f"stages.{STAGES[-1].name}.compute.activation_checkpointing=selective")
        self.config = load(SFTConfig, None, self.settings)
        self.plans = plan_stages(read(self.manifest), self.config)

    def train(self, run: str, num_processes: int, *until: str) -> Rows:
        """Train, or go on; return what was measured."""
        where = ["--manifest", self.manifest, "--model", self.model, "--run", self.folder / run]
        self._start(num_processes, "-m", "gradus.trainer.sft", "--", *where, *until, *self.settings)
        return read_rows(self.folder / run / METRICS)

    def handed_over(self, run: str) -> float:
        """Return the held-out loss of a paused run's weights, in the hands of the next stage's learner."""
        told = self._start(self.num_processes, __file__, "--handed-over", self.folder / run, self.manifest)
        return float(json.loads(told.splitlines()[-1]))

    def _start(self, num_processes: int, *command: object) -> str:
        if num_processes == 1:
            command = tuple(word for word in command if word != "--")
        else:
            launch = ("-m", "gradus.trainer.processes", "--standalone", f"--nproc-per-node={num_processes}")
            command = (*launch, *command)
        # Several threads make products as small as these no faster, and on a busy machine slower.
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        words = [sys.executable, *map(str, command)]
        return subprocess.run(words, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def hand_over(run: Path, manifest_path: Path) -> None:
    """Print the held-out loss of a paused run's weights by a learner of the stage that comes next."""
    record, manifest = json.loads((run / "run.json").read_text()), read(manifest_path)
    config, model = built(SFTConfig, record["config"], "run.json"), Path(record["model"])
    platform = platforms.start()
    identity = {key: record[key] for key in ("kind", "manifest", "model", "config")}
    job = Job(manifest_path, manifest, model, config, Run(run, **identity), platform)
    with Checkpoints(run / "checkpoints", config.checkpoint) as checkpoints:
        step = checkpoints.newest()
        learner = make_learner(model, platform, next(p for p in plan_stages(manifest, config) if p.first_step == step))
        checkpoints.load(step, learner)
        found = Evaluation(job).before(learner)["eval_loss"]
    if platform.is_first:
        print(json.dumps(found), flush=True)
    platforms.stop()


def make_learner(model: Path, platform: platforms.Platform, plan: StagePlan, context: int | None = None) -> Learner:
    return Learner(
        model,
        platform,
        context_length=context or plan.stage.context_length,
        optim=plan.settings.optim,
        num_updates=plan.schedule_steps,
        compute=plan.settings.compute,
        parallel=plan.settings.parallel,
    )


def control(course: Course, lrs: Sequence[float]) -> Rows:
    """Take the same documents in the same steps, in short rows, with one learner that nothing interrupts."""
    torch.set_num_threads(1)
    platform = platforms.start()
    manifest = read(course.manifest)
    identity = {"kind": "sft", "manifest": manifest.id, "model": str(course.model), "config": plain(course.config)}
    run = Run(course.folder / "control", **identity)
    job = Job(course.manifest, manifest, course.model, course.config, run, platform)
    learner = make_learner(course.model, platform, course.plans[0], context=STAGES[-1].context)
    evaluation, rows = Evaluation(job), []
    for step, (documents, lr) in enumerate(zip(steps(course), lrs, strict=True), 1):
        for scheduler in learner._schedulers:
            for group in scheduler.optimizer.param_groups:
                group["lr"] = lr
        batches = [collate([row], length(row)) for row in repacked(documents)]
        rows.append({"step": step} | train_step(learner, batches) | evaluation.after(step, learner, last=False))
    platforms.stop()
    return rows


def steps(course: Course) -> Iterator[list[Document]]:
    """Yield the documents of each step, in order."""
    for plan in course.plans:
        data, num = StageData(course.manifest, plan.stage), plan.settings.sequences_per_step
        for first in range(0, len(data), num):
            yield [document for number in range(first, min(first + num, len(data))) for document in data[number]]


def repacked(documents: Sequence[Document]) -> list[list[Document]]:
    """Fill one row after another; a document longer than a row is one by itself."""
    rows: list[list[Document]] = [[]]
    for document in documents:
        if rows[-1] and num_tokens([*rows[-1], document]) > ROW:
            rows.append([])
        rows[-1].append(document)
    return rows


def length(row: Sequence[Document]) -> int:
    return next(stage.context for stage in STAGES if num_tokens(row) <= stage.context)


def compare(course: Course, runs: dict[str, Rows], handed_over: dict[str, float]) -> Iterator[dict[str, Any]]:
    """Yield a line for each stage, one for each boundary, and how far the runs are apart."""
    ours = runs["one_run"]
    held = [row["eval_loss"] for row in ours]
    changes = [after - before for before, after in pairwise(held)]  # of step i + 1
    for stage, plan in zip(STAGES, course.plans, strict=True):
        mine, last = ours[plan.first_step + 1 : plan.last_step + 1], plan.first_step
        found = {"stage": plan.name, "context": stage.context, "mixture": stage.mixture, "steps": plan.num_steps}
        found |= {"tokens_per_step": round(median(row["tokens"] for row in mine)), "lr": plan.settings.optim.lr}
        found |= {"processes_per_sequence": plan.settings.parallel.context, "eval_loss_at_end": held[plan.last_step]}
        if last:
            near = [*changes[max(0, last - NEARBY) : last], *changes[last + 1 : last + 1 + NEARBY]]
            found |= {"before": held[last], "handed_over": handed_over[plan.name], "after_first_step": held[last + 1]}
            found |= {"change": changes[last], "largest_nearby": max(near, key=abs)}
        yield found
    for other in ("resumed", "control"):
        pairs = list(zip(ours[1:], runs[other][-len(ours) + 1 :], strict=True))
        apart = {name: max(abs(a[name] - b[name]) for a, b in pairs) for name in ("loss", "eval_loss")}
        yield {"one_run_against": other, "steps": len(pairs), "largest_difference": apart}


def draw(course: Course, runs: dict[str, Rows], path: Path) -> None:
    """Draw held-out loss by tokens with the stages' boundaries, and how far the others are from the one run."""
    from matplotlib.figure import Figure

    from gradus.api.pictures import save_picture

    figure = Figure(figsize=(9, 6.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    ours = runs["one_run"]
    seen = [0, *accumulate(row["tokens"] / 1000 for row in ours[1:])]
    held = {name: [row["eval_loss"] for row in rows[-len(seen) + 1 :]] for name, rows in runs.items()}
    above.plot(
        seen[1:], [row["loss"] for row in ours[1:]], "-", color="#c9c9c9", label="loss of the step's own documents"
    )
    styles = {"one_run": ("o-", "#3565c0"), "resumed": ("x", "#c0603a"), "control": ("+", "#2f7d4f")}
    for name, (marks, colour) in styles.items():
        above.plot(seen[1:], held[name], marks, markersize=5, color=colour, label=f"held out, {name.replace('_', ' ')}")
        if name != "one_run":
            apart = [abs(a - b) for a, b in zip(held["one_run"], held[name], strict=True)]
            below.plot(seen[1:], apart, marks, color=colour, label=f"{name} against the one run")
    above.set_ylabel("loss, nats a token")
    below.set_ylabel("difference of held-out loss")
    below.set_xlabel("thousand tokens trained on")
    for plan in course.plans:
        for axes in (above, below):
            axes.axvline(seen[plan.first_step], color="#888888", linestyle=":")
        said = f" {plan.name}, lr {plan.settings.optim.lr:g}"
        above.text(seen[plan.first_step], 1, said, va="top", transform=above.get_xaxis_transform(), color="#777777")
    for axes in (above, below):
        axes.legend(frameon=False, fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    save_picture(figure, path)


def bench(folder: Path, args: argparse.Namespace) -> None:
    seconds, marks = {}, [time.perf_counter()]

    def took(what: str) -> None:
        marks.append(time.perf_counter())
        seconds[what] = round(marks[-1] - marks[-2], 1)

    course = Course(folder, args)
    took("curriculum")
    num, handed_over = course.num_processes, {}
    runs = {"one_run": course.train("one_run", num)}
    took("one_run")
    for number, (before, after) in enumerate(pairwise(course.plans)):
        course.train("resumed", num if number else 1, "--until", str(before.last_step))
        handed_over[after.name] = course.handed_over("resumed")
    runs["resumed"] = course.train("resumed", num)
    took("resumed")
    runs["control"] = control(course, [row["lr"] for row in runs["one_run"][1:]])
    took("control")
    about_it = {"model": args.model, "processes": num, "optimizer": course.config.optim.name}
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for line in compare(course, runs, handed_over):
        print(json.dumps(line), flush=True)
    print(json.dumps(about_it | {"seconds": seconds} | about(device)), flush=True)
    if args.plot:
        draw(course, runs, args.plot)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=("tiny", *MODELS), default="tiny")
    parser.add_argument("--lr", type=float, default=4e-3, help="of the first stage")
    parser.add_argument("--scale", type=int, default=1, help="so many times as many steps")
    parser.add_argument("--longest", type=int, default=5000, help="tokens of a document, about")
    parser.add_argument("--plot", type=Path, help="PNG or SVG")
    parser.add_argument("--handed-over", nargs=2, type=Path, metavar=("RUN", "MANIFEST"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.handed_over:
        hand_over(*args.handed_over)
        return
    with tempfile.TemporaryDirectory() as folder:
        bench(Path(folder), args)


if __name__ == "__main__":
    main()
