"""Checkpoints by torch.distributed.checkpoint: complete or not there, the last two kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import torch.distributed as dist
import torch.distributed.checkpoint as dcp

from gradus.trainer.learner import Learner

KEPT = 2


class Checkpoints:
    """The folders `step-N` of a run; any number of processes may load what another number saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest(self) -> int:
        """Return the step of the newest complete checkpoint, or 0."""
        return max(self._steps(), default=0)

    def save(self, step: int, learner: Learner) -> None:
        """Write under another name, then rename; drop those older than the last two."""
        fresh, final = self.folder / ".new", self.folder / f"step-{step}"
        if learner.platform.is_first:
            shutil.rmtree(fresh, ignore_errors=True)
            fresh.mkdir(parents=True)
        dist.barrier()
        dcp.save(learner.state_dict(), checkpoint_id=fresh)
        if learner.platform.is_first:
            shutil.rmtree(final, ignore_errors=True)
            fresh.rename(final)
            for old in sorted(self._steps())[:-KEPT]:
                shutil.rmtree(self.folder / f"step-{old}")
        dist.barrier()

    def load(self, step: int, learner: Learner) -> None:
        """Take over the state of a checkpoint."""
        state = learner.state_dict()
        dcp.load(state, checkpoint_id=self.folder / f"step-{step}")
        learner.load_state_dict(state)

    def _steps(self) -> list[int]:
        return [int(path.name.removeprefix("step-")) for path in self.folder.glob("step-*")]
