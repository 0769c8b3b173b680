"""The server's side of the zygote: one for each process that asks, started when first needed, and again if it dies."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gradus.errors import MachineError
from gradus.log import logger
from gradus.verifiers.sandbox.frames import receive, send

START_S = 60.0
# Where a site's Python needs this to find its own library; nothing else of our environment is handed on.
HANDED_ON = ("LD_LIBRARY_PATH",)
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "JE_ARROW_MALLOC_CONF": "background_thread:false", "LANG": "C.UTF-8"}
# By a path that is given, so that Gradus is found however it was found here; the current folder is not in it.
MAIN = """
import json, runpy, sys
sys.path[:] = json.loads(sys.argv.pop(2))
runpy.run_module("gradus.api.sql.zygote", run_name="__main__")
"""


@dataclass(frozen=True, slots=True)
class Worker:
    """One query's process: where it talks, and a handle to kill it by."""

    channel: socket.socket
    handle: int

    def hang_up(self) -> None:
        """Stop listening: whoever reads the channel hears its end."""
        with contextlib.suppress(OSError):
            self.channel.shutdown(socket.SHUT_RDWR)

    def end(self) -> None:
        """Kill the process, wait until it is gone, and forget it."""
        with self.channel:
            try:
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)
                # Readable when it has ended: its temporary folder is then nobody's.
                _wait_readable(self.handle, 5.0)
            except ProcessLookupError:
                pass
            finally:
                os.close(self.handle)


class Zygote:
    """A running zygote."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        path = json.dumps([entry for entry in sys.path if entry])
        environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ} | ENVIRONMENT
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", MAIN, str(theirs.fileno()), path],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._channel, self._lock = ours, threading.Lock()
        ours.settimeout(START_S)
        self.missing = self._missing()
        ours.settimeout(None)
        for words in self.missing:
            logger.warning("on this machine only DuckDB's own settings keep SQL from %s", words)

    def _missing(self) -> Sequence[str]:
        try:
            found: list[str] = receive(self._channel)["missing"]
        except (EOFError, OSError) as error:
            self.close()
            said = (self._process.stderr.read() if self._process.stderr else b"").decode("utf-8", "replace")
            last = said.strip().splitlines()[-1:] or [str(error)]
            raise MachineError(f"the process for SQL did not start: {last[0]}") from None
        return found

    def ask(self, request: dict[str, Any], body: int) -> Worker:
        """Have a process made for a request; its answer goes into the file body."""
        ours, theirs = socket.socketpair()
        with theirs, self._lock:
            socket.send_fds(self._channel, [b"q"], [theirs.fileno(), body])
        try:
            ours.settimeout(START_S)
            _, handles, _, _ = socket.recv_fds(ours, 1, 1)
            if not handles:
                raise BrokenPipeError("the zygote is gone")
            send(ours, request)
        except BaseException:
            ours.close()
            raise
        return Worker(ours, handles[0])

    def close(self) -> None:
        """End the zygote, and with it every query."""
        self._channel.close()
        self._process.kill()
        self._process.wait()


_zygotes: dict[int, Zygote] = {}
_starting = threading.Lock()


def zygote() -> Zygote:
    """Return this process's zygote, started if there is none."""
    with _starting:
        if os.getpid() not in _zygotes:
            _zygotes.clear()  # of the process that this one was forked from
            _zygotes[os.getpid()] = Zygote()
        return _zygotes[os.getpid()]


def ask(request: dict[str, Any], body: int) -> Worker:
    """Have a process made for a request, by a new zygote if the one there was has died."""
    asked = zygote()
    try:
        return asked.ask(request, body)
    except OSError:
        with _starting:
            if _zygotes.get(os.getpid()) is asked:
                _zygotes.pop(os.getpid()).close()
    return zygote().ask(request, body)


@atexit.register
def close() -> None:
    """End this process's zygote."""
    if found := _zygotes.pop(os.getpid(), None):
        found.close()


def _wait_readable(handle: int, timeout_s: float) -> None:
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.poll(1000 * timeout_s)
