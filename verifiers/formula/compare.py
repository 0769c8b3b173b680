"""Whether two expressions have the same value: exactly, else numerically at fixed points, else by sympy.

Two expressions are equal when they agree wherever both are defined in the real numbers (so log(x²) is 2 log x, while
√(x²) is not x); where fewer than two points are real, complex values decide. Points hold values of both signs and
several sizes; more of them where the tree has a kink (|x|, max, floor). Variables that count something (limits of
sums, exponents of negative numbers) get whole numbers. Values differ when their difference exceeds the bound of its
own error; they agree when that bound is finer than the square of the largest and smallest sizes met on the way (so
that 1 - e^-400 is not 1), with 400 digits where 60 do not do; integrals agree at 12 digits. Rational functions are
compared exactly (modular.py). Tolerance is relative; unless the spec gives one it is 1e-9, but no more than 0.001, for
numbers where a decimal point occurs, and 0 elsewhere.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from typing import Any

from gradus.verifiers.formula.evaluate import CONFIRM_DIGITS, DIGITS, UndefinedError, magnitude, numeric, wider
from gradus.verifiers.formula.exact import exact, symbols
from gradus.verifiers.formula.fuel import Fuel
from gradus.verifiers.formula.modular import same_rational
from gradus.verifiers.formula.symbolic import same_symbolically
from gradus.verifiers.formula.syntax import Node, is_decimal, number
from gradus.verifiers.trail import note

DECIMAL_TOLERANCE = 1e-9
MAX_ROUNDING = 1e-3  # however large the numbers: 10^38 + 0.5 is not 10^38
AGREE_BITS = 100
AGREE_BITS_INTEGRAL = 40
SPARE_BITS = 60
NUM_NEEDED = 2
_KINKS = {"abs", "max", "min", "floor", "ceil"}
# Ranges of the points' values, in thousandths, and whether signs are all +, all - or mixed.
_RANGES = ((150, 950, "+"), (1100, 2900, "+"), (150, 2900, "-"), (150, 2900, "±"), (6000, 40000, "+"))
_FAR = ((150_000, 900_000, "+"), (10**9, 10**10, "+"), (6000, 40_000, "-"), (10**9, 10**10, "-"), (3000, 9000, "±"))


@dataclass(slots=True)
class Terms:
    """On what terms two answers are compared, and the work left for it."""

    tolerance: float | None = None
    order_matters: bool | None = None
    declared: bool = False
    """Whether an answer says what its parameters range over."""
    fuel: Fuel = field(default_factory=Fuel)
    score: float = 0.0
    """The share of the answer's parts that are right, as far as a comparison of parts went."""
    why: str = ""


def same_value(want: Node, got: Node, terms: Terms) -> bool:
    """Whether two expressions are equal wherever both are defined."""
    if want == got:
        return True
    terms.fuel.spend(20)
    a, b = exact(want), exact(got)
    names = sorted(symbols(want) | symbols(got))
    tolerance = terms.tolerance
    if tolerance is None:
        tolerance = DECIMAL_TOLERANCE if not names and (is_decimal(want) or is_decimal(got)) else 0.0
    if a is not None and b is not None:
        return a == b or (tolerance > 0 and rounded(a - b, max(abs(a), abs(b)), terms.tolerance))
    if _has_infinity(want) or _has_infinity(got):
        return False
    if names:
        same = same_rational(want, got, names, terms.fuel)
        if same or (same is False and not tolerance):
            note("compared exactly as rational functions")
            return same
    if _same_numerically(want, got, tolerance, terms.fuel):
        return True
    if "log" in _functions(want) | _functions(got) and (_has_ten(want) != _has_ten(got)):
        tens = [_in_base_ten(node) for node in (want, got)]
        return (tens[0] != want or tens[1] != got) and _same_numerically(tens[0], tens[1], tolerance, terms.fuel)
    return False


def rounded(gap: Fraction, size: Fraction, tolerance: float | None) -> bool:
    """Whether a gap between two numbers is within the tolerance asked for, or else what writing decimals explains."""
    if tolerance is not None:
        return abs(gap) <= Fraction(tolerance) * size
    return abs(gap) <= Fraction(DECIMAL_TOLERANCE) * size and abs(gap) < MAX_ROUNDING


def _same_numerically(want: Node, got: Node, tolerance: float, fuel: Fuel) -> bool:
    names = sorted(symbols(want) | symbols(got))
    needed = NUM_NEEDED if names else 1
    modes = (False,) if _has(want, "i") or _has(got, "i") else (True, False)
    for real in modes:
        verdict, agreed = _at_points((want, got), names, tolerance, fuel, real=real)
        if verdict is False:
            note("the values differ at a point")
            return False
        if agreed >= needed:
            note("the values agree at {} points to {} digits", agreed, DIGITS)
            return True
    settled = bool(names) and same_symbolically(want, got, fuel)
    note("too few points have a value; sympy says {}", "equal" if settled else "not equal or unsettled")
    return settled


