"""Supervised training on a manifest's stages: `python -m gradus.trainer.sft`, by itself or under torchrun.

Killed at any moment, the same command goes on from the newest checkpoint and measures the same losses
as if nothing had happened.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from gradus.log import logger
from gradus.trainer.batch import Batch
from gradus.trainer.checkpoint import Checkpoints
from gradus.trainer.command import Job
from gradus.trainer.command import main as run_command
from gradus.trainer.config import SFTConfig
from gradus.trainer.data import CurriculumData
from gradus.trainer.evaluate import Evaluation
from gradus.trainer.flops import count_pairs, mfu
from gradus.trainer.guard import Guard, Verdict
from gradus.trainer.keeping import Keeper
from gradus.trainer.learner import Learner, planned
from gradus.trainer.losses.cross_entropy import count_labels
from gradus.trainer.platform import Platform
from gradus.trainer.progress import line
from gradus.trainer.signals import Signals
from gradus.trainer.stages import StagePlan, naming, told
from gradus.trainer.watch import Watch


@dataclass(frozen=True, slots=True)
class Parts:
    """What lasts through all stages of a run."""

    job: Job[SFTConfig]
    data: CurriculumData
    keeper: Keeper
    watch: Watch
    evaluation: Evaluation


def train(job: Job[SFTConfig]) -> None:
    """Go through the stages, then export; or pause where the job says."""
    config, run, platform = job.config, job.run, job.platform
    data = CurriculumData(job.manifest_path, job.manifest, config)
    end = min(job.until or data.num_steps, data.num_steps)
    guard = Guard(config.guard, run, data.trace_ids)
    with Signals() as signals, Checkpoints(run.folder / "checkpoints", config.checkpoint) as checkpoints:
        step = checkpoints.newest()
        check_stages(job.model, platform, data.left(step, end))
        if platform.is_first:
            run.begin(step=step, num_steps=data.num_steps)
            for plan in data.plans:
                logger.info("%s", line(told(plan)))
        with Watch(run, platform, config=config.watch, step=step, num_steps=data.num_steps) as watch:
            keeper = Keeper(job, checkpoints, guard, signals, data.num_steps, end)
            parts = Parts(job, data, keeper, watch, Evaluation(job))
            for plan in data.left(step, end):
                step = train_stage(parts, plan, step)
                _make_room(platform)
        if platform.is_first:
            run.finish() if end == data.num_steps else run.pause()
        if end == data.num_steps:
            checkpoints.finish()


def check_stages(model: Path, platform: Platform, plans: Sequence[StagePlan]) -> None:
    """Refuse what a later stage cannot be trained in before the stages ahead of it have taken days."""
    for plan in plans:
        length, settings = plan.stage.context_length, plan.settings
        with naming(plan):
            spec, layout = planned(
                model,
                platform,
                context_length=length,
                optim=settings.optim,
                parallel=settings.parallel,
                rope=settings.rope,
            )
            layout.check(spec.model, length)


def train_stage(parts: Parts, plan: StagePlan, done: int) -> int:
    """Go on from the steps done to the stage's end, with a learner for this stage; return the last step.

    Its state is that of the step before, whichever stage, layout or number of processes that was taken with.
    """
    job, data, checkpoints, guard = parts.job, parts.data, parts.keeper.checkpoints, parts.keeper.guard
    learner = _learner(job, plan)
    if done:
        guard.load_state_dict(checkpoints.load(done, learner)["guard"])
    if done == plan.first_step:
        guard.forget()
    learner.begin(done - plan.schedule_start)
    last = min(plan.last_step, parts.keeper.end)
    if not done and (found := parts.evaluation.before(learner)):
        parts.watch.measured(0, found)
    for step in range(done + 1, last + 1):
        batches = list(data.batches(step, learner.layout))
        measured = train_step(learner, batches, lambda *found, step=step: guard.judge(step, *found))
        if measured.get("guard") == "rewind" and (saved := checkpoints.newest(stops=False)):
            checkpoints.load(saved, learner)
            learner.begin(step - plan.schedule_start)
        measured |= parts.evaluation.after(step, learner, last=step == last)
        parts.watch.measured(step, {"stage": plan.name} | measured)
        parts.keeper.after(step, learner, measured, due=step == plan.last_step < data.num_steps)
    if last == data.num_steps:
        checkpoints.take_best(learner, after=plan.first_step)
        learner.export(job.run.folder / "export", job.config.export_dtype)
    return last


def _make_room(platform: Platform) -> None:
    """Let go of a stage's learner, and of what was compiled for it."""
    gc.collect()  # it holds itself in circles
    if platform.on_gpu:
        torch.compiler.reset()  # else another context would be compiled as one of any length, which is slower
        torch.cuda.empty_cache()


def _learner(job: Job[SFTConfig], plan: StagePlan) -> Learner:
    settings = plan.settings
    return Learner(
        job.model,
        job.platform,
        context_length=plan.stage.context_length,
        optim=settings.optim,
        num_updates=plan.schedule_steps,
        compute=settings.compute,
        parallel=settings.parallel,
        rope=settings.rope,
    )


def train_step(
    learner: Learner, batches: Sequence[Batch], judge: Callable[[float, float], Verdict] = lambda *_: "take"
) -> dict[str, Any]:
    """Take one update with this process's batches of a step, if judge takes it; return what all processes measured."""
    start, lr = time.perf_counter(), learner.lr
    device = learner.platform.device
    counts = [[count_labels(one.labels_BT), (one.document_BT >= 0).sum(), count_pairs(one)] for one in batches]
    num_labels, *work = learner.total(torch.tensor(counts, dtype=torch.float64).sum(dim=0).to(device))
    batches = [batch.to(device) for batch in batches]
    loss = torch.zeros((), device=device)
    for batch in learner.in_turn(batches):
        loss += learner.backward(batch, num_labels.clamp(min=1).float())
    total, grad_norm = learner.total(loss), learner.clip()
    measured = {"loss": float(total), "grad_norm": grad_norm}  # read so late lest the clipping wait for the device
    verdict = judge(*measured.values())
    if verdict == "take":
        measured |= learner.step()
    else:
        learner.discard()
    num_tokens, num_pairs = map(int, work)  # waits for the device, the optimizer's step included
    seconds = time.perf_counter() - start
    speed = {"lr": lr, "tokens": num_tokens, "tokens_per_s": num_tokens / seconds}
    if used := mfu(learner.flops.step(num_tokens, num_pairs), seconds, learner.platform):
        speed["mfu"] = used
    return measured | speed | ({} if verdict == "take" else {"guard": verdict})


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    return run_command("sft", SFTConfig, train, argv)


if __name__ == "__main__":
    sys.exit(main())
