"""Ends every process a program started, where there is no process namespace to end.

The zygote adopts orphans, so that all of them stay in the tree below it. They are stopped first, until a look
at the whole tree finds none that runs: a stopped process starts no others, yet keeps its place under the limit
on processes, so that the race against one that forks without end is won. Needs /proc.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

_libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Make this process the parent of every orphan below it."""
    if _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not let the sandbox adopt orphans")


def die_with_parent() -> None:
    """End this process when its parent ends; a change of user takes this back."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def kill_all() -> None:
    """Kill every process below this one."""
    stopped: set[int] = set()
    while running := _below(os.getpid()) - stopped:
        _signal(running, signal.SIGSTOP)
        stopped |= running
    _signal(stopped, signal.SIGKILL)


def count_threads() -> int:
    """Return how many threads this process's user has now; 0 where /proc does not say."""
    total = 0
    for pid in _pids():
        with contextlib.suppress(OSError):
            with Path(f"/proc/{pid}/status").open("rb") as file:
                fields = dict(line.split(b":", 1) for line in file if b":" in line)
            if int(fields[b"Uid"].split()[0]) == os.getuid():
                total += int(fields[b"Threads"])
    return total


def _signal(pids: set[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _below(root: int) -> set[int]:
    children: dict[int, list[int]] = {}
    for pid in _pids():
        with contextlib.suppress(OSError, ValueError, IndexError):
            with Path(f"/proc/{pid}/stat").open("rb") as file:
                # After the name, which may hold anything: state, parent. A zombie is no more.
                state, parent = file.read().rpartition(b")")[2].split()[:2]
            if state != b"Z":
                children.setdefault(int(parent), []).append(pid)
    found: set[int] = set()
    ahead = [root]
    while ahead:
        new = children.get(ahead.pop(), [])
        found.update(new)
        ahead += new
    return found


def _pids() -> list[int]:
    try:
        return [int(path.name) for path in Path("/proc").iterdir() if path.name.isdigit()]
    except OSError:
        return []
