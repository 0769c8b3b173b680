"""Process 1 of the sandbox: a warm interpreter that forks one child per job and reports how it ended.

It never runs a program itself. A job's files are memory files that the zygote reads after the child is
dead and every other process of the namespace killed. It ends when its channel closes.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import io
import os
import random
import resource
import select
import shutil
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from gradus.verifiers.sandbox import child, limits
from gradus.verifiers.sandbox.frames import receive, send

MAX_OUTPUT_BYTES = 4 << 20
MAX_ERROR_CHARS = 2000
SCRATCH = Path("/tmp")
# Imported before the first fork, so that no program waits for them.
WARM = """array bisect collections copy dataclasses datetime decimal enum fractions functools heapq itertools json math
operator queue random re statistics string threading typing"""


def main(channel_fd: int) -> None:
    """Serve jobs until the channel closes."""
    if os.getpid() != 1:
        raise RuntimeError("the zygote kills every process it can see: start it as process 1 of a namespace")
    channel = socket.socket(fileno=channel_fd)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    limits.hide_from_others()
    for name in WARM.split():
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    send(channel, {"ready": True})
    while True:
        try:
            job = receive(channel)
        except EOFError:
            return
        send(channel, run(job))
        if not _clear(SCRATCH):
            return


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Fork, wait at most timeout_s, kill what is left, and collect."""
    files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr", "result")]
    os.write(files[0], job.get("stdin", "").encode("utf-8", "surrogateescape"))
    os.lseek(files[0], 0, os.SEEK_SET)
    start = time.perf_counter()
    pid = os.fork()
    if pid == 0:
        _become_program(job, files)
    in_time = _ends_within(pid, job["timeout_s"])
    with contextlib.suppress(ProcessLookupError):
        os.kill(-1, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    _reap()
    _, stdout, stderr, result = (_read(fd) for fd in files)
    return {
        "in_time": in_time,
        "exit_code": os.waitstatus_to_exitcode(status),
        "stdout": stdout,
        "stderr": stderr[-MAX_ERROR_CHARS:],
        "result": result,
        "seconds": time.perf_counter() - start,
    }


def _become_program(job: dict[str, Any], files: list[int]) -> None:
    """In the child: give up everything, then run. Never returns."""
    try:
        os.setsid()
        # Out of the way first: a memory file may itself be number 0 to 3.
        moved = [os.dup2(fd, 100 + number) for number, fd in enumerate(files)]
        for number, fd in enumerate(moved):
            os.dup2(fd, number)
        os.closerange(4, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        sys.stdin = io.TextIOWrapper(io.FileIO(0), encoding="utf-8")
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w")), encoding="utf-8")
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w")), encoding="utf-8", write_through=True)
        os.chdir(SCRATCH)
        # A fork reseeds it from the clock.
        random.seed(0)
        cpu_s = int(job["timeout_s"]) + 1
        limits.limit_resources(cpu_s=cpu_s, memory_mb=job["memory_mb"], file_bytes=MAX_OUTPUT_BYTES)
        limits.filter_system_calls()
        child.answer(job)
    finally:
        os._exit(97)


def _ends_within(pid: int, timeout_s: float) -> bool:
    handle = os.pidfd_open(pid)
    try:
        return bool(select.select([handle], [], [], timeout_s)[0])
    finally:
        os.close(handle)


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass


def _read(fd: int) -> str:
    data = os.pread(fd, MAX_OUTPUT_BYTES, 0)
    os.close(fd)
    return data.decode("utf-8", "replace")


def _clear(folder: Path) -> bool:
    """Empty the folder; False if something in it cannot be removed."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return not any(folder.iterdir())
