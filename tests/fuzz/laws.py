"""What must hold whatever a model writes, or a hostile program sends: each law asserts it for one input.

The mathematics verifier never raises, never takes longer than MAX_SECONDS of this thread's time, never passes
e + 1 where e is expected, never fails e itself, and of a formula with one node changed passes only what mpmath
values alike. The sandbox's decoders raise only what their callers expect, and what the encoder wrote comes back
as it was.
"""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
import time
from typing import Any

import trees

from gradus.verifiers.base import verify
from gradus.verifiers.formula.parse import parse
from gradus.verifiers.formula.syntax import ParseError
from gradus.verifiers.sandbox import frames, plain

MAX_SECONDS = 0.25


def outcome(answer: str, expected: str) -> str:
    """Judge, holding the verdict to its time. Only this thread's time counts: the machine may be busy."""
    for _ in range(2):  # the first verdict of a kind may pay for an import
        start = time.thread_time()
        verdict = verify("math", answer, {"expected": expected})
        seconds = time.thread_time() - start
        if seconds <= MAX_SECONDS:
            break
    assert verdict.outcome != "verifier_error", f"{verdict.reason}: {answer!r} for {expected!r}"
    assert seconds <= MAX_SECONDS, f"{seconds:.2f} s: {answer!r} for {expected!r}"
    return verdict.outcome


def any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ParseError):
        parse(text)


def any_pair_is_judged(answer: str, expected: str) -> None:
    assert outcome(answer, expected) in {"pass", "fail", "unparseable"}


def one_more_never_passes(expression: str) -> None:
    for answer in (f"({expression})+1", f"1+{expression}"):
        assert outcome(rf"\boxed{{{answer}}}", expression) != "pass", f"{answer!r} passes for {expression!r}"


def itself_never_fails(expression: str) -> None:
    assert outcome(rf"\boxed{{{expression}}}", expression) != "fail", f"{expression!r} fails for itself"


def a_changed_formula_passes_only_where_its_values_agree(draw: random.Random) -> None:
    expected = trees.tree(draw, draw.randint(1, 3))
    answer = trees.changed(draw, expected)
    passes = outcome(rf"\boxed{{{trees.written(answer)}}}", trees.written(expected)) == "pass"
    if passes:
        assert trees.agree(expected, answer, draw) is not False, f"{answer} passes for {expected}"


def any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(data)
        theirs.shutdown(socket.SHUT_WR)
        with contextlib.suppress(EOFError):
            frames.receive(ours)


def a_frame_comes_back(message: dict[str, Any]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        frames.send(theirs, message)
        assert frames.receive(ours) == message


def any_json_is_plain_or_refused(text: str | bytes) -> None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return
    with contextlib.suppress(plain.NotPlainError):
        plain.decode(value)


def plain_data_comes_back(value: Any) -> None:
    # Compared as text: nan is not equal to itself, True is equal to 1.
    assert repr(plain.decode(json.loads(json.dumps(plain.encode(value))))) == repr(value)


def framed(body: bytes) -> bytes:
    """Return body with the length that it should have before it."""
    return struct.pack("!I", len(body)) + body
