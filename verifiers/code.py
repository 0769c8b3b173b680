"""Verifier "code": does a Python program pass its tests?

The program is the last python fence of the answer, else another fence, else the whole text if it
compiles. It runs in the sandbox, a fresh process per test, with the standard library only. The score is
the share of tests passed.

tests: assert statements. Where one can be split (program/assertions.py), only the program's calls run in
the sandbox and their values come back as plain data; the expected value never enters, so nothing the
program does to `==`, built-ins, the interpreter or the result channel can help it. A test that cannot be
split runs inside and reports by a nonce: exits and replaced built-ins do not pass, but an object with its
own `__eq__` would, and so would a program that searches its stack for the nonce.

stdin_tests: input and exact output, compared by line, up to trailing spaces and blank lines at the end;
the program must also end with exit code 0. Not covered: tolerance in printed numbers, several right
outputs, other languages.
"""

from __future__ import annotations

import ast
import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.program.assertions import UnsplittableError, split
from gradus.verifiers.program.source import candidates
from gradus.verifiers.sandbox.client import Job, Run, run
from gradus.verifiers.sandbox.plain import NotPlainError, decode


class StdinTest(TypedDict):
    """What the program reads, and what it must print."""

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Program:
    """A program that compiles, the names it defines, and its limits."""

    source: str
    names: frozenset[str]
    timeout_s: float
    memory_mb: int

    def job(self, mode: Any, **parts: Any) -> Job:
        return Job(mode=mode, source=self.source, timeout_s=self.timeout_s, memory_mb=self.memory_mb, **parts)


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a spec without tests, with tests that are no Python, or with senseless limits."""
    tests, stdin_tests = spec.get("tests") or [], spec.get("stdin_tests") or []
    if bool(tests) == bool(stdin_tests):
        raise SpecError("code: give either tests (assert statements) or stdin_tests, and at least one")
    for test in tests:
        try:
            ast.parse(test.strip())
        except (SyntaxError, ValueError, AttributeError) as error:
            raise SpecError(f"code: the test {test!r} is not Python: {error}") from None
    for test in stdin_tests:
        if set(test) != {"input", "output"} or not all(isinstance(text, str) for text in test.values()):
            raise SpecError(f"code: a stdin test is {{'input': text, 'output': text}}, not {test!r}")
    if not 0 < spec.get("timeout_s", 5.0) <= 600 or not 64 <= spec.get("memory_mb", 512) <= 65536:
        raise SpecError("code: timeout_s must be in (0, 600] and memory_mb in [64, 65536]")


@verifier("code", version="1", check=check)
def code(
    answer: str,
    *,
    tests: Sequence[str] = (),
    stdin_tests: Sequence[StdinTest] = (),
    timeout_s: float = 5.0,
    memory_mb: int = 512,
) -> Verdict:
    """Pass when the program in the answer passes every test."""
    texts = candidates(answer)
    compiled = _result(run(Job(mode="compile", parts=texts, memory_mb=memory_mb)))
    index = compiled.get("index")
    if index is None:
        return unparseable("no Python program in the answer that compiles: put it in a ```python block")
    program = Program(texts[index], frozenset(compiled["names"]), timeout_s, memory_mb)
    problems = [_assertion(program, test) for test in tests] + [_stdin(program, test) for test in stdin_tests]
    wrong = [problem for problem in problems if problem]
    if not wrong:
        return passed(f"passed all {len(problems)} tests")
    right = len(problems) - len(wrong)
    return failed(f"passed {right} of {len(problems)} tests; first failure: {wrong[0]}", right / len(problems))


def _assertion(program: Program, test: str) -> str:
    """Return '' if the test passes, else what went wrong."""
    test = test.strip()
    try:
        parts = split(test, program.names)
    except UnsplittableError:
        return _inside(program, test)
    done = run(program.job("values", setup=parts.setup, parts=parts.leaves))
    try:
        values = [decode(value) for value in _result(done)["values"]]
        if len(values) == len(parts.leaves) and parts.holds(values):
            return ""
        said = ", ".join(f"{leaf} gave {_written(value)}" for leaf, value in zip(parts.leaves, values, strict=True))
    except KeyError:
        said = _trouble(done, program)
    except (NotPlainError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
        said = f"{error}"
    return f"{_brief(test)}: {_brief(said)}"


def _inside(program: Program, test: str) -> str:
    """Run a test that cannot be split, in the sandbox as a whole."""
    nonce = secrets.token_hex(16)
    done = run(program.job("statements", parts=(test,), nonce=nonce))
    return "" if _result(done).get("nonce") == nonce else f"{_brief(test)}: {_trouble(done, program)}"


def _stdin(program: Program, test: StdinTest) -> str:
    done = run(program.job("script", stdin=test["input"]))
    where = f"input {_brief(test['input'])!r}"
    if not done.in_time or done.exit_code != 0:
        return f"{where}: {_trouble(done, program)}"
    if _lines(done.stdout) == _lines(test["output"]):
        return ""
    return f"{where}: printed {_brief(done.stdout)!r}, expected {_brief(test['output'])!r}"


def _result(done: Run) -> dict[str, Any]:
    """Return what the child wrote, or {} if that is no JSON object: the program may have written it."""
    try:
        found = json.loads(done.result)
    except (ValueError, RecursionError):
        return {}
    return found if done.in_time and isinstance(found, dict) else {}


def _trouble(done: Run, program: Program) -> str:
    """Return why a run gave no result."""
    if not done.in_time:
        return f"no end within {program.timeout_s:g} s"
    if error := _result(done).get("error"):
        return _brief(str(error))
    last = done.stderr.strip().splitlines()[-1:]
    return _brief(f"ended with exit code {done.exit_code} and no result" + (f": {last[0]}" if last else ""))


def _written(value: Any) -> str:
    try:
        return repr(value)
    except ValueError:
        return "a number of thousands of digits"


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.rstrip().splitlines()]


def _brief(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 160 else text[:157] + "…"
