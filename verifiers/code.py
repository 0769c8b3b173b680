"""Verifier "code": does a program pass its tests?

The program is the last fence of the language in the answer, else another fence, else the whole text. It
runs in the sandbox, with the standard library and the `libraries` of the spec; what a test expects never
enters a process that the program is in. The score is the mean over the tests; the reason names the first
test that failed. A Python program's tests share a process at first; one that fails there is run again in a
fresh one before it counts as failed. After three tests that run out of time, the others count as failed.

tests: assert statements (program/assertions.py, program/dialogue.py: what they cover and what they leave
open), or tests of HumanEval's form (program/checked_tests.py). calls: JSON arguments and results
(program/call_tests.py). stdin_tests: input and output (program/stdin_tests.py), in Python, C++, JavaScript or
Go; the program must end with exit code 0. In the last two, `any_of` in place of the expected output lists
several right ones; checker, checker_source and tolerance say how they are compared (program/checkers.py);
a test may bring its own timeout_s and memory_mb.

Not covered: programs of several files, interactive tests, a time limit that counts the processor's time,
calls in languages other than Python.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any, TypeVar

from gradus.verifiers.base import Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.program import assertion_tests, call_tests
from gradus.verifiers.program import stdin_tests as printed_tests
from gradus.verifiers.program.checked_tests import separate
from gradus.verifiers.program.judging import NotThisProgramError, Program, Result
from gradus.verifiers.program.languages.language import Built, DoesNotBuildError, Language
from gradus.verifiers.program.source import candidates
from gradus.verifiers.program.spec import check
from gradus.verifiers.trail import note

Test = Mapping[str, Any]
Limited = TypeVar("Limited", Program, Built)


@verifier("code", version="2", check=check)
def code(
    answer: str,
    *,
    tests: Sequence[str] = (),
    calls: Sequence[Test] = (),
    stdin_tests: Sequence[Test] = (),
    language: str = "python",
    libraries: Sequence[str] = (),
    checker: str = "",
    checker_source: str = "",
    tolerance: float | None = None,
    timeout_s: float = 5.0,
    memory_mb: int = 512,
) -> Verdict:
    """Pass when the program in the answer passes every test."""
    given = {"checker": checker or None, "source": checker_source or None, "tolerance": tolerance}
    comparison: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if language != "python":
        return _in_language(language, answer, stdin_tests, comparison, (timeout_s, memory_mb))
    parts = [part for test in tests for part in separate(test)]
    texts = candidates(answer)
    program = Program(texts, timeout_s, memory_mb, tuple(libraries))

    def judge(program: Program) -> list[Result]:
        return [
            *assertion_tests.judge(program, parts),
            *_by_limits(calls, program, lambda some, p: _calls(p, some, comparison)),
            *_by_limits(stdin_tests, program, lambda some, p: _stdin(p, some, comparison)),
        ]

    results = _python(program, judge) if texts else None
    if results is None:
        return unparseable("no Python program in the answer that compiles: put it in a ```python block")
    return _verdict(results)


def _python(program: Program, judge: Callable[[Program], list[Result]]) -> list[Result] | None:
    """Judge the first text of the answer that compiles; None if there is none."""
    try:
        return judge(program)
    except NotThisProgramError as error:
        note("the first text does not compile; {} others do", len(error.program.texts) if error.program else "no")
        return judge(error.program) if error.program else None


def _calls(program: Program, calls: Sequence[Test], comparison: Mapping[str, Any]) -> list[Result]:
    return call_tests.judge(program, calls, call_tests.ValueCheck(**comparison))


def _stdin(program: Program, tests: Sequence[Test], comparison: Mapping[str, Any]) -> list[Result]:
    return printed_tests.judge(program, tests, printed_tests.TextCheck(**comparison))


def _in_language(
    name: str, answer: str, tests: Sequence[Test], comparison: Mapping[str, Any], limits: tuple[float, int]
) -> Verdict:
    language: Language = importlib.import_module(f"gradus.verifiers.program.languages.{name}").LANGUAGE
    texts = candidates(answer, language.fences)
    if not texts:
        return unparseable(f"no {language.name} program in the answer: put it in a ```{name} block")
    try:
        built = language.built(texts[0], timeout_s=limits[0], memory_mb=limits[1])
    except DoesNotBuildError as error:
        if "```" not in answer and "~~~" not in answer:
            return unparseable(f"no {language.name} program in the answer: put it in a ```{name} block")
        return failed(f"the {language.name} program does not build: {error}")
    check_text = printed_tests.TextCheck(**comparison)
    return _verdict(
        list(_by_limits(tests, built, lambda some, b: printed_tests.judge_built(b, some, check_text, language)))
    )


def _by_limits(
    tests: Sequence[Test], program: Limited, judge: Callable[[Sequence[Test], Limited], list[Result]]
) -> Iterator[Result]:
    """Judge neighbouring tests with the same limits together."""
    default = (program.timeout_s, program.memory_mb)
    for (timeout_s, memory_mb), some in groupby(
        tests, lambda test: (test.get("timeout_s", default[0]), test.get("memory_mb", default[1]))
    ):
        yield from judge(list(some), replace(program, timeout_s=timeout_s, memory_mb=memory_mb))


def _verdict(results: Sequence[Result]) -> Verdict:
    for number, result in enumerate(results, 1):
        note("test {}: {}", number, result.reason or "passed")
    wrong = [result for result in results if result.reason]
    if not wrong:
        return passed(f"passed all {len(results)} tests")
    right = len(results) - len(wrong)
    score = sum(result.score for result in results) / len(results)
    return failed(f"passed {right} of {len(results)} tests; first failure: {wrong[0].reason}", score)
