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
        best = (worth := quality(measured)) is not None and self.checkpoints.best(step, worth)
        asked = self.signals.stop_asked()
        stop = asked or step == self.end < self.num_steps
        due = due or best or self.checkpoints.is_due(step, num_steps=self.num_steps)
        if due or stop:
            self.checkpoints.save(step, learner, {"guard": self.guard.state_dict()}, stop=not due)
        if stop:
            self.checkpoints.wait()
        if asked:
            self.job.stop(step, self.num_steps)
