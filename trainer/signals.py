"""Ctrl-C and SIGTERM ask a run to stop: the step under way is finished and saved first, on all processes at once.

A second Ctrl-C, two seconds or more after the first, ends the run as it stands; torchrun hands on one that a terminal
has given already. Not covered: SIGKILL, after which the run goes on from its last checkpoint.
"""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import Any, Self

import torch
import torch.distributed as dist

SIGNALS = (signal.SIGINT, signal.SIGTERM)
AGAIN_S = 2.0


class Signals:
    """While this is entered, signals are noted."""

    def __init__(self) -> None:
        self._asked_at: float | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        self._before = {number: signal.signal(number, self._ask) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop_asked(self) -> bool:
        """Whether any process was asked to stop; every process asks this, after every step, and hears the same."""
        asked = torch.tensor(int(self._asked_at is not None))
        dist.all_reduce(asked, dist.ReduceOp.MAX)
        return bool(asked)

    def _ask(self, number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._asked_at is None:
            self._asked_at = now
            if os.environ.get("RANK", "0") == "0":  # a logger may be in the middle of a line
                os.write(2, b"asked to stop: the step under way is finished and saved first\n")
        elif number == signal.SIGINT and now - self._asked_at > AGAIN_S:
            raise KeyboardInterrupt
