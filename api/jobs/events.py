"""Events: lines of a file that are only ever added, each known by where it ends, so that a reader goes on where it was.

A line is `{"at", "event", "data"}`. Several processes may write; each line is one write.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Event:
    """What happened; id is what a reader names to get what came after it."""

    id: int
    event: str
    data: dict[str, Any]


def add_event(path: Path, event: str, **data: Any) -> None:
    """Add a line."""
    line = json.dumps({"at": time.time(), "event": event, "data": data}) + "\n"
    handle = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, line.encode())
    finally:
        os.close(handle)


def read_events(path: Path, after: int = 0) -> Iterator[Event]:
    """Yield the whole lines behind a place; a place that is none of ours begins anew."""
    if not path.exists():
        return
    with path.open("rb") as file:
        if 0 < after <= path.stat().st_size:
            file.seek(after - 1)
            if file.read(1) != b"\n":
                file.seek(0)
        for line in file:
            if line.endswith(b"\n"):
                found = json.loads(line)
                yield Event(file.tell(), found["event"], found["data"] | {"at": found["at"]})
