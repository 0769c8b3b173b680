"""Reinforcement on a manifest's problems by GSPO: `python -m gradus.trainer.rl`, or under torchrun.

A step samples, judges, and updates in several minibatches. Asked to stop, it ends with the step; killed at any moment,
the same command goes on from the newest checkpoint.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch.distributed as dist

from gradus.log import logger
from gradus.trainer.checkpoint import Checkpoints
from gradus.trainer.command import Job
from gradus.trainer.command import main as run_command
from gradus.trainer.config import RLConfig
from gradus.trainer.evaluate import Evaluation
from gradus.trainer.guard import Guard, Judge
from gradus.trainer.keeping import Keeper
from gradus.trainer.learner import Learner
from gradus.trainer.losses.gspo import CLIPS, JUDGED
from gradus.trainer.policy import improve, layout, pack, score
from gradus.trainer.problems import ProblemBatches
from gradus.trainer.rollout import (
    Rollout,
    TeacherProcess,
    groups_of,
    groups_without_signal,
    read_groups,
    sample,
    write_rollouts,
)
from gradus.trainer.signals import Signals
from gradus.trainer.watch import Watch


def train(job: Job[RLConfig]) -> None:
    """Take all steps, then export."""
    problems = ProblemBatches(job.manifest_path, job.manifest, seed=job.config.seed)
    config = replace(job.config.teacher, model=str(job.model))
    # First, so that the teacher opens while the learner reads its weights.
    with closing(TeacherProcess(config)) if job.platform.is_first else nullcontext() as teacher:
        _train(job, problems, teacher)


def _train(job: Job[RLConfig], problems: ProblemBatches, teacher: TeacherProcess | None) -> None:
    config, platform, run = job.config, job.platform, job.run
    learner = Learner(
        job.model,
        platform,
        context_length=config.teacher.max_context,
        optim=config.optim,
        num_updates=config.steps * config.minibatches,
        compute=config.compute,
        parallel=config.parallel,
    )
    guard = Guard(config.guard, run, lambda step: [name for name, _ in read_groups(_rollouts_path(job, step))])
    end = min(job.until or config.steps, config.steps)
    with Signals() as signals, Checkpoints(run.folder / "checkpoints", config.checkpoint) as checkpoints:
        if last := checkpoints.newest():
            guard.load_state_dict(checkpoints.load(last, learner)["guard"])
        if platform.is_first:
            run.begin(step=last, num_steps=config.steps)
            if problems.num_reserve:
                for step in range(1, last + 1):
                    problems.replace_settled(read_groups(_rollouts_path(job, step)))
        evaluation = Evaluation(job, teacher=teacher)
        keeper = Keeper(job, checkpoints, guard, signals, config.steps, end)
        with Watch(run, platform, config=config.watch, step=last, num_steps=config.steps) as watch:
            if not last and (found := evaluation.before(learner)):
                watch.measured(0, found)
            for step in range(last + 1, end + 1):
                metrics = _step(job, learner, guard, problems=problems, at=(teacher, step))
                metrics |= evaluation.after(step, learner, last=step == end)
                watch.measured(step, metrics)
                keeper.after(step, learner, metrics)
        if end == config.steps:
            checkpoints.take_best(learner)
            learner.export(run.folder / "export", config.export_dtype)
        if platform.is_first:
            run.finish() if end == config.steps else run.pause()
        if end == config.steps:
            checkpoints.finish()
            shutil.rmtree(run.folder / "policy", ignore_errors=True)


def _step(
    job: Job[RLConfig],
    learner: Learner,
    guard: Guard,
    *,
    problems: ProblemBatches,
    at: tuple[TeacherProcess | None, int],
) -> dict[str, Any]:
    """Sample with the current weights, learn, and keep the rollouts."""
    teacher, step = at
    start = time.perf_counter()
    rollouts = _rollouts(job, learner, problems, at)
    sampled_s = time.perf_counter() - start
    replaced = 0
    if teacher:
        write_rollouts(_rollouts_path(job, step), rollouts, policy_version=f"step-{step - 1}")
        replaced = problems.replace_settled(groups_of(rollouts))
    judge = partial(guard.judge, step)
    measured = learn(learner, [r for r in rollouts if r.advantage is not None], job.config, judge=judge)
    if not measured and teacher:
        logger.info("step %d: no group has both better and worse answers; nothing to learn", step)
    times = {"sample_s": sampled_s, "seconds": time.perf_counter() - start}
    return summary(rollouts) | {"replaced": replaced} | measured | times


def _rollouts_path(job: Job[RLConfig], step: int) -> Path:
    return job.run.folder / "rollouts" / f"step-{step:04d}.parquet"


def _rollouts(
    job: Job[RLConfig], learner: Learner, problems: ProblemBatches, at: tuple[TeacherProcess | None, int]
) -> list[Rollout]:
    """Sample on the first process, for all."""
    teacher, step = at
    if step > 1:
        learner.export(job.run.folder / "policy", job.config.export_dtype)
    shared: list[Any] = [None]
    if teacher:
        if step > 1:
            teacher.load_weights(job.run.folder / "policy")
        assert job.manifest.rl is not None
        group_size = job.config.group_size or job.manifest.rl.group_size
        shared = [sample(teacher, problems.take(step), group_size=group_size, seed=(job.config.seed, step))]
    dist.broadcast_object_list(shared)
    return shared[0]


def learn(learner: Learner, rollouts: Sequence[Rollout], config: RLConfig, *, judge: Judge) -> dict[str, float]:
    """Update once for each minibatch of the same rollouts; return nothing where there are none."""
    if not rollouts:
        return {}
    length = config.teacher.max_context
    num_minibatches = min(config.minibatches, len(rollouts))
    minibatches = [
        [
            pack(rows, learner.layout, length=length)
            for rows in layout(
                rollouts[first::num_minibatches], learner.layout, length=length, rows=config.sequences_per_forward
            )
        ]
        for first in range(num_minibatches)
    ]
    # All scored before the first update, and in the very rows of the update: a ratio starts at exactly 1.
    old, measured = score(learner, [packed for packs in minibatches for packed in packs])
    rest = iter(old)
    lr = learner.lr
    updates = [
        improve(learner, packs, [next(rest) for _ in packs], clip=CLIPS[config.clip], judge=judge)
        for packs in minibatches
    ]
    names = dict.fromkeys(name for update in updates for name in update)  # one that was not taken says less
    means = {name: fmean(update[name] for update in updates if name in update) for name in names}
    return measured | means | {"ratio_max": max(update["ratio_max"] for update in updates), "lr": lr}


def summary(rollouts: Sequence[Rollout]) -> dict[str, Any]:
    """Return what the rollouts were worth; the reward is the mean score of those that were judged."""
    judged = [r.verdict.score for r in rollouts if r.verdict.outcome in JUDGED]
    return {
        "reward": fmean(judged) if judged else None,
        "outcomes": dict(Counter(r.verdict.outcome for r in rollouts)),
        "groups_without_signal": groups_without_signal(rollouts),
        "used": sum(r.advantage is not None for r in rollouts),
        "answer_tokens": sum(len(r.completion.token_ids) for r in rollouts),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    return run_command("rl", RLConfig, train, argv)


if __name__ == "__main__":
    sys.exit(main())
