"""Refuses a problem's tests for verifier "code" when they could not work, before any answer is judged."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from typing import Any

from gradus.verifiers.base import SpecError
from gradus.verifiers.program import checkers

LANGUAGES = ("python", "cpp", "javascript", "go")


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a spec without tests, with tests or a checker that cannot work, or with senseless limits."""
    kinds = [kind for kind in ("tests", "calls", "stdin_tests") if spec.get(kind)]
    if len(kinds) != 1:
        raise SpecError("code: give one of tests (assert statements), calls or stdin_tests, and at least one test")
    language = spec.get("language", "python")
    if language not in LANGUAGES or (language != "python" and kinds != ["stdin_tests"]):
        raise SpecError(f"code: languages are {', '.join(LANGUAGES)}; all but python take only stdin_tests")
    for test in spec[kinds[0]]:
        _CHECKS[kinds[0]](test)
        _check_limits(spec if isinstance(test, str) else {**spec, **test})
    _check_comparison(spec, kinds[0])
    if not all(str(name).isidentifier() for name in spec.get("libraries", ())):
        raise SpecError(f"code: libraries are names of packages, not {spec['libraries']!r}")


def _check_assertion(test: Any) -> None:
    try:
        ast.parse(test.strip())
    except (SyntaxError, ValueError, AttributeError) as error:
        raise SpecError(f"code: the test {test!r} is not Python: {error}") from None


def _check_call(test: Any) -> None:
    form = "{'function': name, 'args': [...], 'expected': data}, with kwargs or any_of if needed"
    allowed = {"function", "args", "kwargs", "expected", "any_of", "timeout_s", "memory_mb"}
    if not isinstance(test, Mapping) or not set(test) <= allowed or ("expected" in test) + ("any_of" in test) > 1:
        raise SpecError(f"code: a call is {form}, not {test!r}")
    names = str(test.get("function", "")).split(".")
    if len(names) > 2 or not all(name.isidentifier() for name in (*names, *test.get("kwargs", {}))):
        raise SpecError(f"code: a call's function is 'f' or 'Class.method', not {test.get('function')!r}")


def _check_stdin(test: Any) -> None:
    texts = test.get("any_of", [test.get("output", "")]) if isinstance(test, Mapping) else [None]
    required = {"input", "output"} if "any_of" not in test else {"input", "any_of"}
    allowed = required | {"timeout_s", "memory_mb"}
    if not isinstance(test, Mapping) or not required <= set(test) <= allowed or not texts:
        raise SpecError(f"code: a stdin test is {{'input': text, 'output': text}}, not {test!r}")
    if not all(isinstance(text, str) for text in (test["input"], *texts)):
        raise SpecError(f"code: a stdin test's input and output are texts, not {test!r}")


_CHECKS: dict[str, Callable[[Any], None]] = {
    "tests": _check_assertion,
    "calls": _check_call,
    "stdin_tests": _check_stdin,
}


def _check_limits(spec: Mapping[str, Any]) -> None:
    if not 0 < spec.get("timeout_s", 5.0) <= 600 or not 64 <= spec.get("memory_mb", 512) <= 65536:
        raise SpecError("code: timeout_s must be in (0, 600] and memory_mb in [64, 65536]")


def _check_comparison(spec: Mapping[str, Any], kind: str) -> None:
    known = {"tests": {}, "calls": checkers.VALUES, "stdin_tests": checkers.TEXT}[kind]
    source, name = spec.get("checker_source", ""), spec.get("checker", "")
    if (name and name not in known) or (source and (name or not known)):
        raise SpecError(f"code: {kind} have no checker {name or 'of their own'!r}; known: {', '.join(known) or 'none'}")
    if not 0 <= spec.get("tolerance", 0.0) < 1 or (kind == "tests" and spec.get("tolerance")):
        raise SpecError("code: tolerance is in [0, 1), for calls and for the checker 'float'")
    if kind == "calls" and not source and any("expected" not in t and not t.get("any_of") for t in spec["calls"]):
        raise SpecError("code: a call needs expected or any_of, unless checker_source judges what it returns")
    try:
        defined = [node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError) as error:
        raise SpecError(f"code: checker_source is not Python: {error}") from None
    if source and "check" not in defined:
        raise SpecError("code: checker_source defines no function check(input, output)")
