"""Judges a program by what it prints: {"input": text, "output": text}, in any language.

The program must end in time and with exit code 0. Each test has a process of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.program import checkers
from gradus.verifiers.program.judging import MAX_TIMEOUTS, RIGHT, Program, Result, brief, results, trouble
from gradus.verifiers.program.languages.language import Built, Language
from gradus.verifiers.sandbox.client import Case, Run, run

AT_ONCE = 4
StdinTest = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextCheck:
    """How printed text is compared."""

    checker: str = "lines"
    source: str = ""
    tolerance: float = checkers.DEFAULT_TOLERANCE

    def result(self, test: StdinTest, printed: str) -> Result:
        where = f"input {brief(test['input'])!r}"
        if self.source:
            return checkers.special(self.source, test["input"], printed, where)
        rights = test["any_of"] if "any_of" in test else [test["output"]]
        if any(checkers.TEXT[self.checker](printed, right, self.tolerance) for right in rights):
            return RIGHT
        said = f"printed {brief(printed)!r}, expected {brief(rights[0])!r}"
        return Result(0.0, f"{where}: {said}" + (" or another" if len(rights) > 1 else ""))


def judge(program: Program, tests: Sequence[StdinTest], check: TextCheck) -> list[Result]:
    """Return a result per test of a Python program, in order."""

    def ask(inputs: Sequence[str]) -> Sequence[Run]:
        return run(program.job("script", *(Case(stdin=text) for text in inputs)))

    found = list(_results(tests, ask, check, program.timeout_s))
    if all(result.reason for result in found):
        program.confirm()
    return found


def judge_built(built: Built, tests: Sequence[StdinTest], check: TextCheck, language: Language) -> list[Result]:
    """Return a result per test of a program in another language, in order."""

    def ask(inputs: Sequence[str]) -> Sequence[Run]:
        return run(language.job(built, [Case(stdin=text) for text in inputs]))

    return list(_results(tests, ask, check, built.timeout_s))


def _results(tests: Sequence[StdinTest], ask: Any, check: TextCheck, timeout_s: float) -> Iterator[Result]:
    ran_out = 0
    for start in range(0, len(tests), AT_ONCE):
        some = tests[start : start + AT_ONCE]
        if ran_out >= MAX_TIMEOUTS:
            yield from [Result(0.0, f"not tried: {ran_out} tests had run out of time")] * len(some)
            continue
        for test, done in zip(some, ask([test["input"] for test in some]), strict=True):
            ran_out += not done.in_time
            yield _result(test, done, check, timeout_s)


def _result(test: StdinTest, done: Run, check: TextCheck, timeout_s: float) -> Result:
    if done.in_time and done.exit_code == 0:
        return check.result(test, done.stdout)
    reason = trouble(done, results(done, 1)[0], timeout_s)
    return Result(0.0, f"input {brief(test['input'])!r}: {reason}", ran_out=not done.in_time)
