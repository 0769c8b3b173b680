"""How far a run is: a bar where a person looks, plain lines elsewhere; always on standard error.

The time left is at the pace of the last steps, what came between them included; a stage to come may be slower.
"""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from gradus.log import logger

LOOKED_BACK = 50
"""Steps whose pace says how long the rest takes."""
PERCENT = {"mfu", "eval_pass_rate"}


@contextmanager
def progress(title: str, *, step: int, num_steps: int) -> Iterator[Any]:
    """Give a function (step, metrics) that shows one line."""
    left = TimeLeft(num_steps, step)
    if sys.stderr.isatty():
        columns = TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[line]}")
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task(title, total=num_steps, completed=step, line="")
            yield lambda step, metrics: bar.update(task, completed=step, line=f"{left.after(step)}  {line(metrics)}")
    else:
        yield lambda step, metrics: logger.info("step %d/%d  %s  %s", step, num_steps, line(metrics), left.after(step))


class TimeLeft:
    """How long the steps to come take, at the pace of the last ones."""

    def __init__(self, num_steps: int, step: int) -> None:
        self._num_steps = num_steps
        self._seen = deque([(step, time.monotonic())], maxlen=LOOKED_BACK + 1)

    def after(self, step: int) -> str:
        """Return the time left after a step that has just ended."""
        self._seen.append((step, time.monotonic()))
        (first, then), (last, now) = self._seen[0], self._seen[-1]
        seconds = (now - then) / max(last - first, 1) * (self._num_steps - step)
        return f"left {timedelta(seconds=round(seconds))}"


def line(metrics: dict[str, Any]) -> str:
    """Return numbers for reading, nothing nested."""
    return "  ".join(f"{name} {_shown(name, value)}" for name, value in metrics.items() if not isinstance(value, dict))


def _shown(name: str, value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    if name in PERCENT:
        return f"{value:.1%}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
