"""Whether two trees say the same.

Rationals are compared exactly; everything else at fixed random points with 60 digits (by mpmath, sympy's
arithmetic); where too few points have a value, sympy itself decides. Tolerance is relative; it applies
only where a decimal point occurs or the spec gives one.

Decisions: `50%` is 1/2, and also 50 where either the expected answer bears the sign or is above 1 (the
question asked for a percentage). A unit counts only when both sides give one. Lists and sets are
unordered, tuples are ordered, `(1, 2)` is not `{1, 2}`; an expected tuple may be given without its
brackets, in order. `x = 5` is 5. Two equations are equal when one is a multiple of the other.
"""

from __future__ import annotations

import random
from fractions import Fraction
from typing import Any

from gradus.verifiers.formula.evaluate import CONFIRM_DIGITS, UndefinedError, exact, numeric, symbols
from gradus.verifiers.formula.parse import negative
from gradus.verifiers.formula.symbolic import same_symbolically
from gradus.verifiers.formula.syntax import Node, is_decimal

NUM_POINTS = 5
COLLECTIONS = {"list", "set", "sequence", "matrix", "row", "union"}
INFINITY = Node("symbol", value="infty")


def same(want: Node, got: Node, tolerance: float | None = None) -> bool:
    """Whether got says what want says. tolerance is relative; None means exact, 1e-9 for decimals."""
    want, got = _plain(want), _plain(got)
    if want.head == got.head == "unit" and want.value != got.value:
        return False
    want, got = (node.args[0] if node.head == "unit" else node for node in (want, got))
    want, got = _in_one_notation(want, got)
    if want.head in COLLECTIONS or got.head in COLLECTIONS:
        return _same_collection(want, got, tolerance)
    if want.head == got.head == "relation":
        return _same_relation(want, got, tolerance)
    if "relation" in {want.head, got.head}:
        return False
    if "percent" in {want.head, got.head}:
        want, got = _percent(want, got, tolerance)
    return same_value(want, got, tolerance)


def same_value(want: Node, got: Node, tolerance: float | None = None) -> bool:
    """Whether two expressions are equal wherever both are defined."""
    if want == got:
        return True
    if tolerance is None and (is_decimal(want) or is_decimal(got)):
        tolerance = 1e-9
    a, b = exact(want), exact(got)
    if a is not None and b is not None:
        return abs(a - b) <= Fraction(tolerance or 0) * max(abs(a), abs(b))
    names = sorted(symbols(want) | symbols(got))
    num_equal = 0
    for point in _points(names):
        try:
            if not _close(want, got, point, tolerance):
                return False
        except UndefinedError:
            continue
        num_equal += 1
    return num_equal >= (2 if names else 1) or (bool(names) and same_symbolically(want, got))


def _points(names: list[str]) -> list[dict[str, Fraction]]:
    """Return the points to compare at, always the same: all positive, all negative, then mixed."""
    if not names:
        return [{}]
    draw = random.Random(0)
    signs = [(1, 1), (-1, -1), *[(1, -1)] * (NUM_POINTS - 2)]
    return [{name: Fraction(draw.randint(300, 2900), 1009) * draw.choice(pair) for name in names} for pair in signs]


def _close(want: Node, got: Node, point: dict[str, Fraction], tolerance: float | None) -> bool:
    a, b = numeric(want, point), numeric(got, point)
    if a == b:
        return True
    size = max(abs(a), abs(b))
    if not a.context.isfinite(size):
        return False
    if abs(a - b) <= (tolerance or 1e-45) * size:
        return True
    if size > 1e-40:
        return False
    # Both are nearly zero: a cancelled sum shrinks with more digits, a small number does not.
    floor = Fraction(1, 10 ** (CONFIRM_DIGITS - 60))
    a, b = (numeric(node, point, digits=CONFIRM_DIGITS) for node in (want, got))
    return bool(abs(a - b) <= floor.numerator * (a.context.mpf(1) / floor.denominator))


def _plain(node: Node) -> Node:
    """Turn `x ∈ S` into S, ∅ into a set, and `f(n) = n` into the same with a standard letter for n."""
    if node.head == "unit":
        return Node("unit", (_plain(node.args[0]),), node.value) if node.args[0].head != "unit" else node
    if node.head == "relation" and node.value == "in":
        return node.args[1]
    if node.head == "symbol" and node.value == "emptyset":
        return Node("set")
    if node.head == "relation" and _is_function(node.args[0]):
        return _rename(node, node.args[0].args[1])
    return node


def _rename(node: Node, variable: Node) -> Node:
    if node == variable:
        return Node("symbol", value="x")
    return Node(node.head, tuple(_rename(arg, variable) for arg in node.args), node.value)


def _is_function(node: Node) -> bool:
    """Whether node is f(x)."""
    heads = [arg.head for arg in node.args]
    return node.head == "*" and heads == ["symbol", "symbol"] and str(node.args[0].value) in "fghFGHP"


def _is_name(node: Node) -> bool:
    """Whether node is a lone variable, f(x), or a tuple of such."""
    if node.head == "sequence":
        return all(_is_name(arg) for arg in node.args)
    return node.head == "symbol" or _is_function(node)


