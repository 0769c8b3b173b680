"""Families of solutions a + bk, k any integer: the same set of numbers may be written in many ways.

kπ/2 is {nπ, π/2 + nπ}, and π/4 + 2kπ is -7π/4 + 2nπ. Only where an answer says that the letter is an integer, for
else (n+1)π would be nπ, and not where it is said to be positive, odd or the like.
Each answer's families are spread over one common period; every member of one period must then have its partner,
confirmed by value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from gradus.verifiers.formula.compare import Terms, same_value
from gradus.verifiers.formula.evaluate import UndefinedError, numeric
from gradus.verifiers.formula.exact import symbols
from gradus.verifiers.formula.names import value_of
from gradus.verifiers.formula.syntax import Node, add, multiply, negative, number, rebuild

MAX_MEMBERS = 48
MAX_DENOMINATOR = 60
_COUNTERS = set("knmlpqjtNKz")
_RESTRICTS = ("positive", "natural", "negative", "odd", "even", "setN", "<", ">", "0", "1")
_INTEGER = ("setZ", "integer")
_CLOSE = 1e-9


@dataclass(frozen=True, slots=True)
class Family:
    """start + step·k; size is the step as a float, never 0."""

    start: Node
    step: Node
    size: float


def same_families(want: Node, got: Node, condition: str, terms: Terms) -> bool:
    """Whether two answers are families of solutions with the same members."""
    if not any(word in condition for word in _INTEGER) or any(word in condition for word in _RESTRICTS):
        return False
    named = [{part.args[0] for part in (node, *node.args) if part.head == "relation"} for node in (want, got)]
    if all(named) and named[0] != named[1]:
        return False
    mine, theirs = (_families(node, terms) for node in (want, got))
    if not mine or not theirs:
        return False
    period = _common([family.size for family in mine + theirs])
    if period is None:
        return False
    whole = multiply(number(period), mine[0].step)
    length = abs(mine[0].size) * float(period)
    ours, others = (_members(families, length) for families in (mine, theirs))
    if ours is None or others is None:
        return False
    return all(
        any(_congruent(a, b, whole, length, terms) for b in second)
        for first, second in ((ours, others), (others, ours))
        for a in first
    )


def _families(node: Node, terms: Terms) -> list[Family] | None:
    """Return the families of a list, None where one element is none."""
    found = []
    for part in map(value_of, node.args if node.head in {"list", "set"} else (node,)):
        names = symbols(part)
        if len(names) != 1 or not names <= _COUNTERS:
            return None
        values = [_put(part, next(iter(names)), place) for place in range(3)]
        step = add(values[1], negative(values[0]))
        if not same_value(values[2], add(values[1], step), terms):
            return None
        size = _float(step, terms)
        if size is None or abs(size) < _CLOSE:
            return None
        found.append(Family(values[0], step, size))
    return found


def _put(node: Node, name: str, value: int) -> Node:
    letter = Node("symbol", value=name)
    return rebuild(node, lambda part: number(value) if part == letter else None)


def _float(node: Node, terms: Terms) -> float | None:
    try:
        return float(numeric(node, {}, terms.fuel, real=True).value)
    except (UndefinedError, OverflowError):
        return None


def _common(sizes: list[float]) -> Fraction | None:
    """Return the least common period as a multiple of the first step."""
    period = Fraction(1)
    for size in sizes:
        ratio = Fraction(abs(size / sizes[0])).limit_denominator(MAX_DENOMINATOR)
        if ratio == 0 or abs(float(ratio) - abs(size / sizes[0])) > _CLOSE:
            return None
        period = Fraction(math.lcm(period.numerator, ratio.numerator), math.gcd(period.denominator, ratio.denominator))
    return period


def _members(families: list[Family], length: float) -> list[Node] | None:
    """Return every member within one period."""
    found: list[Node] = []
    for family in families:
        times = round(length / abs(family.size))
        if len(found) + times > MAX_MEMBERS:
            return None
        found += [add(family.start, multiply(number(k), family.step)) for k in range(times)]
    return found


def _congruent(a: Node, b: Node, whole: Node, length: float, terms: Terms) -> bool:
    """Whether two members differ by whole periods."""
    x, y = (_float(member, terms) for member in (a, b))
    if x is None or y is None:
        return False
    periods = round((x - y) / length)
    if abs(x - y - periods * length) > _CLOSE * max(1.0, abs(x), abs(y)):
        return False
    turned = negative(whole) if (_float(whole, terms) or 0) < 0 else whole
    return same_value(a, add(b, multiply(number(periods), turned)), terms)
