"""Runs programs in the sandbox: one zygote per thread and process, started when first needed.

A zygote that died is replaced and the job tried once more. Nothing outlives the thread that used it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import weakref
from dataclasses import dataclass, field
from typing import Any, Literal

from gradus.verifiers.sandbox.frames import receive, send
from gradus.verifiers.sandbox.launch import SandboxUnavailableError, explain, start

START_TIMEOUT_S = 30.0
GRACE_S = 10.0
Mode = Literal["compile", "values", "statements", "script"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One run of one program; child.py says what each mode does with parts."""

    mode: Mode
    source: str = ""
    setup: str = ""
    parts: tuple[str, ...] = ()
    stdin: str = ""
    nonce: str = ""
    timeout_s: float = 5.0
    memory_mb: int = 512


@dataclass(frozen=True, slots=True)
class Run:
    """How a job ended. result is what the child wrote, unchecked."""

    in_time: bool
    exit_code: int
    stdout: str
    stderr: str
    result: str
    seconds: float


@dataclass(slots=True, weakref_slot=True)
class Sandbox:
    """A running zygote and the channel to it."""

    channel: socket.socket
    process: subprocess.Popen[bytes]
    pid: int = field(default_factory=os.getpid)

    def run(self, job: Job) -> Run:
        """Send a job and wait for its end; EOFError or TimeoutError if the zygote is gone."""
        self.channel.settimeout(job.timeout_s + GRACE_S)
        send(self.channel, {name: getattr(job, name) for name in Job.__slots__})
        return Run(**receive(self.channel))


_local = threading.local()


def run(job: Job) -> Run:
    """Run a job in this thread's sandbox. SandboxUnavailableError if there can be none."""
    for attempt in (1, 2):
        sandbox = _mine()
        try:
            return sandbox.run(job)
        except (OSError, EOFError) as error:
            _forget()
            if attempt == 2:
                raise RuntimeError(f"the sandbox died twice under this program: {error!r}") from error
    raise AssertionError


def available() -> str | None:
    """Return None if programs can be run safely here, else why not and what to do."""
    try:
        done = run(Job(mode="values", source="def f(): return 6 * 7", parts=("f()",)))
    except (SandboxUnavailableError, RuntimeError) as error:
        return str(error)
    return None if done.result == '{"values": [["int", "0x2a"]]}' else f"the sandbox cannot run Python: {done}"


def _mine() -> Sandbox:
    """Return this thread's sandbox; one inherited by a fork belongs to the parent."""
    found: Any = getattr(_local, "sandbox", None)
    if found is not None and found.pid != os.getpid():
        found.channel.close()
        found = None
    if found is None:
        found = _local.sandbox = _open()
    return found


def _forget() -> None:
    sandbox = _local.__dict__.pop("sandbox", None)
    if sandbox is not None:
        _close(sandbox.channel, sandbox.process, sandbox.pid)


def _open() -> Sandbox:
    ours, theirs = socket.socketpair()
    with theirs:
        process = start(theirs)
    ours.settimeout(START_TIMEOUT_S)
    try:
        receive(ours)
    except (OSError, EOFError):
        ours.close()
        process.kill()
        _, stderr = process.communicate()
        raise SandboxUnavailableError(explain(stderr.decode("utf-8", "replace"))) from None
    sandbox = Sandbox(ours, process)
    weakref.finalize(sandbox, _close, ours, process, sandbox.pid)
    return sandbox


def _close(channel: socket.socket, process: subprocess.Popen[bytes], pid: int) -> None:
    """Close the channel, which ends the zygote; only the process that started it also waits."""
    channel.close()
    if pid != os.getpid():
        return
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=1)
    process.kill()
    process.wait()
    if process.stderr:
        process.stderr.close()
