"""A run's events: its state and its metrics as they come. An event's id is the last step before it or its own.

A run that goes on from an older checkpoint forgets what it measured later: readers are told by `rewound`, and get those
steps again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gradus.api.jobs.events import Event
from gradus.api.runs import OVER, run_state
from gradus.trainer.run import METRICS


class Watch:
    """One reader's view of a run; reads each line once, unless the file is another one."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / METRICS
        self._state = ""
        self._file, self._place, self._step = 0, 0, 0

    @property
    def over(self) -> bool:
        """Whether the run has ended, well or not."""
        return run_state(self._folder) in OVER

    def read(self, after: int) -> Iterator[Event]:
        """Yield what is new behind a step."""
        state = run_state(self._folder)
        if state != self._state:
            self._state = state
            yield Event(after, "state", {"state": state})
        lines = list(self._lines())
        if self._step < after:
            yield Event(self._step, "rewound", {"step": self._step})
        # A run that is evaluated before its first step has a row of step 0.
        fresh = (row for row in lines if row["step"] > after or row["step"] == after == 0)
        yield from (Event(row["step"], "metrics", row) for row in fresh)

    def _lines(self) -> Iterator[dict[str, Any]]:
        """Yield the whole lines that were not read yet."""
        if not self._path.exists():
            return
        with self._path.open("rb") as file:
            status = self._path.stat()
            if status.st_ino != self._file or status.st_size < self._place:
                self._file, self._place, self._step = status.st_ino, 0, 0
            file.seek(self._place)
            for line in file:
                if line.endswith(b"\n"):
                    row = json.loads(line)
                    self._step = row["step"]
                    self._place = file.tell()
                    yield row
