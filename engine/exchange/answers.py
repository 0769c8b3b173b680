"""Problems with an answer that a verifier can judge, from another's question and expected answer.

Mathematics: any answer that our verifier can read. STEM: a letter of options that the question names, or a number;
free text cannot be judged by rules and gives no problem. Code: tests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gradus.engine.records import Problem
from gradus.verifiers.base import MALFORMED, SpecError, check_spec

NOTHING = ("", "n/a", "na", "none", "null", "nan", "-")
LETTER = re.compile(r"\(?([A-J])\)?\.?")
NUMBER = re.compile(r"[-+]?(?:\d+(?:,\d{3})*(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?")


def has_value(value: Any) -> bool:
    """Is this more than one of the ways to write that there is nothing?"""
    return value is not None and str(value).strip().lower() not in NOTHING


def answered(prompt: str, expected: Any, *, domain: str, source: str, tags: tuple[str, ...] = ()) -> Problem | None:
    """Return the problem, or None if there is no question or no answer that could be verified."""
    if not prompt.strip() or not has_value(expected):
        return None
    expected = str(expected).strip()
    if domain == "stem":
        letter = LETTER.fullmatch(expected)
        if letter and all(_offers(prompt, option) for option in {"A", "B", letter[1]}):
            return _checked(prompt, domain, "choice", {"expected": letter[1]}, source, tags)
        if not NUMBER.fullmatch(expected):
            return None
    return _checked(prompt, domain, "math", {"expected": expected}, source, tags)


def with_tests(prompt: str, cases: Any, *, source: str, tags: tuple[str, ...] = ()) -> Problem | None:
    """Return a problem judged by `{"inputs": […], "outputs": […]}` on standard input, as TACO and APPS write tests."""
    if not prompt.strip() or not isinstance(cases, Mapping) or cases.get("fn_name"):
        return None
    inputs, outputs = cases.get("inputs") or (), cases.get("outputs") or ()
    if not inputs or len(inputs) != len(outputs):
        return None
    pairs = [{"input": _lines(put), "output": _lines(get)} for put, get in zip(inputs, outputs, strict=True)]
    return _checked(prompt, "code", "code", {"stdin_tests": pairs}, source, tags)


def _checked(
    prompt: str, domain: str, verifier: str, spec: dict[str, Any], source: str, tags: tuple[str, ...]
) -> Problem | None:
    try:
        check_spec(verifier, spec)
    except (SpecError, KeyError, *MALFORMED):
        return None
    return Problem(prompt=prompt.strip(), domain=domain, verifier=verifier, spec=spec, source=source, tags=tags)


def _offers(prompt: str, letter: str) -> bool:
    """Does a line of the question, or a bracket in it, begin an option of that letter?"""
    return re.search(rf"(?:^\s*[*(]*{letter}[*]*[).:\]]|\({letter}\))", prompt, re.MULTILINE) is not None


def _lines(text: Any) -> str:
    return "\n".join(map(str, text)) if isinstance(text, list) else str(text)
