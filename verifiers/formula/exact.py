"""The exact rational value of a tree that has one, and its free variables. Sizes are checked before computing."""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from math import comb, factorial

from gradus.verifiers.formula.syntax import Node

MAX_BITS = 10_000
MAX_FACTORIAL = 1000
CONSTANTS = {"pi", "e", "i", "infty", "emptyset", "dots"}


@lru_cache(maxsize=16384)
def exact(node: Node) -> Fraction | None:
    """Return the rational value of a tree without symbols and roots, or None."""
    if isinstance(node.value, Fraction):
        return node.value
    combine = _COMBINE.get(node.head)
    if combine is None:
        return None
    args = []
    for arg in node.args:
        value = exact(arg)
        if value is None or _bits(value) > MAX_BITS:
            return None
        args.append(value)
    if node.head == "call":
        return _call(str(node.value), args)
    return combine(args)


def _bits(value: Fraction) -> int:
    return value.numerator.bit_length() + value.denominator.bit_length()


def _sum(args: list[Fraction]) -> Fraction | None:
    total = Fraction(0)
    for arg in args:
        total += arg
        if _bits(total) > MAX_BITS:
            return None
    return total


def _product(args: list[Fraction]) -> Fraction | None:
    product = Fraction(1)
    for arg in args:
        product *= arg
        if _bits(product) > MAX_BITS:
            return None
    return product


def _power(args: list[Fraction]) -> Fraction | None:
    base, power = args
    if power.denominator != 1 or _bits(base) * abs(power) > MAX_BITS or (base == 0 and power <= 0):
        return None
    result: Fraction = base**power.numerator
    return result


def _factorial(args: list[Fraction]) -> Fraction | None:
    (n,) = args
    return Fraction(factorial(n.numerator)) if n.denominator == 1 and 0 <= n <= MAX_FACTORIAL else None


def _call(name: str, args: list[Fraction]) -> Fraction | None:
    if name == "abs":
        return abs(args[0])
    if name in {"floor", "ceil"}:
        return Fraction(args[0].__floor__() if name == "floor" else args[0].__ceil__())
    if name in {"max", "min"}:
        return max(args) if name == "max" else min(args)
    if name == "binomial" and all(arg.denominator == 1 and 0 <= arg <= MAX_FACTORIAL for arg in args):
        return Fraction(comb(args[0].numerator, args[1].numerator))
    return None


_COMBINE = {
    "+": _sum,
    "*": _product,
    "^": _power,
    "!": _factorial,
    "percent": lambda args: args[0] / 100,
    "unit": lambda args: args[0],
    "call": _sum,
}


def symbols(node: Node) -> set[str]:
    """Return the free variables: neither constants nor the counter of a sum."""
    if node.head == "symbol":
        return {str(node.value)} - CONSTANTS
    if node.head in {"series", "integral"}:
        counter, low, high, body = node.args
        return (symbols(body) - {str(counter.value)}) | symbols(low) | symbols(high)
    found: set[str] = set()
    for arg in node.args:
        found |= symbols(arg)
    return found
