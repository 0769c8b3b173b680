"""A run's directory: what it is (run.json), what was measured (metrics.jsonl), its checkpoints and export.

A line of metrics.jsonl is a step, 0 if evaluated before the first; what is not a finite number is null there. It says
how far the run is; run.json has the step where it last began or ended. events.jsonl holds what happened besides: steps
that were not taken. error.json says why the run could not go on. A directory belongs to one result: another manifest or
model, or a setting that decides what is learnt (identity.py), needs another directory.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import Any

from gradus.engine.parts import atomic_file
from gradus.errors import ConfigError, GradusError
from gradus.trainer.identity import deciding

METRICS = "metrics.jsonl"
EVENTS = "events.jsonl"
ERROR = "error.json"


class Run:
    """The directory of one run; only the first process writes."""

    def __init__(self, folder: Path, **identity: Any) -> None:
        self.folder = folder
        self._identity = json.loads(json.dumps(identity))
        self._record = self._read()

    @property
    def finished(self) -> bool:
        return self._record.get("state") == "finished"

    def begin(self, *, step: int, num_steps: int) -> None:
        """Say that the run goes on after step; what was measured later is forgotten."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in (self.folder / METRICS, self.folder / EVENTS):
            if rows := read_rows(path):
                # What was evaluated before the first step is evaluated again.
                kept = (row for row in rows if 0 < step >= row["step"])
                _replace(path, "".join(json.dumps(row) + "\n" for row in kept))
        self._write(state="running", step=step, steps=num_steps, started=time.time())

    def measured(self, step: int, metrics: dict[str, Any]) -> None:
        """Append one step's line."""
        with (self.folder / METRICS).open("a") as file:
            file.write(json.dumps({"step": step} | {name: _finite(value) for name, value in metrics.items()}) + "\n")
        self._record["step"] = step

    def event(self, step: int, kind: str, **what: Any) -> None:
        """Append what happened at a step."""
        with (self.folder / EVENTS).open("a") as file:
            file.write(json.dumps({"step": step, "kind": kind} | what) + "\n")

    def stop(self) -> None:
        """Say that the run was asked to stop, and that a checkpoint is there."""
        self._write(state="stopped", ended=time.time())

    def pause(self) -> None:
        """Say that a checkpoint is there, as asked for, but not all steps are taken."""
        self._write(state="paused", ended=time.time())

    def finish(self) -> None:
        """Say that the export is there."""
        self._write(state="finished", ended=time.time())

    def _read(self) -> dict[str, Any]:
        path = self.folder / "run.json"
        if not path.exists():
            return dict(self._identity)
        record: dict[str, Any] = json.loads(path.read_text())
        before, now = _identity(record), _identity(self._identity)
        for key in [key for key in (*now, *before) if before.get(key) != now.get(key)]:
            raise ConfigError(
                f"{path}: this run's {key} is {before.get(key)!r}, not {now.get(key)!r}; say it as it was, or choose "
                "another --run directory"
            )
        return record | self._identity

    def _write(self, **changes: Any) -> None:
        self._record |= changes
        _replace(self.folder / "run.json", json.dumps(self._record, indent=2) + "\n")


def _identity(record: dict[str, Any]) -> dict[str, Any]:
    """Return what stays as long as the run goes on."""
    return {key: record.get(key) for key in ("kind", "manifest", "model")} | deciding(record.get("config", {}))


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return what a run has written line by line; a line that was cut off is none, as is a file that is not there."""
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _finite(value: Any) -> Any:
    """Return the value, or None for a number that JSON lacks."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write_error(folder: Path, error: GradusError) -> None:
    """Leave in a run's folder why it ended, as well as the disk allows; a run that never had one has nothing."""
    if folder.is_dir():
        with contextlib.suppress(OSError):
            _replace(folder / ERROR, json.dumps({"exit_code": error.exit_code, "error": str(error)}) + "\n")


def _replace(path: Path, text: str) -> None:
    with atomic_file(path) as file:
        file.write(text.encode())
