"""The first process of the sandbox: a warm interpreter that forks a child per run and reports how it ended.

It never runs a program itself. A run's streams are memory files that the zygote reads after the child is
dead and every process it started killed. It ends when its channel closes, or when the scratch folder cannot
be emptied: the next zygote then has a new one.

The fork is the C library's own: Python's would run what modules registered for a fork, for threads and
random seeds that are not there, and takes twice as long.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import fcntl
import gc
import importlib
import io
import os
import random
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradus.verifiers.sandbox import child, descendants, landlock, limits, scratch, seccomp, warden
from gradus.verifiers.sandbox.frames import receive, send

MAX_OUTPUT_BYTES = limits.FILE_BYTES
MAX_ERROR_CHARS = 2000
WATCH_EVERY_S = 0.05
RESERVED, MAX_FD = 10, (1 << 31) - 1
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
# Imported before the first fork, so that no program waits for them.
WARM = """array bisect collections copy dataclasses datetime decimal enum fractions functools heapq itertools json math
operator queue random re statistics string threading typing"""
WARM_UP: dict[str, Any] = {
    "source": "def f(x):\n    return [x * 2 for x in range(3)]",
    "cases": [{"setup": "", "parts": ["f(3)", "{'a': (1, 2.5)}"]}],
}

_libc = ctypes.CDLL(None, use_errno=True)
_fork = ctypes.PyDLL(None).fork


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the sandbox is made of here. rules and filter are for children who do not inherit the zygote's."""

    channel: socket.socket
    namespaces: bool
    command: bool
    scratch: Path
    rules: int | None
    filter: seccomp.Filter | None
    layers: dict[str, Any]


def main(settings: dict[str, Any]) -> None:
    """Serve jobs until the channel closes."""
    channel = socket.socket(fileno=fcntl.fcntl(settings["channel"], fcntl.F_DUPFD_CLOEXEC, RESERVED))
    os.close(settings["channel"])
    # Taken from here on, so that nothing else gets the number under which a child writes its result.
    os.dup2(1, child.RESULT_FD)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in [*WARM.split(), *settings["libraries"]]:
        importlib.import_module(name)
    _warm_up()
    world = _confine(settings, channel)
    send(channel, world.layers)
    while True:
        try:
            job = receive(channel)
        except EOFError:
            return
        for reply in _runs(world, job):
            send(channel, reply)


def _confine(settings: dict[str, Any], channel: socket.socket) -> World:
    """Give up what only the zygote has, and prepare what every child gives up."""
    if settings["namespaces"] and os.getpid() != 1:
        raise RuntimeError("the zygote kills every process it can see: start it as process 1 of a namespace")
    if os.getuid() == 0:
        user = settings["user"]
        if not settings["namespaces"]:
            os.chown(settings["scratch"], user, user)
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    descendants.die_with_parent()
    if not settings["namespaces"]:
        if os.getppid() != settings["parent"]:
            raise RuntimeError("whoever wanted the sandbox is gone")
        descendants.adopt_orphans()
    _libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)
    _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    os.chdir(settings["scratch"])
    rules = landlock.prepare(settings["readable"], settings["scratch"], command=settings["command"])
    signals = landlock.version() >= landlock.SCOPES_SINCE
    kinds: tuple[seccomp.Kind, ...] = ("command",) if settings["command"] else ("program", "zygote")
    filters = [seccomp.prepare(kind, signals=signals, metadata=settings["namespaces"]) for kind in kinds]
    layers = {
        "namespaces": settings["namespaces"],
        "landlock": landlock.version(),
        "seccomp": filters[0] is not None,
    }
    shared = None if settings["command"] else filters[-1]
    if rules is not None and not settings["command"]:
        # Before the warden is forked: Landlock would keep the signal from it that ends it with the zygote.
        landlock.apply(rules)
        rules = None
    if shared is not None and warden.watch_over(shared):
        filters = [None]
    return World(
        channel=channel,
        namespaces=settings["namespaces"],
        command=settings["command"],
        scratch=Path(settings["scratch"]),
        rules=rules,
        filter=filters[0],
        layers=layers,
    )


def _warm_up() -> None:
    """Run what every child runs, so that its caches are filled and its memory need not be copied to be written."""
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="strict")  # type: ignore[union-attr]
    for _ in range(20):
        child.MODES["values"](WARM_UP)
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    gc.collect()
    gc.freeze()


