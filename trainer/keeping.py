"""What both trainers do when a step is over: keep its state where that is due, and end where that was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gradus.trainer.checkpoint import Checkpoints
from gradus.trainer.command import Job
from gradus.trainer.evaluate import quality
from gradus.trainer.guard import Guard
from gradus.trainer.learner import Learner
from gradus.trainer.signals import Signals


@dataclass(frozen=True, slots=True)
class Keeper:
    """What a run's state is kept with; call `after` on every process after every step."""

    job: Job[Any]
    checkpoints: Checkpoints
    guard: Guard
    signals: Signals
    num_steps: int
    end: int
    """The step to go to: the last, or an earlier one to pause after."""

    def after(self, step: int, learner: Learner, measured: dict[str, Any], *, due: bool = False) -> None:
        """Save a step's state if it is due, the best so far, or where the run ends for now; StoppedError if asked."""
        pause = step == self.end < self.num_steps
        best, worth = False, quality(measured)
        # An evaluation that was made for a pause alone must not decide what is exported.
        if worth is not None and (not pause or due or step % self.job.config.evaluate.every == 0):
            best = self.checkpoints.best(step, worth)
        asked = self.signals.stop_asked()
        stop = asked or pause
        due = due or best or self.checkpoints.is_due(step, num_steps=self.num_steps)
        if due or stop:
            self.checkpoints.save(step, learner, {"guard": self.guard.state_dict()}, stop=not due)
        if stop:
            self.checkpoints.wait()
        if asked:
            self.job.stop(step, self.num_steps)
