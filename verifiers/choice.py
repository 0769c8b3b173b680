"""Verifier "choice": was the right option of a multiple-choice question named?

Covered: `\\boxed{B}`, "the answer is (B)", "Answer: B", a lone "B" or "B) text", and, where choices are
given, the right option's text in full. The last statement counts. Two options in one statement do not
pass. Not covered: several right options, and conclusions in prose ("so the second one").
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import ascii_uppercase
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.formula.extract import stated

_WRAPPER = re.compile(r"\\(?:text|mathrm|textbf|mathbf)\s*\{([^{}]*)\}|[*$`]")
_FIRST = re.compile(
    r"(?:(?:option|choice|answer)\b[\s:]*)?"
    r"(?:\(([A-Z])\)|([A-Z])(?:\)|(?=[.:,;/&]|\s+(?:or|and|because|since|[A-Z])\b|\s*$)))",
    re.IGNORECASE,
)
# "I" after a comma is a person.
_NEXT = re.compile(r"(?:\s*(?:\bor\b|\band\b|[,/&])\s*|\s+)\(?([A-HJ-Z])\)?(?![\w'])")


def check(spec: Mapping[str, Any]) -> None:
    """Refuse an expected answer that is no letter, or no letter of the choices."""
    expected, choices = spec["expected"], spec.get("choices")
    letters = ascii_uppercase[: len(choices)] if choices else ascii_uppercase
    if not isinstance(expected, str) or len(expected) != 1 or expected not in letters:
        raise SpecError(f"choice: expected must be one of {', '.join(letters)}, not {expected!r}")


@verifier("choice", version="1", check=check)
def choice(answer: str, *, expected: str, choices: Sequence[str] | None = None) -> Verdict:
    """Pass when the last option named is the expected one."""
    text = stated(answer) or _last_line(answer)
    named = _named(_bare(text), choices or ())
    if named is None:
        return unparseable("no option named: end with \\boxed{} and the option's letter")
    said = f"named {named}, expected {expected}"
    return passed(said) if named == expected else failed(said)


def _last_line(answer: str) -> str:
    lines = answer.strip().splitlines()
    return lines[-1].strip() if lines else ""


def _bare(text: str) -> str:
    return _WRAPPER.sub(lambda match: match[1] or "", text).strip()


def _named(text: str, choices: Sequence[str]) -> str | None:
    """Return the option's letter, the letters if there are several, or None."""
    for letter, option in zip(ascii_uppercase, choices, strict=False):
        if _plain(option) == _plain(text):
            return letter
    match = _FIRST.match(text)
    if match is None:
        return None
    letters = [match[1] or match[2]]
    while match := _NEXT.match(text, match.end()):
        letters.append(match[1])
    return " or ".join(letter.upper() for letter in letters)


def _plain(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text).strip().casefold()
