"""A run's directory: what it is (run.json), what was measured (metrics.jsonl), its checkpoints and export.

Line n of metrics.jsonl is step n. A directory belongs to one command: another manifest, model or
recipe needs another directory.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from gradus.errors import ConfigError


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
        metrics = self.folder / "metrics.jsonl"
        if metrics.exists():
            kept = metrics.read_text().splitlines(keepends=True)[:step]
            _replace(metrics, "".join(kept))
        self._write(state="running", step=step, steps=num_steps, started=time.time())

    def measured(self, step: int, metrics: dict[str, Any]) -> None:
        """Append one step's line."""
        with (self.folder / "metrics.jsonl").open("a") as file:
            file.write(json.dumps({"step": step} | metrics) + "\n")
        self._write(step=step)

    def finish(self) -> None:
        """Say that the export is there."""
        self._write(state="finished", ended=time.time())

    def _read(self) -> dict[str, Any]:
        path = self.folder / "run.json"
        if not path.exists():
            return dict(self._identity)
        record: dict[str, Any] = json.loads(path.read_text())
        for key, value in self._identity.items():
            if record.get(key) != value:
                raise ConfigError(f"{path}: this run's {key} is another one; choose another --run directory")
        return record

    def _write(self, **changes: Any) -> None:
        self._record |= changes
        _replace(self.folder / "run.json", json.dumps(self._record, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text)
    fresh.replace(path)
