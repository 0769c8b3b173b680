"""Rational functions compared exactly: evaluated at random points modulo the prime 2^61 - 1.

No rounding, so x^100 + 10^-90 is not x^100, and x^20000 costs no more than x. Two different rational functions of
total degree d agree at a random point with probability at most d/2^61; the points are fixed, but no answer is written
with them in mind. Trees with roots of anything, functions, or variables in exponents have no value here.
"""

from __future__ import annotations

import random
from fractions import Fraction
from functools import lru_cache

from gradus.verifiers.formula.exact import exact
from gradus.verifiers.formula.fuel import Fuel
from gradus.verifiers.formula.syntax import Node

PRIME = 2**61 - 1
NUM_POINTS = 2


def same_rational(want: Node, got: Node, names: list[str], fuel: Fuel) -> bool | None:
    """Whether two rational functions are the same; None where one is none, or has no value at the points."""
    for place in range(NUM_POINTS):
        point = _point(tuple(names), place)
        a = _value(want, point, fuel)
        b = _value(got, point, fuel) if a is not None else None
        if a is None or b is None:
            return None
        if a != b:
            return False
    return True


@lru_cache(maxsize=512)
def _point(names: tuple[str, ...], place: int) -> dict[str, int]:
    draw = random.Random(place + 1)
    return {name: draw.randrange(1, PRIME) for name in names}


def _value(node: Node, point: dict[str, int], fuel: Fuel) -> int | None:
    fuel.spend(1)
    if isinstance(node.value, Fraction) and not node.args:
        return _of_fraction(node.value)
    if node.head == "symbol":
        return point.get(str(node.value))
    if node.head == "^":
        return _power(node, point, fuel)
    if node.head not in {"+", "*"}:
        rational = exact(node)
        return _of_fraction(rational) if rational is not None else None
    result = 0 if node.head == "+" else 1
    for arg in node.args:
        value = _value(arg, point, fuel)
        if value is None:
            return None
        result = (result + value if node.head == "+" else result * value) % PRIME
    return result


def _power(node: Node, point: dict[str, int], fuel: Fuel) -> int | None:
    power = exact(node.args[1])
    base = _value(node.args[0], point, fuel) if power is not None and power.denominator == 1 else None
    if base is None or power is None or (base == 0 and power <= 0):
        return None
    return pow(base, power.numerator, PRIME)


def _of_fraction(value: Fraction) -> int | None:
    if value.denominator % PRIME == 0:
        return None
    return (
        value.numerator * pow(value.denominator, -1, PRIME) % PRIME
        if value.denominator != 1
        else value.numerator % PRIME
    )
