"""The sandbox tries to break out of itself: what a program is refused here, found by asking as a program.

Covered: network, files, environment, processes, tracing, kernel interfaces, memory, output, time, and what one
program leaves for the next. A probe that passes says that one way is shut, not that every way is.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Exchange = Callable[[dict[str, Any]], Iterable[dict[str, Any]]]
TIME_LIMIT_S, OUTPUT_LIMIT = 0.1, 4 << 20
# Each must raise OSError, or ValueError for a limit.
STATEMENTS = {
    "network": "socket.create_connection(('127.0.0.1', 9), 0.1)",
    "sockets": "socket.socket(socket.AF_UNIX)",
    "files of the machine": "open('/etc/passwd').read()",
    "the environment of process 1": "open('/proc/1/environ').read()",
    "its own environment": "open('/proc/self/environ').read()",
    "writing to the system": "os.unlink(open('/usr/gradus-probe', 'w').name)",
    "writing to shared memory": "os.unlink(open('/dev/shm/gradus-probe', 'w').name)",
    "writing to the root": "os.unlink(open('/gradus-probe', 'w').name)",
    "signals to others": "os.kill(os.getppid() or 1, 0)",
    "new processes": "os.fork() or os._exit(0)",
    "new programs": "os.posix_spawn('/bin/true', ['true'], {})",
    "more processor time": "resource.setrlimit(resource.RLIMIT_CPU, (-1, -1))",
}
# System calls that must fail with EPERM: x86-64, 64-bit ARM.
CALLS = {
    "tracing": (101, 117),
    "memory of others": (310, 270),
    "new namespaces": (272, 97),
    "namespaces of others": (308, 268),
    "mounts": (165, 40),
    "io_uring": (425, 425),
    "keys": (250, 219),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "performance events": (298, 241),
    "shared memory": (29, 194),
}
SCRIPT = """
import ctypes, json, os, resource, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
statements, calls = json.loads(input())
open_ones = []
for name, statement in statements.items():
    try:
        exec(statement)
        open_ones.append(name)
    except (OSError, ValueError):
        pass
for name, number in calls.items():
    if (libc.syscall(number, 0, 0, 0, 0, 0), ctypes.get_errno()) != (-1, 1):
        open_ones.append(name)
print(json.dumps(open_ones))
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """One way out or over a limit, and whether it is shut."""

    name: str
    shut: bool


def probe(exchange: Exchange) -> Iterator[Probe]:
    """Yield what a program is refused; exchange runs a job in the sandbox to be tested."""
    column = {"x86_64": 0, "aarch64": 1}.get(platform.machine())
    calls = {} if column is None else {name: numbers[column] for name, numbers in CALLS.items()}
    said = _script(exchange, SCRIPT, stdin=json.dumps([STATEMENTS, calls]))["stdout"]
    try:
        still_open = set(json.loads(said))
    except ValueError:
        still_open = {*STATEMENTS, *CALLS}
    for name in (*STATEMENTS, *CALLS):
        yield Probe(name, name not in still_open and (name in STATEMENTS or name in calls))
    yield Probe("more memory", _script(exchange, "x = bytearray(1 << 30)")["exit_code"] != 0)
    flood = _script(exchange, f"print('x' * {2 * OUTPUT_LIMIT})")
    yield Probe("more output", flood["exit_code"] != 0 and len(flood["stdout"]) <= OUTPUT_LIMIT)
    endless = _script(exchange, "while True: pass", timeout_s=TIME_LIMIT_S)
    yield Probe("more time", not endless["in_time"])
    _script(exchange, "open('left', 'w').write('x')")
    yield Probe(
        "something left for the next", "left" not in _script(exchange, "import os\nprint(os.listdir())")["stdout"]
    )


def _script(exchange: Exchange, source: str, *, stdin: str = "", timeout_s: float = 5.0) -> dict[str, Any]:
    request = {"mode": "script", "source": source, "cases": [{"setup": "", "parts": [], "stdin": stdin}]}
    limits = {"timeout_s": timeout_s, "memory_mb": 512, "libraries": [], "files": [], "keep": []}
    (reply,) = exchange(request | limits)
    return reply
