"""Judges a test that cannot be split: the test in one process, the program in another, and we in between.

The test runs with a stand-in for the program (stand_in.py), which lists the calls it makes; the program's
process makes those calls and says what came of them (recorder.py); the test runs again with these answers.
So no program shares a process with anything a test expects, and nothing it does to `==`, built-ins, the
interpreter or the result's channel can help it. Two runs of the test and one of the program are enough
unless a call depends on the data an earlier one gave.

What remains open: a test that compares two objects of the program, or asks an object of the program for
data that only its author could check (`assert f(2).is_right()`), is decided by the program. An object of the
program is never equal to plain data, and arithmetic or order between the two is refused. Not covered (the
verdict is `verifier_error`): a test that gives the program a function or class of the test's own, or that
makes more than 10,000 calls or needs 50 rounds.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from gradus.verifiers.program.judging import RIGHT, Program, Result, brief, results, trouble, written
from gradus.verifiers.program.literal import literal
from gradus.verifiers.program.names import exception_names, module_names, program_names
from gradus.verifiers.sandbox.client import Case, Job, Run, run
from gradus.verifiers.sandbox.plain import NotPlainError, decode
from gradus.verifiers.trail import note

MAX_ROUNDS = 50
# The author's test may itself compute something, whatever the program's limits are.
TEST_TIMEOUT_S = 10.0
TEST_MEMORY_MB = 2048


class UnjudgeableTestError(ValueError):
    """The test cannot be judged without letting the program decide."""


@dataclass(slots=True)
class _Dialogue:
    """One test and what is known of the program's answers."""

    test: str
    program: Program
    log: list[str] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)

    def result(self) -> Result:
        for number in range(MAX_ROUNDS):
            try:
                said = self.ask_test()
            except UnjudgeableTestError as error:
                if not self.answers:
                    raise
                # It did come to its end without what the program gave.
                return Result(0.0, f"{brief(self.test)}: {error}")
            if said[0] != "need":
                return self.verdict(said)
            note("round {}: the test asks for {} calls", number + 1, len(said[1]))
            self.log = [str(text) for text in said[1]]
            if trouble := self.ask_program(int(said[2])):
                return trouble
        raise UnjudgeableTestError(f"{brief(self.test)}: more than {MAX_ROUNDS} rounds of calls that need each other")

    def verdict(self, said: tuple[Any, ...]) -> Result:
        if said[0] == "cannot":
            raise UnjudgeableTestError(f"{brief(self.test)}: {said[1]}")
        if said[0] != "pass":
            return Result(0.0, f"{brief(self.test)}: {brief(str(said[1]))}{self.shown()}")
        # Even a test without a call needs a program that can be loaded.
        return RIGHT if self.log else self.ask_program(0) or RIGHT

    def ask_test(self) -> tuple[Any, ...]:
        job = _test_job(self.test, self.names(), self.program.libraries, tuple(self.log), literal(self.answers))
        return _test_answer(job) if not self.answers else _fresh_test_answer(job)

    def names(self) -> frozenset[str]:
        tree = ast.parse(self.test)
        return program_names(tree, ()) or program_names(tree, self.program.names)

    def ask_program(self, sure: int) -> Result | None:
        """Get the answers to the calls; if the guessed ones break the program, only to the sure ones."""
        for calls in dict.fromkeys((len(self.log), sure)):
            parts = tuple(f"_gradus_do({text!r})" for text in self.log[:calls])
            done = run(self.program.job("values", Case(setup=_beside("recorder.py"), parts=parts)))[0]
            found = results(done, 1)[0]
            try:
                answers = [decode(value) for value in found["values"]]
                if len(answers) == calls and all(map(_is_answer, answers)):
                    self.answers = answers
                    return None
            except (KeyError, TypeError, NotPlainError):
                pass
        self.program.confirm()
        reason = trouble(done, found, self.program.timeout_s)
        return Result(0.0, f"{brief(self.test)}: {reason}", ran_out=not done.in_time)

    def shown(self) -> str:
        """Return the last call and its answer, for the reason."""
        if not self.answers:
            return ""
        kind, data, _ = self.answers[-1]
        return f" (last call: {brief(self.log[len(self.answers) - 1])} gave {kind} {brief(written(data))})"


def judge(test: str, program: Program) -> Result:
    """Judge one test. UnjudgeableTestError where that cannot be done safely; never the program's fault."""
    return _Dialogue(test, program).result()


def recorded(program: Program, text: str) -> Any:
    """Return what one call gives, converted to built-in data; NotPlainError if that cannot be done."""
    dialogue = _Dialogue("", program, log=[text])
    if dialogue.ask_program(1):
        raise NotPlainError("no value")
    match dialogue.answers[0]:
        case ("plain", data, _):
            return _unmarked(data)
        case ("items", (items, True), _):
            return [_unmarked(item) for item in items]
    raise NotPlainError("an object of the program, not data")


def _unmarked(data: Any) -> Any:
    """Return data with the marked tuples of recorder.py as lists and numbers."""
    match data:
        case ("\0gradus", "array" | "scalar" | "deque", inner, *_):
            return _unmarked(inner)
        case ("\0gradus", *_):
            raise NotPlainError("a number type that JSON does not have")
        case list() | tuple():
            return [_unmarked(item) for item in data]
        case dict():
            return {key: _unmarked(value) for key, value in data.items()}
    return data


def _is_answer(answer: Any) -> bool:
    """Whether a claim has the form that recorder.py gives it."""
    match answer:
        case ("plain" | "object", _, list()) | ("items", (list(), bool()), list()):
            return True
        case ("raised", ([str(), *_], str()), list()):
            return True
    return False


def _test_job(test: str, names: frozenset[str], libraries: tuple[str, ...], log: tuple[str, ...], answers: str) -> Job:
    tree = ast.parse(test)
    caught = sorted(set(exception_names(tree)) & names)
    modules = sorted(module_names(tree, names))
    call = f"outcome({test!r}, {sorted(names)!r}, {caught!r}, {modules!r}, {log!r}, {answers})"
    return Job(
        mode="values",
        source=_beside("stand_in.py"),
        cases=(Case(parts=(call,)),),
        libraries=libraries,
        timeout_s=TEST_TIMEOUT_S,
        memory_mb=TEST_MEMORY_MB,
    )


def _fresh_test_answer(job: Job) -> tuple[Any, ...]:
    done: Run = run(job)[0]
    found = results(done, 1)[0]
    if "values" not in found:
        raise UnjudgeableTestError(f"the test does not run: {trouble(done, found, TEST_TIMEOUT_S)}")
    said: tuple[Any, ...] = decode(found["values"][0])
    return said


# The first run of a test does not depend on the program.
_test_answer = cache(_fresh_test_answer)


@cache
def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text()
