"""Processes that outlive whoever started them: told apart by pid and start, ended with all their descendants.

Linux alone: what is known of a process is read from /proc.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

PROC = Path("/proc")
GRACE_S = 10.0
"""From the request to end until a process is killed."""
STATE, PARENT, SESSION, START = 0, 1, 3, 19
"""Places in /proc/<pid>/stat, behind the name."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process, by its id and by when it started: ids are given again."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        """Whether it runs; a child of ours that ended is let go of."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return find(self.pid) == self


def find(pid: int) -> Process | None:
    """Return the process that has an id now; None for none, and for one that only waits to be let go of."""
    fields = _stat(pid)
    if not fields or fields[STATE] in ("Z", "X"):
        return None
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return Process(pid, f"{boot}/{fields[START]}")


def end(process: Process, *, grace_s: float = GRACE_S) -> None:
    """End a process and all it has started, whatever sessions they made: by request first, then by force."""
    doomed = set(_family(process))
    for one in doomed:
        _signal(one, signal.SIGTERM)
    until = time.monotonic() + grace_s
    # Some may be started meanwhile, by a parent that is gone when we look: its session has them.
    while left := {one for one in doomed if one.alive}.union(_family(process)):
        if time.monotonic() > until:
            for one in left:
                _signal(one, signal.SIGKILL)
        for one in left - doomed:
            _signal(one, signal.SIGTERM)
        doomed |= left
        time.sleep(0.05)


def _family(process: Process) -> list[Process]:
    """Return a process, its descendants, and what is in its session, if it leads one; each only as long as it runs."""
    if find(process.pid) not in (None, process):
        return []  # the number is somebody else's now
    children: dict[int, list[int]] = {}
    rest = [process.pid]
    for path in PROC.glob("[0-9]*"):
        if fields := _stat(int(path.name)):
            children.setdefault(int(fields[PARENT]), []).append(int(path.name))
            rest += [int(path.name)] if int(fields[SESSION]) == process.pid else []
    pids: set[int] = set()
    while rest:
        pid = rest.pop()
        rest += [] if pid in pids else children.get(pid, [])
        pids.add(pid)
    return list(_known(pids))


def _known(pids: Iterable[int]) -> Iterable[Process]:
    return (found for pid in pids if (found := find(pid)))


def _signal(process: Process, number: signal.Signals) -> None:
    if process.alive:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _stat(pid: int) -> list[str]:
    """Return what stands in /proc/<pid>/stat behind the name, which may hold anything; nothing for no process."""
    try:
        return (PROC / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []
