"""The process that asks sympy, so that no question to it can stall or harm the one who judges.

It is started with pipes for input and output, imports sympy once, and keeps a forked child that answers; a child that
spends more than its processor time is ended by the kernel's timer, one that takes too long on the clock is killed,
and another is forked at once: sympy is not imported again. It ends when its input is closed, that is, with its parent.
Protocol: a line per question, its number and two trees in JSON; a line per answer, the question's number and equal,
different or unsettled.
Nothing is ever parsed by sympy: expressions are built node by node.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import signal
import sys
from typing import Any

CPU_LIMIT_S = 0.1
WALL_LIMIT_S = 0.15
MAX_EXPONENT = 8
MAX_SYMBOL_EXPONENT = 10_000  # of a lone symbol, which does not expand
_SAMPLE = '[["^", null, [["symbol", "x", []], ["number", [2, 1], []]]], ["call", "log", [["symbol", "x", []]]]]'
FUNCTIONS = {"sin", "cos", "tan", "log", "ln", "abs"}
_DIE_WITH_PARENT = 1


def serve() -> None:
    """Answer questions from standard input until it ends."""
    settle(*json.loads(_SAMPLE))  # imports sympy and fills its caches: the children inherit both

    child = _Child()
    _say("ready")
    for line in sys.stdin:
        key, _, question = line.partition(" ")
        answer = child.ask(question)
        if answer is None:
            child.kill()
            child = _Child()
        _say(f"{key} {answer or 'unsettled'}")
    child.kill()


def _say(line: str) -> None:
    """Write one line in one piece, which a pipe keeps whole."""
    os.write(sys.stdout.fileno(), line.encode() + b"\n")


class _Child:
    """A forked process that answers, at the other end of two pipes."""

    def __init__(self) -> None:
        (self.inbox, outbox), (inner_in, self.outbox) = os.pipe(), os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            self.close()
            _answer_all(inner_in, outbox)
        os.close(outbox)
        os.close(inner_in)

    def ask(self, line: str) -> str | None:
        """Return the answer, or None when it took too long."""
        try:
            os.write(self.outbox, line.encode())
            ready, _, _ = select.select([self.inbox], [], [], WALL_LIMIT_S)
            return os.read(self.inbox, 100).decode().strip() or None if ready else None
        except OSError:
            return None

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        self.close()

    def close(self) -> None:
        os.close(self.inbox)
        os.close(self.outbox)


def _answer_all(inbox: int, outbox: int) -> None:
    ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    sys.setrecursionlimit(1000)
    with os.fdopen(inbox) as lines:
        for line in lines:
            signal.setitimer(signal.ITIMER_PROF, CPU_LIMIT_S)
            answer = settle(*json.loads(line))
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.write(outbox, answer.encode() + b"\n")
    os._exit(0)


def settle(want: Any, got: Any) -> str:
    """Say whether want minus got cancels to zero, for positive symbols."""
    import sympy

    try:
        difference = sympy.expand_log(build(want) - build(got))
        return "equal" if sympy.cancel(difference) == 0 else "different"
    except Exception:  # whatever sympy raises, the question stays open
        return "unsettled"


def build(node: Any) -> Any:
    """Build sympy's expression from [head, value, args]; a number's value is [numerator, denominator]."""
    import sympy

    head, value, parts = node
    if head == "number":
        return sympy.Rational(int(value[0]), int(value[1]))
    if head == "symbol":
        constants = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I}
        return constants.get(value) or sympy.Symbol(value, positive=True)
    args = [build(part) for part in parts]
    if head in {"+", "*"}:
        return sympy.Add(*args) if head == "+" else sympy.Mul(*args)
    if head == "^" and args[1].is_Rational:
        if abs(args[1]) <= (MAX_SYMBOL_EXPONENT if args[0].is_Symbol else MAX_EXPONENT):
            return sympy.Pow(*args)
    elif head == "call" and value in FUNCTIONS and len(args) == 1:
        return getattr(sympy, {"abs": "Abs"}.get(value, value))(args[0])
    raise ValueError(f"{head} is not built here")
