"""What a side of a chain is: a tree, and its value where it is made of numbers alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from gradus.verifiers.formula.evaluate import UndefinedError, numeric
from gradus.verifiers.formula.exact import exact, symbols
from gradus.verifiers.formula.fuel import Fuel, OutOfFuelError
from gradus.verifiers.formula.parse import read
from gradus.verifiers.formula.syntax import Node

MAX_SIDE_CHARS = 400
FUEL_PER_SIDE = 4_000
_BARE = re.compile(r"[-−–]?\s?(\d{1,15})(?:\.(\d{1,15}))?")
# 0730 is a time, or a code.
_CLOCK = re.compile(r"(?<![\d.,])0\d")
# Letters that the grammar takes for constants, but texts for variables.
_LETTERS = {"e", "i", "infty", "emptyset", "dots"}
_NO_NUMBERS = {
    "relation",
    "sequence",
    "list",
    "set",
    "ratio",
    "based",
    "matrix",
    "cases",
    "±",
    "union",
    "builder",
    "integral",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A closed side. places: the decimals of a bare number, None of a computation."""

    number: Fraction
    places: int | None
    tree: Node | None = None
    """None of a bare number."""


@lru_cache(maxsize=8192)
def tree_of(text: str) -> Node | None:
    """Return what text says, None if it is not mathematics."""
    if not 0 < len(text) <= MAX_SIDE_CHARS:
        return None
    reading = read(text)[0]
    return reading.tree if reading else None


@lru_cache(maxsize=8192)
def value_of(text: str) -> Value | None:
    """Return the value of numbers alone; None of anything else."""
    if _CLOCK.search(text):
        return None
    if bare := _BARE.fullmatch(text):
        digits = f"{bare[1]}.{bare[2] or 0}"
        return Value(Fraction(f"-{digits}" if text[0] in "-−–" else digits), len(bare[2] or ""))
    tree = tree_of(text)
    value = exact(tree) if tree is not None else None
    if tree is None or (value is None and (value := _numeric(tree)) is None):
        return None
    places = _places(tree.value) if tree.head in {"number", "decimal"} and isinstance(tree.value, Fraction) else None
    return Value(value, places, tree)


def _numeric(tree: Node) -> Fraction | None:
    """Return a real value to 60 digits; None where a variable occurs, or what may be one."""
    if symbols(tree) or any(part.head in _NO_NUMBERS or part.value in _LETTERS for part in tree.walk()):
        return None
    try:
        value = numeric(tree, {}, Fuel(FUEL_PER_SIDE), real=True).value
    except (UndefinedError, OutOfFuelError):
        return None
    sign, mantissa, exponent, _ = value._mpf_
    if abs(exponent) > 10_000:
        return None
    size = Fraction(int(mantissa)) * Fraction(2) ** exponent
    return -size if sign else size


def _places(number: Fraction) -> int:
    """Return the decimals of 1,234.5, as far as its value tells."""
    return next((n for n in range(16) if (number * 10**n).denominator == 1), 16)
