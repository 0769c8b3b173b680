"""Whether what a program gave is right: comparison outside the sandbox, on text or on plain data.

Text: `lines` compares line by line, up to spaces at their ends and blank lines at the end; `tokens` only the
words; `unordered_lines` the lines in any order; `float` the words, numbers within a tolerance of 1e-6 unless the
spec says another. Values: `exact` compares as JSON would write them (a tuple is a list, a whole float an
int, a key its text; but true is not 1); `unordered` does so with the order of the outermost list ignored.
A tolerance counts relative to the expected number and, below 1, absolutely.

A special checker is Python from the problem's author, `check(input, output)` giving a bool or a share from
0 to 1. It runs in the sandbox without the program; if it raises, the output is wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

from gradus.verifiers.program.judging import RIGHT, Result, brief, results, trouble, written
from gradus.verifiers.program.literal import literal
from gradus.verifiers.sandbox.client import Case, Job, run
from gradus.verifiers.sandbox.plain import NotPlainError, decode

DEFAULT_TOLERANCE = 1e-6
CHECKER_TIMEOUT_S = 10.0
MAX_UNORDERED = 2000
MAX_DIGITS = 400
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?", re.ASCII)


def lines(text: str) -> list[str]:
    """Return the lines without what nobody sees at their ends."""
    return [line.rstrip(" \t\r") for line in text.rstrip(" \t\r\n").split("\n")]


def close(got: float, want: float, tolerance: float) -> bool:
    """Return whether got is want, within tolerance × max(1, |want|)."""
    if got == want or not tolerance:
        return got == want
    try:
        return math.isfinite(got) and abs(got - want) <= tolerance * max(1.0, abs(want))
    except OverflowError:
        # Whole numbers beyond any float.
        exact = isinstance(got, int) and isinstance(want, int)
        return exact and abs(got - want) <= Fraction(tolerance) * abs(Fraction(want))


def close_words(got: str, want: str, tolerance: float) -> bool:
    """Return whether two outputs have the same lines of words, numbers within the tolerance."""
    pairs = [(a.split(), b.split()) for a, b in zip(lines(got), lines(want), strict=False)]
    return len(lines(got)) == len(lines(want)) and all(
        len(a) == len(b) and all(_close_word(x, y, tolerance) for x, y in zip(a, b, strict=True)) for a, b in pairs
    )


def _close_word(got: str, want: str, tolerance: float) -> bool:
    if got == want:
        return True
    numbers = len(got) <= MAX_DIGITS and _NUMBER.fullmatch(got) and _NUMBER.fullmatch(want)
    return bool(numbers) and close(float(got), float(want), tolerance)


TEXT: dict[str, Callable[[str, str, float], bool]] = {
    "lines": lambda got, want, _: lines(got) == lines(want),
    "tokens": lambda got, want, _: got.split() == want.split(),
    "unordered_lines": lambda got, want, _: sorted(lines(got)) == sorted(lines(want)),
    "float": close_words,
}


def exact(got: Any, want: Any, tolerance: float) -> bool:
    """Return whether got is what JSON says, numbers within the tolerance (0: equal)."""
    if isinstance(want, bool) or isinstance(got, bool) or want is None or isinstance(want, str):
        return type(got) is type(want) and bool(got == want)
    if isinstance(want, int | float):
        return isinstance(got, int | float) and close(got, want, tolerance)
    if isinstance(want, list):
        same = isinstance(got, list | tuple) and len(got) == len(want)
        return same and all(exact(a, b, tolerance) for a, b in zip(got, want, strict=True))
    if not isinstance(want, dict) or not isinstance(got, dict):
        return False
    keyed = {_key(key): value for key, value in got.items()}
    return (
        len(keyed) == len(got)
        and keyed.keys() == want.keys()
        and all(exact(keyed[k], want[k], tolerance) for k in want)
    )


def _key(key: Any) -> Any:
    """Return the text that JSON makes of a key."""
    number = isinstance(key, int | float) and not isinstance(key, bool) and abs(key) < 1 << 1024
    return str(key) if number else key


def unordered(got: Any, want: Any, tolerance: float) -> bool:
    """Return whether the elements can be paired; each takes the first equal one that is left."""
    if not isinstance(want, list) or not isinstance(got, list | tuple | set | frozenset):
        return exact(got, want, tolerance)
    if len(got) != len(want) or len(want) > MAX_UNORDERED:
        return False
    left = list(want)
    for item in got:
        index = next((i for i, other in enumerate(left) if exact(item, other, tolerance)), None)
        if index is None:
            return False
        del left[index]
    return True


VALUES: dict[str, Callable[[Any, Any, float], bool]] = {"exact": exact, "unordered": unordered}


def special(source: str, given: Any, output: Any, where: str) -> Result:
    """Ask the author's checker, in a process where the program never was."""
    call = f"check({literal(given)}, {literal(output)})"
    done = run(Job(mode="values", source=source, cases=(Case(parts=(call,)),), timeout_s=CHECKER_TIMEOUT_S))[0]
    found = results(done, 1)[0]
    try:
        share = decode(found["values"][0])
    except (KeyError, IndexError, TypeError, NotPlainError):
        return Result(0.0, f"{where}: the checker says {trouble(done, found, CHECKER_TIMEOUT_S)}")
    if isinstance(share, bool | int | float) and share >= 1:
        return RIGHT
    score = float(share) if isinstance(share, float) and 0 <= share < 1 else 0.0
    return Result(score, f"{where}: the checker gives {score:g} for {brief(written(output))}")
