"""The first process of the sandbox: takes jobs, has a child forked for each run, and reports how it ended.

It never runs a program itself. A run's streams are memory files that the zygote reads after the child is
dead and every process it started killed. It ends when its channel closes, or when the scratch folder cannot
be emptied: the next zygote then has a new one.

A program's process is forked by another (mother.py), which the walls are put up around; a command's by the
zygote, which stays outside them and kills whatever the command started.
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

from gradus.verifiers.sandbox import birth, child, descendants, landlock, limits, scratch, seccomp
from gradus.verifiers.sandbox.birth import Place, Walls
from gradus.verifiers.sandbox.frames import receive, send
from gradus.verifiers.sandbox.mother import Mother

MAX_OUTPUT_BYTES = limits.FILE_BYTES
MAX_ERROR_CHARS = 2000
WATCH_EVERY_S = 0.05
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 38
# Imported before the first fork, so that no program waits for them.
WARM = """array bisect collections copy dataclasses datetime decimal enum fractions functools heapq itertools json math
operator queue random re statistics string threading typing"""
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the sandbox is made of here. A mother forks programs; commands have none."""

    channel: socket.socket
    scratch: Path
    walls: Walls
    mother: Mother | None
    layers: dict[str, Any]


def main(settings: dict[str, Any]) -> None:
    """Serve jobs until the channel closes."""
    channel = socket.socket(fileno=fcntl.fcntl(settings["channel"], fcntl.F_DUPFD_CLOEXEC, birth.FIRST_FREE_FD))
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
    kinds: tuple[seccomp.Kind, ...] = ("command",) if settings["command"] else ("program", "mother")
    filters = [seccomp.prepare(kind, signals=signals, metadata=settings["namespaces"]) for kind in kinds]
    layers = {
        "namespaces": settings["namespaces"],
        "landlock": landlock.version(),
        "seccomp": filters[0] is not None,
    }
    walls = Walls(namespaces=settings["namespaces"], command=settings["command"], rules=rules, filter=filters[0])
    return World(
        channel=channel,
        scratch=Path(settings["scratch"]),
        walls=walls,
        mother=None if settings["command"] else Mother(walls, filters[-1]),
        layers=layers,
    )


def _warm_up() -> None:
    """Run what every child runs, so that its caches are filled and its memory need not be copied to be written."""
    for stream in (sys.stdin, sys.stdout):
        stream.reconfigure(errors="strict")  # type: ignore[union-attr]
    for _ in range(20):
        child.rehearse()
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
    pid, place = world.mother.next() if world.mother else _fork_command(world)
    start = time.perf_counter()
    place.open(job, stdin)
    in_time = _ends_in_time(world, pid, start + job["timeout_s"])
    _kill(world, pid, ended=in_time)
    status = _status(world, pid) if in_time else signal.SIGKILL
    _, stdout, stderr, result, _ = (_read(fd) for fd in place.files)
    yield {
        "in_time": in_time,
        "exit_code": os.waitstatus_to_exitcode(status),
        "stdout": stdout,
        "stderr": stderr[-MAX_ERROR_CHARS:],
        "result": result,
        "seconds": time.perf_counter() - start,
        "files": dict(_kept(world.scratch, job["keep"])),
    }
    if world.mother:
        world.mother.ask()
    if not in_time:
        _status(world, pid)
    if world.walls.command:
        _reap()
    while not scratch.clear(world.scratch):
        if world.walls.namespaces:
            # Too much: the kernel drops the whole folder at once.
            os._exit(0)


def _fork_command(world: World) -> tuple[int, Place]:
    place = Place.make()
    others = 0 if world.walls.namespaces else descendants.count_threads()
    pid = birth.fork()
    if pid == 0:
        birth.become_program(world.walls, [*place.files, place.held], others)
    os.close(place.held)
    return pid, place


def _status(world: World, pid: int) -> int:
    return world.mother.status(pid) if world.mother else os.waitpid(pid, 0)[1]


def _ends_in_time(world: World, pid: int, deadline: float) -> bool:
    """Wait for the end of the process, at most until the deadline or until it fills a folder without limits."""
    watched = not world.walls.namespaces
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
    if not world.walls.command and not ended:
        os.kill(pid, signal.SIGKILL)
    if world.walls.command and world.walls.namespaces:
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)
    if world.walls.command and not world.walls.namespaces:
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
