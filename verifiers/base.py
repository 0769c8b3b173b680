"""What a verdict is, and how a verifier is found and called.

A verifier is a pure function `(answer, **spec) -> Verdict` in a file of its own. Four outcomes are
kept apart: `pass`, `fail`, `unparseable` (no answer could be found in the text: not the same as a
wrong one), and `verifier_error` (we could not judge: never the model's fault).

This folder imports nothing else of Gradus and can be used by itself.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol

from gradus.verifiers.trail import recording

Outcome = Literal["pass", "fail", "unparseable", "verifier_error"]


MALFORMED = (AttributeError, IndexError, TypeError, ValueError, ArithmeticError, RecursionError)
"""What a spec or problem of the wrong types may raise when it is checked; KeyError is a missing field."""


class SpecError(ValueError):
    """A problem's verifier or its arguments cannot be used; says what and why."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The judgement of one answer. score is in [0, 1]; reason is one sentence a person can act on."""

    outcome: Outcome
    reason: str
    score: float = 0.0
    seconds: float = 0.0


def passed(reason: str) -> Verdict:
    """Full marks."""
    return Verdict("pass", reason, 1.0)


def failed(reason: str, score: float = 0.0) -> Verdict:
    """Wrong, with partial credit in [0, 1)."""
    return Verdict("fail", reason, score)


def unparseable(reason: str) -> Verdict:
    """No answer could be found."""
    return Verdict("unparseable", reason)


class Judge(Protocol):
    """A verifier's function: keyword arguments are the problem's spec."""

    def __call__(self, answer: str, **spec: Any) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Verifier:
    """A registered verifier. version changes whenever any verdict could; verdicts are stored under it."""

    name: str
    version: str | Callable[[Mapping[str, Any]], str]
    """A function of the spec where that names other verifiers, whose versions then count too."""
    judge: Callable[..., Verdict]
    check: Callable[[Mapping[str, Any]], None] | None


_PACKAGE = __name__.rpartition(".")[0]
_verifiers: dict[str, Verifier] = {}
_signature = functools.cache(inspect.signature)


def verifier(
    name: str,
    *,
    version: str | Callable[[Mapping[str, Any]], str],
    check: Callable[[Mapping[str, Any]], None] | None = None,
) -> Callable[[Callable[..., Verdict]], Callable[..., Verdict]]:
    """Register a function as a verifier. check(spec) raises SpecError for arguments it cannot use."""

    def keep(judge: Callable[..., Verdict]) -> Callable[..., Verdict]:
        _verifiers[name] = Verifier(name, version, judge, check)
        return judge

    return keep


def find(name: str) -> Verifier:
    """Return the verifier of that name; SpecError lists the known ones."""
    if name not in _verifiers:
        _import(name)
    if name not in _verifiers:
        _discover()
    if name not in _verifiers:
        raise SpecError(f"no verifier {name!r}. Known: {', '.join(names())}.")
    return _verifiers[name]


def names() -> list[str]:
    """Return the names of all verifiers, sorted."""
    _discover()
    return sorted(_verifiers)


def version_of(name: str, spec: Mapping[str, Any]) -> str:
    """Return the version under which a verdict on answers to this spec is stored."""
    version = find(name).version
    return version if isinstance(version, str) else version(spec)


def check_spec(name: str, spec: Mapping[str, Any]) -> None:
    """Raise SpecError if verify(name, …, spec) could not work."""
    found = find(name)
    signature = _signature(found.judge)
    try:
        signature.bind("", **spec)
    except TypeError as error:
        raise SpecError(f"verifier {name!r}: {error}; it takes {signature}") from None
    if found.check:
        found.check(spec)


def verify(name: str, answer: str, spec: Mapping[str, Any]) -> Verdict:
    """Judge one answer. A verifier that raises gives `verifier_error`, never an exception."""
    found, start = find(name), time.perf_counter()
    try:
        verdict = found.judge(answer, **spec)
    except Exception as error:
        verdict = Verdict("verifier_error", f"{type(error).__name__}: {error}")
    return replace(verdict, seconds=time.perf_counter() - start)


def explain(name: str, answer: str, spec: Mapping[str, Any]) -> tuple[Verdict, list[str]]:
    """Judge one answer and say by which steps, one sentence each."""
    with recording() as steps:
        return verify(name, answer, spec), steps


def _import(name: str) -> None:
    """Import the file and the entry point of that name: what the other verifiers need need not be loaded."""
    if name in _files():
        importlib.import_module(f"{_PACKAGE}.{name}")
    for point in entry_points(group=_PACKAGE, name=name):
        point.load()


def _discover() -> None:
    """Import every file of this folder, and the entry points of group `gradus.verifiers`."""
    for name in _files():
        importlib.import_module(f"{_PACKAGE}.{name}")
    for point in entry_points(group=_PACKAGE):
        point.load()


def _files() -> list[str]:
    folder = importlib.import_module(_PACKAGE).__path__
    return [module.name for module in pkgutil.iter_modules(folder) if not module.ispkg]
