"""Judges a program by calls with JSON arguments: {"function": "f" or "Solution.f", "args": [...], "expected": ...}.

`Class.method` is called on a new object of the class. What comes back is compared here (checkers.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.program import checkers
from gradus.verifiers.program.dialogue import recorded
from gradus.verifiers.program.judging import RIGHT, Program, Result, brief, in_batches, results, trouble, written
from gradus.verifiers.program.literal import literal
from gradus.verifiers.sandbox.client import Case, run
from gradus.verifiers.sandbox.plain import NotPlainError, decode

Call = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCheck:
    """How a returned value is compared."""

    checker: str = "exact"
    source: str = ""
    tolerance: float = 0.0

    def result(self, call: Call, got: Any) -> Result:
        where = expression(call)
        if self.source:
            return checkers.special(self.source, call.get("args", []), got, brief(where))
        rights = call["any_of"] if "any_of" in call else [call["expected"]]
        if any(checkers.VALUES[self.checker](got, right, self.tolerance) for right in rights):
            return RIGHT
        said = f"gave {brief(written(got))}, expected {brief(written(rights[0]))}"
        return Result(0.0, f"{brief(where)} {said}" + (" or another" if len(rights) > 1 else ""))


def judge(program: Program, calls: Sequence[Call], check: ValueCheck) -> list[Result]:
    """Return a result per call, in order."""
    return in_batches(
        len(calls),
        lambda some: _together(program, [calls[number] for number in some], check),
        lambda number: _together(program, [calls[number]], check)[0],
    )


def expression(call: Call) -> str:
    """Return the call as Python."""
    owner, _, name = call["function"].rpartition(".")
    words = [literal(value) for value in call.get("args", [])]
    words += [f"{key}={literal(value)}" for key, value in call.get("kwargs", {}).items()]
    return f"{owner}().{name}({', '.join(words)})" if owner else f"{name}({', '.join(words)})"


def _together(program: Program, calls: Sequence[Call], check: ValueCheck) -> list[Result]:
    cases = [Case(parts=(expression(call),)) for call in calls]
    done = run(program.job("values", *cases))[0]
    found = []
    for call, line in zip(calls, results(done, len(calls)), strict=True):
        try:
            found.append(check.result(call, _value(program, call, line)))
        except (KeyError, IndexError, TypeError, NotPlainError):
            reason = f"{brief(expression(call))}: {trouble(done, line, program.timeout_s)}"
            found.append(Result(0.0, reason, ran_out=not done.in_time))
    if all(result.reason for result in found):
        program.confirm()
    return found


def _value(program: Program, call: Call, line: dict[str, Any]) -> Any:
    """Return what the call gave; what is no built-in data is asked for again, and converted."""
    if "not plain data" in str(line.get("error")):
        return recorded(program, expression(call))
    return decode(line["values"][0])
