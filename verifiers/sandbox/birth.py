"""How a child comes to be: it gives up everything, waits at a gate for its job, and runs it. Runs in the sandbox.

The fork is the C library's own: Python's would run what modules registered for a fork, for threads and
random seeds that are not there, and takes twice as long.
"""

from __future__ import annotations

import ctypes
import marshal
import os
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.sandbox import child, descendants, landlock, limits, seccomp

FIRST_FREE_FD = 16
"""Whatever is open for good lies here or above: below are a child's own files."""
JOB_FD, GATE_FD, MAX_FD = 4, 5, (1 << 31) - 1
STREAMS = ("stdin", "stdout", "stderr", "result", "job")

fork = ctypes.PyDLL(None).fork


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What holds a child. rules and filter are for those who do not inherit them."""

    namespaces: bool
    command: bool
    rules: int | None
    filter: seccomp.Filter | None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a child finds its job and leaves what it has to say: files of memory, and the gate it waits at."""

    files: list[int]
    held: int
    gate: int

    @classmethod
    def make(cls) -> Place:
        return cls([os.memfd_create(name) for name in STREAMS], *os.pipe())

    def open(self, job: dict[str, Any], stdin: str) -> None:
        """Let the child begin."""
        os.pwrite(self.files[0], stdin.encode("utf-8", "surrogateescape"), 0)
        os.pwrite(self.files[JOB_FD], marshal.dumps(job), 0)
        os.close(self.gate)

    def close(self) -> None:
        """Give up on a child that is no more."""
        for fd in (*self.files, self.gate):
            os.close(fd)


def become_program(walls: Walls, files: list[int], others: int | None) -> None:
    """In the child: give up everything, wait for the job, run it. Never returns.

    files are those of a place, then the held end of its gate, each with a number above the one it gets here.
    """
    try:
        if not walls.namespaces:
            descendants.die_with_parent()
        if walls.command:
            os.setsid()
        if walls.rules is not None:
            landlock.apply(walls.rules)
        for number, fd in enumerate(files):
            os.dup2(fd, number, inheritable=number < child.RESULT_FD)
        os.closerange(GATE_FD + 1, MAX_FD)
        os.read(GATE_FD, 1)
        job = marshal.loads(os.pread(JOB_FD, os.fstat(JOB_FD).st_size, 0))
        os.closerange(JOB_FD, GATE_FD + 1)
        limits.apply(job["timeout_s"], job["memory_mb"], command=walls.command, others=others)
        if walls.filter is not None:
            seccomp.apply(walls.filter)
        child.answer(job)
    except BaseException as error:
        os.write(2, f"the sandbox: {error!r}".encode())
    finally:
        os._exit(97)
