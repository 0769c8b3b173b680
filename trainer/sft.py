"""Supervised training on a manifest's stages: `python -m gradus.trainer.sft`, by itself or under torchrun.

Killed at any moment, the same command goes on from the newest checkpoint and measures the same losses
as if nothing had happened.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import torch

from gradus.trainer.batch import Batch
from gradus.trainer.checkpoint import Checkpoints
from gradus.trainer.command import Job
from gradus.trainer.command import main as run_command
from gradus.trainer.config import SFTConfig
from gradus.trainer.data import CurriculumData
from gradus.trainer.learner import Learner
from gradus.trainer.losses.cross_entropy import count_labels
from gradus.trainer.progress import progress


def train(job: Job[SFTConfig]) -> None:
    """Go through the stages, then export."""
    config, platform, run = job.config, job.platform, job.run
    data = CurriculumData(job.manifest_path, job.manifest, config=config, platform=platform)
    learner = Learner(
        job.model,
        platform,
        context_length=data.context_length,
        optim=config.optim,
        num_updates=data.num_steps,
        compute=config.compute,
    )
    checkpoints = Checkpoints(run.folder / "checkpoints")
    if last := checkpoints.newest():
        checkpoints.load(last, learner)
    if platform.is_first:
        run.begin(step=last, num_steps=data.num_steps)
    with progress("sft", step=last, num_steps=data.num_steps, quiet=not platform.is_first) as show:
        for step in range(last + 1, data.num_steps + 1):
            metrics = {"stage": data.stage(step).name} | train_step(learner, list(data.batches(step)))
            if platform.is_first:
                run.measured(step, metrics)
            show(step, metrics)
            if step % config.checkpoint_every == 0 or step == data.num_steps:
                checkpoints.save(step, learner)
    learner.export(run.folder / "export", config.export_dtype)
    if platform.is_first:
        run.finish()


def train_step(learner: Learner, batches: Sequence[Batch]) -> dict[str, float]:
    """Take one update with this process's batches of a step; return what was measured over all processes."""
    start, lr = time.perf_counter(), learner.lr
    device = learner.platform.device
    batches = [batch.to(device) for batch in batches]
    counts = [[count_labels(batch.labels_BT), (batch.document_BT >= 0).sum()] for batch in batches]
    num_labels, num_tokens = learner.total(torch.tensor(counts, dtype=torch.float64, device=device).sum(dim=0))
    loss = torch.zeros((), device=device)
    for batch in batches:
        loss += learner.backward(batch, num_labels.clamp(min=1).float())
    grad_norm = learner.update()
    return {
        "loss": float(learner.total(loss)),
        "grad_norm": grad_norm,
        "lr": lr,
        "tokens": int(num_tokens),
        "tokens_per_s": float(num_tokens) / (time.perf_counter() - start),
    }


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line."""
    return run_command("sft", SFTConfig, train, argv)


if __name__ == "__main__":
    sys.exit(main())
