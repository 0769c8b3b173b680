"""The last rung: sympy in a process of its own, where numbers at points settle nothing, as in x^20000.

One process for each process that asks (never shared across a fork), started when first needed and then kept; a lock
lets threads take turns. The start imports sympy, about a second, which the first question waits for; every later one
is answered within the worker's limits (100 ms of its processor time, 150 ms on the clock), or stays unsettled, which
does not pass. Static limits keep real questions far below those, so that a busy machine changes no verdict short of
stalling the worker for that long. Without os.fork, or where no process can be started, every question is unsettled.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from fractions import Fraction
from typing import Any

from gradus.verifiers.formula.exact import symbols
from gradus.verifiers.formula.fuel import Fuel
from gradus.verifiers.formula.syntax import Node
from gradus.verifiers.formula.worker_sympy import FUNCTIONS

HEADS = {"number", "decimal", "symbol", "+", "*", "^", "call"}
MAX_NODES = 60
MAX_SYMBOLS = 2
MAX_QUESTION_CHARS = 4000
QUESTION_FUEL = 25_000  # of 40,000: one question a verdict
MAX_LATE = 20
START_LIMIT_S = 30.0
ANSWER_LIMIT_S = 0.17
_PROGRAM = "from gradus.verifiers.formula.worker_sympy import serve; serve()"


def same_symbolically(want: Node, got: Node, fuel: Fuel) -> bool:
    """Whether want minus got cancels to zero, for positive symbols; False where that is not settled."""
    if not all(_is_known(part) for node in (want, got) for part in node.walk()):
        return False
    if sum(1 for node in (want, got) for _ in node.walk()) > MAX_NODES:
        return False
    if len(symbols(want) | symbols(got)) > MAX_SYMBOLS:
        return False
    question = json.dumps([_plain(want), _plain(got)])
    if len(question) > MAX_QUESTION_CHARS:
        return False
    fuel.spend(QUESTION_FUEL)
    return _worker.ask(question) == "equal"


def _is_known(node: Node) -> bool:
    return node.head in HEADS and (node.head != "call" or (node.value in FUNCTIONS and len(node.args) == 1))


def warm_up() -> None:
    """Start the worker now instead of at the first question that needs it."""
    _worker.ask(json.dumps([["number", ["1", "1"], []]] * 2))


def _plain(node: Node) -> list[Any]:
    if isinstance(node.value, Fraction):
        return ["number", [str(node.value.numerator), str(node.value.denominator)], []]
    return [node.head, node.value, [_plain(arg) for arg in node.args]]


class _Worker:
    """The process that answers, or none yet."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: subprocess.Popen[bytes] | None = None
        self.num_asked = 0
        self.num_late = 0

    def ask(self, question: str) -> str:
        """Return equal, different or unsettled."""
        with self.lock:
            try:
                if self.process is None or self.process.poll() is not None or self.num_late > MAX_LATE:
                    self.stop()
                    self.process = _start()
                self.num_asked += 1
                return self.exchange(self.process, str(self.num_asked), question)
            except OSError:
                self.stop()
                return "unsettled"

    def exchange(self, process: subprocess.Popen[bytes], key: str, question: str) -> str:
        """Send one question and wait for its answer; late answers to earlier ones are passed over."""
        assert process.stdin is not None
        process.stdin.write(f"{key} {question}\n".encode())
        process.stdin.flush()
        deadline = time.monotonic() + ANSWER_LIMIT_S
        while (left := deadline - time.monotonic()) > 0:
            for line in _read_lines(process, left):
                found, _, answer = line.partition(" ")
                if found == key:
                    self.num_late = 0
                    return answer
        self.num_late += 1
        return "unsettled"

    def stop(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            _close(self.process)
            self.process, self.num_late = None, 0

    def forget(self) -> None:
        """After a fork: the process is the parent's; leave it alone."""
        self.lock = threading.Lock()
        if self.process is not None:
            _close(self.process)
            self.process.returncode = 0
            self.process = None


def _start() -> subprocess.Popen[bytes]:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "PYTHONSAFEPATH": "1"}
    process = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,
    )
    if _read_lines(process, START_LIMIT_S) != ["ready"]:
        process.kill()
        raise OSError("the worker did not start")
    return process


def _read_lines(process: subprocess.Popen[bytes], limit_s: float) -> list[str]:
    """Return the lines that came, none if none came in time; an ended process raises OSError."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], limit_s)
    if not ready:
        return []
    text = os.read(process.stdout.fileno(), 4096).decode()
    if not text:
        raise OSError("the worker has ended")
    return text.splitlines()


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()


_worker = _Worker()
atexit.register(_worker.stop)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_worker.forget)
