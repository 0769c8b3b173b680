"""Sets of real numbers as ranges: intervals, unions, inequalities, x ≠ 0, ℝ without points, set builders.

An inequality is solved where it is linear in its one variable with rational coefficients, or linear inside |…|; else
its middle must be a name or an expression that stands alone. Ranges with numbers as ends are sorted and joined before
they are compared; with other ends they are compared as they stand, in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache

from gradus.verifiers.formula.compare import Terms, same_value
from gradus.verifiers.formula.evaluate import UndefinedError, numeric
from gradus.verifiers.formula.exact import exact, symbols
from gradus.verifiers.formula.fuel import Fuel
from gradus.verifiers.formula.syntax import INFINITY, Node, add, multiply, negative, number, reciprocal

_LESS = {"<", "<="}
_FLIP = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
_PROBES = tuple(map(Fraction, ("0", "1", "2", "5", "-3", "1/3", "7")))
_CLOSE = 1e-12
MAX_RANGES = 24
FUEL_PER_END = 600
MINUS_INFINITY = negative(INFINITY)
NAMED = {"setR": ("(", ")"), "setR^+": ("0(", ")"), "setR_+": ("0(", ")")}


@dataclass(frozen=True, slots=True)
class Range:
    """All x from low to high; a point is a closed range of one."""

    low: Node
    high: Node
    has_low: bool
    has_high: bool


def ranges(node: Node) -> list[Range] | None:
    """Return the ranges a tree describes, or None where it is no set of real numbers, or one of too many pieces."""
    if len(node.args) > MAX_RANGES:
        return None
    if node.head in {"list", "union"}:
        parts = [ranges(arg) for arg in node.args]
        return [one for part in parts if part for one in part] if all(part is not None for part in parts) else None
    if node.head == "set":
        return [Range(arg, arg, True, True) for arg in node.args]
    if node.head == "symbol" and node.value in NAMED:
        low = number(0) if "0" in NAMED[str(node.value)][0] else MINUS_INFINITY
        return [Range(low, INFINITY, False, False)]
    if node.head == "sequence" and len(node.args) == 2:
        brackets = str(node.value)
        return [Range(node.args[0], node.args[1], brackets[0] == "[", brackets[1] == "]")]
    if node.head in {"except", "intersection", "both"}:
        left, right = (ranges(arg) for arg in node.args)
        if left is None or right is None:
            return None
        if node.head == "except":
            return _both(left, _complement(right))
        found = _both(left, right)
        # What has nothing in common was meant as either: x < -1 and x > 1.
        return left + right if node.head == "both" and found == [] else found
    if node.head == "builder":
        return _built(node)
    return _solve(node) if node.head == "relation" else None


def _built(node: Node) -> list[Range] | None:
    """Return {x | …}: all conditions at once; x ∈ ℝ before or among them adds nothing."""
    element, *conditions = node.args
    if element.head == "relation" and element.value == "in":
        conditions, element = [element, *conditions], element.args[0]
    found: list[Range] | None = [Range(MINUS_INFINITY, INFINITY, False, False)]
    for condition in conditions:
        if condition.head == "relation" and condition.value == "in" and condition.args[0] == element:
            condition = condition.args[1]
        elif symbols(condition) != symbols(element):
            return None
        part = ranges(condition)
        if part is None or found is None:
            return None
        found = _both(found, part)
    return found


def _solve(node: Node) -> list[Range] | None:
    """Return the solutions of an inequality or of x ≠ a."""
    signs, sides = str(node.value).split(), list(node.args)
    if signs == ["in"]:
        return ranges(sides[1])
    if signs == ["!="] and len(sides) == 2 and _is_name(sides[0]):
        return _complement([Range(sides[1], sides[1], True, True)])
    if signs == ["="] and _is_name(sides[0]):
        return [Range(sides[1], sides[1], True, True)]
    if set(signs) <= {">", ">="}:
        signs, sides = [_FLIP[sign] for sign in reversed(signs)], sides[::-1]
    if not set(signs) <= _LESS or len(sides) > 3:
        return None
    if len(sides) == 3:
        low, middle, high = sides
        return _within(middle, Range(low, high, signs[0] == "<=", signs[1] == "<="))
    left, right = sides
    if not symbols(right) or (_is_name(left) and not symbols(left) & symbols(right)):
        return _within(left, Range(MINUS_INFINITY, right, False, signs[0] == "<="))
    if not symbols(left) or (_is_name(right) and not symbols(left) & symbols(right)):
        return _within(right, Range(left, INFINITY, signs[0] == "<=", False))
    difference = add(left, negative(right))
    return _within(difference, Range(MINUS_INFINITY, number(0), False, signs[0] == "<="), only_linear=True)


def _within(middle: Node, range_: Range, *, only_linear: bool = False) -> list[Range] | None:
    """Return where middle lies in a range."""
    if _is_name(middle) and not only_linear:
        return [range_]
    if middle.head == "call" and middle.value == "abs":
        mirrored = Range(_minus(range_.high), _minus(range_.low), range_.has_high, range_.has_low)
        least = exact(range_.low)
        if range_.low == MINUS_INFINITY or (least is not None and least < 0):
            whole = Range(_minus(range_.high), range_.high, range_.has_high, range_.has_high)
            return _within(middle.args[0], whole)
        parts = [_within(middle.args[0], part) for part in (mirrored, range_)]
        return [one for part in parts if part for one in part] if all(parts) else None
    line = _linear(middle)
    if line is None:
        return None
    slope, offset = line
    low, high = (
        end if end in (INFINITY, MINUS_INFINITY) else multiply(add(end, number(-offset)), reciprocal(number(slope)))
        for end in (range_.low, range_.high)
    )
    if slope > 0:
        return [Range(low, high, range_.has_low, range_.has_high)]
    return [Range(_turned(high), _turned(low), range_.has_high, range_.has_low)]


def _turned(end: Node) -> Node:
    return _minus(end) if end in (INFINITY, MINUS_INFINITY) else end


def _minus(end: Node) -> Node:
    return INFINITY if end == MINUS_INFINITY else MINUS_INFINITY if end == INFINITY else negative(end)


def _is_name(node: Node) -> bool:
    """Whether node is x, or f(x)."""
    if node.head == "symbol":
        return node not in (INFINITY,)
    return node.head == "*" and len(node.args) == 2 and all(arg.head == "symbol" for arg in node.args)


def _linear(node: Node) -> tuple[Fraction, Fraction] | None:
    """Return slope and offset of a rational line in one variable."""
    names = symbols(node)
    if len(names) != 1:
        return None
    values = [exact(_put(node, next(iter(names)), probe)) for probe in _PROBES]
    offset, one = values[0], values[1]
    if offset is None or one is None or one == offset:
        return None
    slope = one - offset
    fits = all(value == offset + slope * probe for value, probe in zip(values, _PROBES, strict=True))
    return (slope, offset) if fits else None


def _put(node: Node, name: str, value: Fraction) -> Node:
    if node.head == "symbol" and node.value == name:
        return number(value)
    return Node(node.head, tuple(_put(arg, name, value) for arg in node.args), node.value)


@lru_cache(maxsize=4096)
def size(end: Node) -> float | None:
    """Return an end as a float, None where it is no real number."""
    if end in (INFINITY, MINUS_INFINITY):
        return float("inf") if end == INFINITY else float("-inf")
    value = exact(end)
    try:
        return float(value) if value is not None else float(numeric(end, {}, Fuel(FUEL_PER_END), real=True).value)
    except (UndefinedError, OverflowError, ValueError):
        return None


def _same_place(a: float, b: float) -> bool:
    return a == b or (abs(a - b) <= _CLOSE * max(abs(a), abs(b)) < float("inf"))


def joined(found: list[Range]) -> list[Range]:
    """Sort ranges and join those that touch; as they are where an end is no number."""
    sized = [(size(one.low), size(one.high), one) for one in found]
    known = [(low, high, one) for low, high, one in sized if low is not None and high is not None]
    if len(known) < len(sized):
        return found
    result: list[tuple[float, Range]] = []
    for low, high, one in sorted(known, key=lambda item: (item[0], not item[2].has_low)):
        if low > high or (_same_place(low, high) and not (one.has_low and one.has_high)):
            continue
        if result:
            end, last = result[-1]
            touch = _same_place(end, low) and (last.has_high or one.has_low)
            if touch or (low < end and not _same_place(end, low)):
                if high > end and not _same_place(high, end):
                    result[-1] = high, replace(last, high=one.high, has_high=one.has_high)
                elif _same_place(high, end):
                    result[-1] = end, replace(last, has_high=last.has_high or one.has_high)
                continue
        result.append((high, one))
    return [one for _, one in result]


def _complement(found: list[Range]) -> list[Range] | None:
    """Return the real numbers outside."""
    if any(size(one.low) is None or size(one.high) is None for one in found) and len(found) > 1:
        return None
    outside, low, has_low = [], MINUS_INFINITY, False
    for one in joined(found):
        if one.low != MINUS_INFINITY:
            outside.append(Range(low, one.low, has_low, not one.has_low))
        low, has_low = one.high, not one.has_high
    if low != INFINITY:
        outside.append(Range(low, INFINITY, has_low, False))
    return outside


def _both(left: list[Range], right: list[Range] | None) -> list[Range] | None:
    """Return what lies in both."""
    if right is None:
        return None
    found = []
    for a in left:
        for b in right:
            sizes = [size(end) for end in (a.low, b.low, a.high, b.high)]
            low, high = _further(a, b, sizes[0], sizes[1]), _nearer(a, b, sizes[2], sizes[3])
            if low is None or high is None:
                return None
            found.append(Range(low[0], high[0], low[1], high[1]))
    return joined(found)


def _further(a: Range, b: Range, x: float | None, y: float | None) -> tuple[Node, bool] | None:
    if b.low == MINUS_INFINITY or a.low == MINUS_INFINITY:
        return (a.low, a.has_low) if b.low == MINUS_INFINITY else (b.low, b.has_low)
    if x is None or y is None:
        return None
    if _same_place(x, y):
        return a.low, a.has_low and b.has_low
    return (a.low, a.has_low) if x > y else (b.low, b.has_low)


def _nearer(a: Range, b: Range, x: float | None, y: float | None) -> tuple[Node, bool] | None:
    if b.high == INFINITY or a.high == INFINITY:
        return (a.high, a.has_high) if b.high == INFINITY else (b.high, b.has_high)
    if x is None or y is None:
        return None
    if _same_place(x, y):
        return a.high, a.has_high and b.has_high
    return (a.high, a.has_high) if x < y else (b.high, b.has_high)


def same_ranges(want: list[Range], got: list[Range], terms: Terms) -> bool:
    """Whether two sets of real numbers are the same."""
    want, rest = joined(want), list(joined(got))
    if len(want) != len(rest):
        return False
    for one in want:
        match = next((other for other in rest if _same_range(one, other, terms)), None)
        if match is None:
            return False
        rest.remove(match)
    return True


def _same_range(a: Range, b: Range, terms: Terms) -> bool:
    if (a.has_low, a.has_high) != (b.has_low, b.has_high):
        return False
    return same_value(a.low, b.low, terms) and same_value(a.high, b.high, terms)
