"""Verifier "math": is the final answer equal to the expected one?

Covered: integers, fractions, decimals, percent, mixed numbers, roots, powers, logarithms, trigonometry,
factorials, binomials, complex numbers, variables, tuples, sets, intervals, inequalities, equations,
small matrices, units, short text. formula/equal.py lists what counts as equal. Not covered: sums,
integrals, limits, set builders, piecewise functions, parameters under another name; these pass only
when they are written alike. The time is bounded by limits on the text, not by a timer, so any thread
may call it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.formula.equal import same
from gradus.verifiers.formula.extract import MAX_SHORT_CHARS, only_number, shown, stated
from gradus.verifiers.formula.parse import parse
from gradus.verifiers.formula.syntax import Node, ParseError

_SPACING = re.compile(r"\\[,;:! ]|(?<!\d)\s|\s(?!\d)|\$|\.$|\\(?:left|right)(?![a-z])")
_WRAPPER = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox)\s*\{([^{}]*)\}")


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a spec whose expected answer is empty or whose tolerance is no small number."""
    expected, tolerance = spec["expected"], spec.get("tolerance")
    if not isinstance(expected, str) or not (_text(expected) or _tree(expected)):
        raise SpecError(f"math: expected must be a text with an answer in it, not {expected!r}")
    if tolerance is not None and not (isinstance(tolerance, int | float) and 0 <= tolerance < 1):
        raise SpecError(f"math: tolerance must be a relative error in [0, 1), not {tolerance!r}")


@verifier("math", version="1", check=check)
def math(answer: str, *, expected: str, tolerance: float | None = None) -> Verdict:
    """Pass when the last answer given in the text equals expected."""
    found = _stated(answer, expected) or _shown(answer, expected)
    if found is None:
        return unparseable("no final answer in the text: put it in \\boxed{}")
    said = f"got {_brief(found)}, expected {_brief(expected)}"
    if _text(found) and _text(found) == _text(expected) and _letters(found) == _letters(expected):
        return passed(said)
    for thousands in (True, False):
        want, got = _tree(expected, thousands=thousands), _tree(found, thousands=thousands)
        if want is not None and got is not None and same(want, got, tolerance):
            return passed(said)
    return failed(said)


def _stated(answer: str, expected: str) -> str | None:
    """Return the marked answer; of a sentence, where mathematics is expected, its only number."""
    found = stated(answer)
    if found is None or _tree(found) is not None or _tree(expected) is None:
        return found
    return only_number(found) or found


def _shown(answer: str, expected: str) -> str | None:
    """Return the answer of a text that does not mark it: mathematics if mathematics is expected."""
    if _tree(expected) is not None:
        return next((part for part in shown(answer) if _tree(part) is not None), None)
    short = answer.strip()
    return short if 0 < len(short) <= MAX_SHORT_CHARS else None


def _tree(text: str, *, thousands: bool = True) -> Node | None:
    try:
        return parse(text, thousands=thousands)
    except ParseError:
        return None


def _letters(text: str) -> str:
    """Return text as it is compared sign by sign: without spacing, wrappers and dollar signs; words in lower case."""
    bare = _SPACING.sub("", _WRAPPER.sub(r"\1", text.strip()))
    return bare if any(c.isdigit() for c in bare) else bare.casefold()


def _text(text: str) -> str:
    """Return only the letters and digits."""
    return "".join(c for c in _letters(text) if c.isalnum())


def _brief(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:77] + "…"