def _at_points(
    pair: tuple[Node, Node], names: list[str], tolerance: float, fuel: Fuel, *, real: bool
) -> tuple[bool | None, int]:
    """Return False when the values differ somewhere, and at how many points they agree."""
    want, got = pair
    counted = _counted(want) | _counted(got)
    kinks = (_functions(want) | _functions(got)) & _KINKS
    agreed = 0
    for place, point in enumerate(points(tuple(names), frozenset(counted & set(names)))):
        if place >= len(_RANGES) and not kinks:
            break
        if place >= 3 and agreed >= NUM_NEEDED and not kinks and (len(names) < 2 or place > 3):
            break
        found = agree(pair, point, tolerance, fuel, real=real)
        if found is False:
            return False, agreed
        agreed += found is True
    return None, agreed


@lru_cache(maxsize=512)
def points(names: tuple[str, ...], counted: frozenset[str]) -> tuple[Mapping[str, Fraction], ...]:
    """Return the points to compare at, always the same."""
    if not names:
        return ({},)
    draw = random.Random(0)
    found = []
    for place, (low, high, signs) in enumerate(_RANGES + _FAR):
        point = {}
        for index, name in enumerate(names):
            sign = -1 if signs == "-" or (signs == "±" and index % 2) else 1
            point[name] = Fraction(sign * draw.randint(low, high), 1009)
            if name in counted:
                point[name] = Fraction(3 + place + 2 * index)
        found.append(point)
    return tuple(found)


def agree(
    pair: tuple[Node, Node], point: Mapping[str, Any], tolerance: float, fuel: Fuel, *, real: bool
) -> bool | None:
    """Whether the values at one point are equal; None where that cannot be said."""
    integral = any(_has_head(node, "integral") for node in pair)
    for digits in (DIGITS, CONFIRM_DIGITS):
        try:
            a, b = (numeric(node, point, fuel, digits=digits, real=real) for node in pair)
        except UndefinedError:
            return None
        gap, size = magnitude(a.value - b.value), max(magnitude(a.value), magnitude(b.value))
        error = wider(a.error, b.error) + 2
        if size <= error:
            size = 0.0  # both may be zero
        if gap > error:
            return bool(tolerance) and _within(a.value, b.value, tolerance)
        if integral or (tolerance and error < size - AGREE_BITS):
            return error <= size - (AGREE_BITS_INTEGRAL if integral else AGREE_BITS) or None
        # What is told apart by these digits must be finer than whatever went into the values.
        if error <= min(size, 0) - 2 * max(a.extent, b.extent) - SPARE_BITS:
            return True
    return None


def _within(a: Any, b: Any, tolerance: float) -> bool:
    """Whether two values are equal up to the tolerance; the default one has a cap."""
    gap = abs(a - b)
    return bool(gap <= tolerance * max(abs(a), abs(b)) and (tolerance != DECIMAL_TOLERANCE or gap < MAX_ROUNDING))


@lru_cache(maxsize=4096)
def _functions(node: Node) -> frozenset[str]:
    return frozenset(str(part.value) for part in node.walk() if part.head == "call")


def _has(node: Node, name: str) -> bool:
    return any(part.head == "symbol" and part.value == name for part in node.walk())


def _has_head(node: Node, head: str) -> bool:
    return any(part.head == head for part in node.walk())


def _has_infinity(node: Node) -> bool:
    return _has(node, "infty") and not _has_head(node, "integral")


def _counted(node: Node) -> set[str]:
    """Return the variables that are whole numbers: in limits of sums, and in powers of negative numbers."""
    found: set[str] = set()
    for part in node.walk():
        if part.head == "series":
            found |= symbols(part.args[1]) | symbols(part.args[2])
        elif part.head == "^" and isinstance(part.args[0].value, Fraction) and part.args[0].value < 0:
            found |= symbols(part.args[1])
    return found


def _has_ten(node: Node) -> bool:
    return any(part.head == "call" and (part.value == "lg" or len(part.args) == 2) for part in node.walk())


def _in_base_ten(node: Node) -> Node:
    """Read a logarithm without a base as one to the base ten."""
    args = tuple(_in_base_ten(arg) for arg in node.args)
    if node.head == "call" and node.value == "log" and len(args) == 1:
        return Node("call", (args[0], number(10)), "log")
    return Node(node.head, args, node.value)
