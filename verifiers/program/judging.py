"""What the ways of testing a program have in common: the program, the result of a test, and what went wrong."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from gradus.verifiers.sandbox.client import Case, Job, Mode, Run, run

MAX_SHOWN = 160
# The sandbox's complaint about a value that it cannot write as plain data.
NOT_PLAIN = "is not plain data"
# After so many tests that ran out of time, the others count as failed unseen.
MAX_TIMEOUTS = 3


class NotThisProgramError(Exception):
    """The text does not compile; program is another one from the same answer, if there is one."""

    def __init__(self, program: Program | None) -> None:
        super().__init__()
        self.program = program


@dataclass(frozen=True, slots=True)
class Result:
    """What one test gave: reason is '' if it passed."""

    score: float
    reason: str = ""
    ran_out: bool = False


RIGHT = Result(1.0)


@dataclass(slots=True)
class Program:
    """The first of the texts, taken for a program until something shows that it is none."""

    texts: Sequence[str]
    timeout_s: float
    memory_mb: int
    libraries: tuple[str, ...] = ()
    _names: frozenset[str] | None = field(default=None, init=False)

    @property
    def source(self) -> str:
        return self.texts[0]

    @property
    def names(self) -> frozenset[str]:
        """What the program defines."""
        self.confirm()
        return self._names or frozenset()

    def confirm(self) -> None:
        """Make sure that the first text compiles: NotThisProgramError if it does not."""
        if self._names is not None:
            return
        found = results(run(self.job("compile", Case(parts=tuple(self.texts))))[0], 1)[0]
        index = found.get("index")
        if index != 0:
            raise NotThisProgramError(replace(self, texts=self.texts[index:]) if isinstance(index, int) else None)
        self._names = frozenset(map(str, found["names"]))

    def job(self, mode: Mode, *cases: Case) -> Job:
        """Return a job for this program under its limits."""
        return Job(
            mode=mode,
            source="" if mode == "compile" else self.source,
            cases=cases,
            libraries=self.libraries,
            timeout_s=self.timeout_s,
            memory_mb=self.memory_mb,
        )


def results(done: Run, count: int) -> list[dict[str, Any]]:
    """Return the lines the child wrote, {} for each that is missing or no JSON object: all are only claims."""
    lines = [_object(line) for line in done.result.split("\n")[:count]]
    return lines + [{}] * (count - len(lines))


def in_batches(
    size: int, ask: Callable[[Sequence[int]], Sequence[Result]], alone: Callable[[int], Result]
) -> list[Result]:
    """Try all tests in one process; what did not pass there gets a fresh one before it counts as failed."""
    first = ask(range(size))
    found: list[Result] = []
    for number, result in enumerate(first):
        if result.reason and sum(r.ran_out for r in found) >= MAX_TIMEOUTS:
            result = Result(0.0, f"not tried: {MAX_TIMEOUTS} tests had run out of time")
        elif result.reason and (size > 1 or NOT_PLAIN in result.reason):
            result = alone(number)
        found.append(result)
    return found


def trouble(done: Run, found: dict[str, Any], timeout_s: float) -> str:
    """Return why a run gave no result."""
    if not done.in_time:
        return f"no end within {timeout_s:g} s"
    if error := found.get("error"):
        return brief(str(error))
    last = done.stderr.strip().splitlines()[-1:]
    return brief(f"ended with exit code {done.exit_code} and no result" + (f": {last[0]}" if last else ""))


def written(value: Any) -> str:
    """Return the value as Python writes it."""
    try:
        return repr(value)
    except ValueError:
        return "a number of thousands of digits"


def brief(text: str) -> str:
    """Return the text on one line of bearable length."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 3] + "…"


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
