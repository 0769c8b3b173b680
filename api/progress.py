"""Progress bars on standard error; plain lines every ten seconds where that is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gradus.log import logger

LINE_EVERY_S = 10.0


@contextmanager
def progress(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """Yield advance(n). total is None where nobody knows it."""
    if total == 0:
        yield lambda _: None
    elif sys.stderr.isatty():
        columns = TextColumn("{task.description:<10}"), BarColumn(), MofNCompleteColumn()
        with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
            task = bar.add_task(what, total=total)
            yield lambda n: bar.advance(task, n)
    else:
        yield _Lines(what, total)


class _Lines:
    def __init__(self, what: str, total: int | None) -> None:
        self.what, self.total, self.done = what, total, 0
        self.start = self.last = time.monotonic()

    def __call__(self, n: int) -> None:
        self.done += n
        now = time.monotonic()
        if (self.total is None or self.done < self.total) and now - self.last < LINE_EVERY_S:
            return
        self.last = now
        seconds = now - self.start
        if self.total is None:
            logger.info("  %s %d, %.0f s", self.what, self.done, seconds)
            return
        left = seconds / self.done * (self.total - self.done) if self.done else 0.0
        logger.info("  %s %d/%d, %.0f s, %.0f s left", self.what, self.done, self.total, seconds, left)