def _in_one_notation(want: Node, got: Node) -> tuple[Node, Node]:
    """Drop `x =` where only one side has it or both have it; write inequalities as intervals beside intervals."""
    if want.head == got.head == "relation" and want.value == got.value == "=" and want.args[0] != got.args[0]:
        return want, got
    if {want.head, got.head} & {"relation"}:
        stripped = [_right_side(node) for node in (want, got)]
        if all(node.head != "relation" for node in stripped):
            return stripped[0], stripped[1]
        intervals = [_interval(node) or node for node in stripped]
        if any(node.head in COLLECTIONS for node in (want, got)) or all(n.head != "relation" for n in intervals):
            return intervals[0], intervals[1]
    return want, got


def _right_side(node: Node) -> Node:
    """Return 5 for `x = 5`, and for `a = b = 5` when the first side is a name."""
    if node.head == "relation" and set(str(node.value).split()) == {"="} and _is_name(node.args[0]):
        return node.args[-1]
    return node


def _interval(node: Node) -> Node | None:
    """Return the interval a one-variable inequality describes, or a list of such as a union."""
    if node.head in {"list", "union"}:
        parts = [_interval(arg) for arg in node.args]
        if all(parts):
            return Node("union", tuple(part for part in parts if part))
        return None
    if node.head == "sequence" and len(node.args) == 2:
        return node
    if node.head != "relation":
        return None
    signs, sides = str(node.value).split(), list(node.args)
    if set(signs) <= {">", ">="}:
        signs, sides = [s.replace(">", "<") for s in reversed(signs)], sides[::-1]
    if not set(signs) <= {"<", "<="}:
        return None
    if len(sides) == 2 and sides[0].head == "symbol" and not symbols(sides[1]):
        signs, sides = ["<", *signs], [negative(INFINITY), *sides]
    elif len(sides) == 2 and sides[1].head == "symbol" and not symbols(sides[0]):
        signs, sides = [*signs, "<"], [*sides, INFINITY]
    if len(sides) != 3 or sides[1].head != "symbol":
        return None
    brackets = ("[" if signs[0] == "<=" else "(") + ("]" if signs[1] == "<=" else ")")
    return Node("sequence", (sides[0], sides[2]), brackets)


def _same_collection(want: Node, got: Node, tolerance: float | None) -> bool:
    if want.head == got.head == "sequence" and want.value != got.value:
        return False
    if want.head == "row" or got.head == "row" or want.head == got.head == "matrix":
        return want.head == got.head and _in_order(want, got, tolerance)
    heads = {want.head, got.head}
    if heads == {"matrix", "sequence"}:
        return _in_order(_vector(want), _vector(got), tolerance)
    if heads == {"sequence"} or heads == {"sequence", "list"}:
        return _in_order(want, got, tolerance)
    if heads <= {"list", "set"} or heads == {"union"}:
        return _in_any_order(want, got, tolerance)
    if heads == {"union", "list"}:
        a, b = _interval(want), _interval(got)
        return a is not None and b is not None and _in_any_order(a, b, tolerance)
    if "set" in heads and not heads & COLLECTIONS - {"set"}:
        single, other = (want, got) if want.head == "set" else (got, want)
        return len(single.args) == 1 and same(single.args[0], other, tolerance)
    return False


def _vector(node: Node) -> Node:
    """Return a one-column or one-row matrix as the sequence of its cells."""
    rows = node.args
    if node.head == "matrix" and all(len(row.args) == 1 for row in rows):
        return Node("sequence", tuple(row.args[0] for row in rows), "()")
    return rows[0] if node.head == "matrix" and len(rows) == 1 else node


def _in_order(want: Node, got: Node, tolerance: float | None) -> bool:
    return len(want.args) == len(got.args) and all(
        same(a, b, tolerance) for a, b in zip(want.args, got.args, strict=True)
    )


def _in_any_order(want: Node, got: Node, tolerance: float | None) -> bool:
    rest = list(got.args)
    for a in want.args:
        found = next((i for i, b in enumerate(rest) if same(a, b, tolerance)), None)
        if found is None:
            return False
        del rest[found]
    return not rest


def _same_relation(want: Node, got: Node, tolerance: float | None) -> bool:
    a, b = _interval(want), _interval(got)
    if a and b and symbols(want) == symbols(got):
        return _same_collection(a, b, tolerance)
    if want.value != got.value or len(want.args) != len(got.args):
        return False
    if all(same_value(x, y, tolerance) for x, y in zip(want.args, got.args, strict=True)):
        return True
    return want.value == "=" and symbols(want) == symbols(got) != set() and _proportional(want, got)


def _proportional(want: Node, got: Node) -> bool:
    """Whether left minus right of one equation is a constant times that of the other."""
    differences = [Node("+", (node.args[0], negative(node.args[1]))) for node in (want, got)]
    ratios: list[Any] = []
    for point in _points(sorted(symbols(want))):
        try:
            a, b = (numeric(node, point) for node in differences)
        except UndefinedError:
            continue
        if abs(a) < 1e-20 or abs(b) < 1e-20:
            return False
        ratios.append(a / b)
    return len(ratios) > 2 and all(abs(ratio - ratios[0]) <= 1e-25 * abs(ratios[0]) for ratio in ratios)


def _percent(want: Node, got: Node, tolerance: float | None) -> tuple[Node, Node]:
    """Drop the percent sign where only one side bears it and the other plainly counts in percent."""
    if want.head == "percent" and got.head != "percent" and same_value(want.args[0], got, tolerance):
        return want.args[0], got
    value = exact(want)
    if got.head == "percent" and value is not None and abs(value) > 1:
        return want, got.args[0]
    return want, got
