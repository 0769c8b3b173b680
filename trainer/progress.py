"""How far a run is: a bar where a person looks, plain lines elsewhere; always on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from gradus.log import logger


@contextmanager
def progress(title: str, *, step: int, num_steps: int, quiet: bool) -> Iterator[Any]:
    """Give a function (step, metrics) that shows one line; quiet: one that shows nothing."""
    if quiet:
        yield lambda _step, _metrics: None
    elif sys.stderr.isatty():
        columns = TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[line]}")
        with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
            task = bar.add_task(title, total=num_steps, completed=step, line="")
            yield lambda step, metrics: bar.update(task, completed=step, line=line(metrics))
    else:
        yield lambda step, metrics: logger.info("step %d/%d  %s", step, num_steps, line(metrics))


def line(metrics: dict[str, Any]) -> str:
    """Return numbers for reading: four digits, nothing nested."""
    shown = ((name, value) for name, value in metrics.items() if not isinstance(value, dict))
    return "  ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in shown)