def _runs(world: World, job: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what came of each case, or of all together."""
    if job["mode"] not in {"script", "command"}:
        yield from _run(world, job, "")
        return
    for case in job["cases"]:
        for name, content in job["files"]:
            path = world.scratch / Path(name).name
            path.write_bytes(base64.b64decode(content))
            path.chmod(0o755)
        yield from _run(world, job, case["stdin"])


def _run(world: World, job: dict[str, Any], stdin: str) -> Iterator[dict[str, Any]]:
    """Fork, wait at most timeout_s, kill what is left, yield what it came to, and clean up.

    A late process is not waited for first: the kernel takes tens of milliseconds to free a large memory.
    """
    files = [os.memfd_create(name) for name in ("stdin", "stdout", "stderr", "result")]
    os.write(files[0], stdin.encode("utf-8", "surrogateescape"))
    os.lseek(files[0], 0, os.SEEK_SET)
    others = 0 if world.namespaces else descendants.count_threads() if world.command else None
    start = time.perf_counter()
    pid = _fork()
    if pid == 0:
        _become_program(world, job, files, others)
    in_time = _ends_in_time(world, pid, start + job["timeout_s"])
    _kill(world, pid, ended=in_time)
    status = os.waitpid(pid, 0)[1] if in_time else signal.SIGKILL
    _, stdout, stderr, result = (_read(fd) for fd in files)
    yield {
        "in_time": in_time,
        "exit_code": os.waitstatus_to_exitcode(status),
        "stdout": stdout,
        "stderr": stderr[-MAX_ERROR_CHARS:],
        "result": result,
        "seconds": time.perf_counter() - start,
        "files": dict(_kept(world.scratch, job["keep"])),
    }
    if not in_time:
        os.waitpid(pid, 0)
    if world.command:
        _reap()
    while not scratch.clear(world.scratch):
        if world.namespaces:
            # Too much: the kernel drops the whole folder at once.
            os._exit(0)


def _become_program(world: World, job: dict[str, Any], files: list[int], others: int | None) -> None:
    """In the child: give up everything, then run. Never returns."""
    try:
        if not world.namespaces:
            descendants.die_with_parent()
        if world.command:
            os.setsid()
        if world.rules is not None:
            landlock.apply(world.rules)
        for number, fd in enumerate(files):
            os.dup2(fd, number, inheritable=number != child.RESULT_FD)
        os.closerange(child.RESULT_FD + 1, MAX_FD)
        limits.apply(job["timeout_s"], job["memory_mb"], command=world.command, others=others)
        if world.filter is not None:
            seccomp.apply(world.filter)
        child.answer(job)
    except BaseException as error:
        os.write(2, f"the sandbox: {error!r}".encode())
    finally:
        os._exit(97)


def _ends_in_time(world: World, pid: int, deadline: float) -> bool:
    """Wait for the end of the process, at most until the deadline or until it fills a folder without limits."""
    watched = not world.namespaces
    handle = os.pidfd_open(pid)
    awaited: list[Any] = [handle, world.channel]
    try:
        while (left_s := deadline - time.perf_counter()) > 0:
            ready, _, _ = select.select(awaited, [], [], min(left_s, WATCH_EVERY_S) if watched else left_s)
            if world.channel in ready:
                # Nothing is due to come: whoever wanted the answer is gone, and everything here goes with it.
                os._exit(0)
            if ready:
                return True
            if watched and scratch.is_full(world.scratch):
                os.kill(pid, signal.SIGKILL)
                return True
        return False
    finally:
        os.close(handle)


def _kill(world: World, pid: int, *, ended: bool) -> None:
    """Kill the child and, if it could start others, those."""
    if not world.command and not ended:
        os.kill(pid, signal.SIGKILL)
    if world.command and world.namespaces:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    if world.command and not world.namespaces:
        descendants.kill_all()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, 0):
            pass


def _read(fd: int) -> str:
    data = os.pread(fd, min(os.fstat(fd).st_size, MAX_OUTPUT_BYTES), 0)
    os.close(fd)
    return data.decode("utf-8", "replace")


def _kept(folder: Path, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the files that the job wants back; a link is not followed."""
    for name in names:
        with contextlib.suppress(OSError):
            fd = os.open(folder / Path(name).name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with io.FileIO(fd) as file:
                yield name, base64.b64encode(file.read(limits.COMMAND_FILE_BYTES)).decode()
