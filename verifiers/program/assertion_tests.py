"""Judges a program by assert statements.

A test that can be split (assertions.py) is evaluated here on the values that the program's calls gave; all
such tests share one process of the program at first. Any other is held as a dialogue (dialogue.py).
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from gradus.verifiers.program import dialogue
from gradus.verifiers.program.assertions import Split, UnsplittableError, split
from gradus.verifiers.program.judging import (
    NOT_PLAIN,
    RIGHT,
    Program,
    Result,
    brief,
    in_batches,
    results,
    trouble,
    written,
)
from gradus.verifiers.program.names import needs_definitions
from gradus.verifiers.sandbox.client import Case, Run, run
from gradus.verifiers.sandbox.plain import NotPlainError, decode
from gradus.verifiers.trail import note


def judge(program: Program, tests: Sequence[str]) -> list[Result]:
    """Return a result per test, in order."""
    plans = [_plan(test.strip(), program) for test in tests]
    splits = [(test, plan) for test, plan in zip(tests, plans, strict=True) if plan]
    done = iter(
        in_batches(len(splits), lambda some: _values(program, splits, some), lambda n: _alone(program, *splits[n]))
    )
    return [next(done) if plan else _dialogue(program, test) for test, plan in zip(tests, plans, strict=True)]


def _plan(test: str, program: Program) -> Split | None:
    try:
        return _split(test, frozenset() if not _needs_definitions(test) else program.names)
    except UnsplittableError as error:
        note("{}: not split ({})", brief(test), error)
        return None


@lru_cache(maxsize=4096)
def _needs_definitions(test: str) -> bool:
    return needs_definitions(ast.parse(test))


@lru_cache(maxsize=4096)
def _split(test: str, defined: frozenset[str]) -> Split:
    return split(test, defined)


def _values(program: Program, splits: Sequence[tuple[str, Split]], some: Sequence[int]) -> list[Result]:
    """Run some of the tests in one process."""
    if not some:
        return []
    cases = [Case(setup=splits[number][1].setup, parts=splits[number][1].leaves) for number in some]
    done = run(program.job("values", *cases))[0]
    lines = results(done, len(cases))
    found = [_result(*splits[n], line, done, program.timeout_s) for n, line in zip(some, lines, strict=True)]
    if all(result.reason for result in found):
        program.confirm()
    return found


def _alone(program: Program, test: str, plan: Split) -> Result:
    """Run a test again, in a process of its own."""
    result = _values(program, [(test, plan)], [0])[0]
    if NOT_PLAIN in result.reason:
        # An iterator, a named tuple, a fraction: the dialogue knows more kinds of value.
        return _dialogue(program, test)
    note("{}: {} in a fresh process", brief(test), "fails" if result.reason else "passes")
    return result


def _dialogue(program: Program, test: str) -> Result:
    result = dialogue.judge(test.strip(), program)
    note("{}: {} in a dialogue", brief(test), "fails" if result.reason else "passes")
    return result


def _result(test: str, plan: Split, line: dict[str, Any], done: Run, timeout_s: float) -> Result:
    """Evaluate the test with the values that the program claims."""
    if not isinstance(line.get("values"), list):
        return Result(0.0, f"{brief(test)}: {trouble(done, line, timeout_s)}", ran_out=not done.in_time)
    try:
        values = [decode(value) for value in line["values"]]
        if len(values) == len(plan.leaves) and plan.holds(values):
            return RIGHT
        said = ", ".join(f"{leaf} gave {written(value)}" for leaf, value in zip(plan.leaves, values, strict=True))
    except (NotPlainError, TypeError, ValueError, ArithmeticError, LookupError, RecursionError) as error:
        said = f"{error}"
    return Result(0.0, f"{brief(test)}: {brief(said)}")
