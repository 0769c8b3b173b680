"""The sandbox on this machine: a zygote per thread, process and set of libraries, started when first needed.

Before the first job of a process the sandbox is tested (probes.py), and refuses to run where it does not hold.
A zygote that died is replaced and the job tried once more. Nothing outlives the thread that used it.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from gradus.verifiers.sandbox.frames import receive, send
from gradus.verifiers.sandbox.launch import (
    Kind,
    SandboxUnavailableError,
    Started,
    explain,
    with_namespaces,
    without_namespaces,
)
from gradus.verifiers.sandbox.probes import Probe, probe

START_TIMEOUT_S = 30.0
GRACE_S = 10.0
PER_CASE = {"script", "command"}
# The first that starts is used.
WAYS = (with_namespaces, without_namespaces)
PLAIN = Kind((), False)
PLACE, DEGRADED = "GRADUS_SANDBOX_URL", "local:degraded"
Message = dict[str, Any]


@dataclass(slots=True, weakref_slot=True)
class Sandbox:
    """A running zygote and the channel to it."""

    channel: socket.socket
    started: Started
    layers: Message
    pid: int = field(default_factory=os.getpid)
    close: Callable[[], object] = field(init=False)

    def exchange(self, request: Message) -> Iterator[Message]:
        """Send a job and yield what came of each case; OSError or EOFError if the zygote is gone."""
        self.channel.settimeout(request["timeout_s"] + GRACE_S)
        send(self.channel, request)
        for _ in request["cases"] if request["mode"] in PER_CASE else (0,):
            yield receive(self.channel)


_local = threading.local()
# Whether the sandbox was tested in this process, and held.
_holds = False


def exchange(request: Message, *, degraded: bool = False) -> list[Message]:
    """Run a job in this thread's sandbox. SandboxUnavailableError if there is no safe one and degraded is not set."""
    global _holds
    if not degraded and not _holds:
        if missing := [one.name for one in test()[1] if not one.shut]:
            raise SandboxUnavailableError(
                f"the sandbox does not hold here: a program is not refused {', '.join(missing)}; see "
                f"`python -m gradus.verifiers.sandbox`. To run programs all the same: {PLACE}={DEGRADED}"
            )
        _holds = True
    return _exchange(request)


def test() -> tuple[Message, list[Probe]]:
    """Return what this thread's sandbox is made of, and what it refuses. Takes about a fifth of a second."""
    return _mine(PLAIN).layers, list(probe(_exchange))


def _exchange(request: Message) -> list[Message]:
    kind, cases = Kind(tuple(request["libraries"]), request["mode"] == "command"), request["cases"]
    done: list[Message] = []
    num_deaths = 0
    while num_deaths < 2:
        before = len(done)
        try:
            for reply in _mine(kind).exchange(request | {"cases": cases[before:]}):
                done.append(reply)
            return done
        except (OSError, EOFError) as error:
            forget(kind)
            # One that died after a case, because it could not clean up, is not to blame.
            num_deaths, last = (1 if len(done) > before else num_deaths + 1), error
    raise RuntimeError(f"the sandbox died twice under this program: {last!r}")


def forget(kind: Kind = PLAIN) -> None:
    """End this thread's sandbox of a kind, if there is one."""
    sandbox = _sandboxes().pop(kind, None)
    if sandbox is not None:
        sandbox.close()


def _sandboxes() -> dict[Kind, Sandbox]:
    found: dict[Kind, Sandbox] | None = getattr(_local, "sandboxes", None)
    if found is None:
        found = _local.sandboxes = {}
    return found


def _mine(kind: Kind) -> Sandbox:
    """Return this thread's sandbox; one inherited by a fork belongs to the parent."""
    found = _sandboxes().get(kind)
    if found is not None and found.pid != os.getpid():
        found.channel.close()
        found = None
    if found is None:
        found = _sandboxes()[kind] = _open(kind)
    return found


def _open(kind: Kind) -> Sandbox:
    if not sys.platform.startswith("linux"):
        raise SandboxUnavailableError(f"the sandbox needs Linux, this is {sys.platform}: use a Linux machine")
    complaints = []
    for way in WAYS:
        ours, theirs = socket.socketpair()
        ours.settimeout(START_TIMEOUT_S)
        try:
            with theirs:
                started = way(theirs, kind)
        except OSError as error:
            ours.close()
            complaints.append(str(error))
            continue
        try:
            sandbox = Sandbox(ours, started, receive(ours))
        except (OSError, EOFError):
            ours.close()
            complaints.append(explain(started.end(0)))
            continue
        # At most once, here or when the thread is gone.
        sandbox.close = weakref.finalize(sandbox, _close, ours, started, sandbox.pid)
        return sandbox
    raise SandboxUnavailableError(f"the sandbox cannot start: {'; without namespaces: '.join(complaints)}")


def _close(channel: socket.socket, started: Started, pid: int) -> None:
    """Close the channel, which ends the zygote; only the process that started it also waits."""
    channel.close()
    if pid == os.getpid():
        started.end(1)
