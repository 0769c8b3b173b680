"""Steps that are not taken: a loss or gradient that is not finite, or far above those of the last steps.

Far above: x > median + k · max(1.4826 · MAD, 1% of the median), over the last steps that were taken; MAD is the median
absolute deviation. What is not taken is written to the run's events.jsonl with the traces that the step was made of.
Only upwards: a loss that falls is no reason to worry. Losses of single traces are not known.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any, Literal

import torch
import torch.distributed as dist

from gradus.errors import DataError
from gradus.log import logger
from gradus.trainer.config import GuardConfig
from gradus.trainer.run import Run

Verdict = Literal["take", "skip", "rewind"]
Judge = Callable[[float, float], Verdict]
"""Takes a loss and the gradient's norm."""
NORMAL = 1.4826
"""Standard deviations of a normal distribution in one median absolute deviation."""
LEAST = 0.01
"""Of the median, the least that counts as a deviation: a flat loss would make a spike of every ripple."""


class Guard:
    """Judges every step by its loss and by its gradient's norm, both over all processes."""

    def __init__(self, config: GuardConfig, run: Run, traces: Callable[[int], Sequence[str]]) -> None:
        self._config, self._run, self._traces = config, run, traces
        self._taken: dict[str, deque[float]] = {}
        self._refused = 0
        self.forget()

    def judge(self, step: int, loss: float, grad_norm: float) -> Verdict:
        """Say what to do with a step whose gradient is there; DataError after too many that were not taken."""
        measured = dict(zip(("loss", "gradient's norm"), _of_the_first(loss, grad_norm), strict=True))
        not_finite = [f"the {name} is {value}" for name, value in measured.items() if not math.isfinite(value)]
        reasons = not_finite or [text for name, value in measured.items() if (text := self._spike(name, value))]
        if not reasons:
            for name, value in measured.items():
                self._taken[name].append(value)
            self._refused = 0
            return "take"
        verdict: Verdict = "rewind" if self._config.policy == "rewind" and not not_finite else "skip"
        self._refuse(step, verdict, "; ".join(reasons))
        return verdict

    def forget(self) -> None:
        """Begin a stage: another context or mixture has losses of another size."""
        self._taken = {name: deque(maxlen=self._config.window) for name in ("loss", "gradient's norm")}

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run judges by, as JSON."""
        return {"refused": self._refused, "taken": {name: list(values) for name, values in self._taken.items()}}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._refused = state["refused"]
        for name, values in state["taken"].items():
            self._taken[name] = deque(values, maxlen=self._config.window)

    def _spike(self, name: str, value: float) -> str:
        taken = self._taken[name]
        if self._config.policy == "off" or len(taken) < self._config.min_steps:
            return ""
        limit = threshold(taken, self._config.deviations)
        return f"the {name} is {value:.4g}, over {limit:.4g}" if value > limit else ""

    def _refuse(self, step: int, verdict: Verdict, reason: str) -> None:
        self._refused += 1
        if dist.get_rank() == 0:
            self._run.event(step, verdict, reason=reason, traces=list(self._traces(step)))
            logger.warning("step %d is not taken (%s): %s", step, verdict, reason)
        if self._refused >= self._config.max_in_a_row:
            raise DataError(
                f"step {step}: {self._refused} steps in a row were not taken, the last because {reason}; `gradus runs "
                f"blame {self._run.folder.name} {step}` shows its traces. Try a smaller optim.lr, or guard.policy=off"
            )


def threshold(values: Iterable[float], deviations: float) -> float:
    """Return what lies so many deviations above the median."""
    values = list(values)
    middle = median(values)
    deviation = NORMAL * median(abs(value - middle) for value in values)
    return middle + deviations * max(deviation, LEAST * abs(middle))


def _of_the_first(*values: float) -> list[float]:
    """Return the first process's values: a difference in the last bit must not part the processes."""
    shared = torch.tensor(values, dtype=torch.float64)
    dist.broadcast(shared, 0)
    found: list[float] = shared.tolist()
    return found
