"""Whether two trees say the same.

Decisions. Lists and sets are unordered, tuples are ordered, `(1, 2)` is not `{1, 2}`; an expected tuple may be given
without its brackets, in order; `order_matters` overrides both. A tuple repeated in a list counts once. Intervals,
inequalities, unions and set builders are sets of numbers (ranges.py). `50%` is 1/2, and also 50 where either the
expected answer bears the sign or is above 1 (the question asked for a percentage). A unit counts only when both sides
give one, and is converted by table (units.py): 50 cm is 0.5 m, 5 km/s is not 5 m/s. A base counts always: 101_2 is
neither 101 nor 5. Ratios are equal when proportional, times of day (12:30) when identical. Two equations are equal
when one is a multiple of the other. Piecewise functions are equal row by row. names.py says which names and letters
may differ; compare.py when values are equal.
"""

from __future__ import annotations

from typing import Any

from gradus.verifiers.formula.canonical import canonical
from gradus.verifiers.formula.compare import Terms, points, same_value
from gradus.verifiers.formula.evaluate import UndefinedError, magnitude, numeric, wider
from gradus.verifiers.formula.exact import exact, symbols
from gradus.verifiers.formula.families import same_families
from gradus.verifiers.formula.matching import COLLECTIONS, same_collection
from gradus.verifiers.formula.matrices import combined
from gradus.verifiers.formula.names import (
    equations,
    grouped,
    is_function,
    plain_function,
    renamings,
    spread,
    unnamed,
    value_of,
)
from gradus.verifiers.formula.parse import Reading, summed
from gradus.verifiers.formula.ranges import ranges, same_ranges
from gradus.verifiers.formula.syntax import Node, add, multiply, negative, number, reciprocal
from gradus.verifiers.formula.units import is_known, unit
from gradus.verifiers.trail import note

_RANGE_HEADS = {"union", "except", "intersection", "both", "builder"}
_RENAMED_FUNCTIONS = {"y"}


def same_answer(want: Reading, got: Reading, terms: Terms) -> bool:
    """Whether got says what want says, parameters under any name."""
    if want.condition and got.condition and _numbers(want.condition) != _numbers(got.condition):
        note("the conditions differ: {} and {}", want.condition, got.condition)
        return False
    if not terms.order_matters and canonical(want.tree) == canonical(got.tree):
        note("the same but for order")
        return True
    if same(want.tree, got.tree, terms):
        return True
    declared = bool(want.condition or got.condition)
    tree, other = unnamed(want.tree, got.tree)
    for renamed in renamings(tree, other, declared=declared):
        if same(tree, renamed, terms):
            note("the same with parameters renamed")
            return True
    if symbols(tree) and symbols(other) and same_families(tree, other, want.condition + got.condition, terms):
        note("the same families of solutions")
        return True
    return False


def same(want: Node, got: Node, terms: Terms) -> bool:
    """Whether got says what want says."""
    terms.fuel.spend(10)
    if want == got:
        return True
    want, got = _plain(want), _plain(got)
    if "unit" in {want.head, got.head}:
        return _same_measure(want, got, terms)
    notation = _in_one_notation(want, got)
    if notation != (want, got) and "relation" not in {node.head for node in notation}:
        return same(*notation, terms)
    want, got = notation
    heads = {want.head, got.head}
    if heads & _RANGE_HEADS or _is_named_set(want) or _is_named_set(got):
        found = _same_ranges(want, got, terms)
        if found is not None:
            return found
    if heads & COLLECTIONS:
        return same_collection(want, got, terms, same)
    if heads == {"relation"}:
        return _same_relation(want, got, terms)
    if "relation" in heads or "based" in heads:
        return False
    if "ratio" in heads:
        return _same_ratio(want, got, terms)
    if "percent" in heads:
        want, got = _percent(want, got, terms)
    return canonical(want) == canonical(got) or same_value(want, got, terms)


def _numbers(condition: str) -> list[str]:
    return sorted("".join(c if c.isdigit() else " " for c in condition).split())


def _plain(node: Node) -> Node:
    """Turn `x ∈ S` into S, ∅ into a set, f(n) into f(x); write out sums and products of matrices."""
    while node.head == "relation" and node.value == "in":
        node = node.args[1]
    if node.head == "relation" and node.value == "≡":
        return _plain(Node("relation", node.args, "="))
    if node.head == "symbol" and node.value == "emptyset":
        return Node("set")
    if node.head in {"+", "*"}:
        return combined(node)
    return grouped(plain_function(node))


def _is_named_set(node: Node) -> bool:
    return node.head == "symbol" and str(node.value).startswith("setR")


def _same_measure(want: Node, got: Node, terms: Terms) -> bool:
    """Compare quantities, or a quantity with a number."""
    if want.head == got.head == "unit":
        a, b = unit(str(want.value)), unit(str(got.value))
        if a.dimensions != b.dimensions and want.value != got.value:
            return False
        if a.factor == b.factor:
            return same(want.args[0], got.args[0], terms)
        scaled = multiply(number(b.factor / a.factor), got.args[0])
        return same(want.args[0], scaled, terms)
    if "list" in {want.head, got.head}:
        added = summed(want), summed(got)
        return added != (want, got) and same(*added, terms)
    measure, other = (want, got) if want.head == "unit" else (got, want)
    if other.head == "relation" and value_of(other) is not other:
        bare = value_of(other)
        return same(measure, bare, terms) if measure is want else same(bare, measure, terms)
    bare = _without_letters(other, str(measure.value))
    if bare is not other:
        spelled = Node("unit", (bare,), measure.value)
        return same(want, spelled, terms) if measure is want else same(spelled, got, terms)
    if measure.value == "degree" and any(part.value == "pi" for part in other.walk()):
        return same_value(Node("degree", measure.args), other, terms)
    pair = (want.args[0], got) if want.head == "unit" else (want, got.args[0])
    return same(*pair, terms)


def _without_letters(node: Node, name: str) -> Node:
    """Return 5 for 5·c·m beside the unit cm."""
    letters = 0
    while node.head == "*" and letters < len(node.args) - 1 and node.args[-1 - letters].head == "symbol":
        letters += 1
    spelled = "".join(str(arg.value) for arg in node.args[len(node.args) - letters :]) if letters else ""
    if spelled and spelled == name and is_known(name):
        return multiply(*node.args[: len(node.args) - letters])
    return node


def _in_one_notation(want: Node, got: Node) -> tuple[Node, Node]:
    """Drop `x =` where only one side has it or both have the same."""
    if "list" in {want.head, got.head} and "relation" in {want.head, got.head}:
        want, got = spread(want), spread(got)
    if not {want.head, got.head} & {"relation"}:
        return want, got
    if want.head == got.head == "relation" and want.args[0] != got.args[0] and not _same_function(want, got):
        if equations(want) | equations(got) <= {"=", "≈"}:
            return _without_rounding(want), _without_rounding(got)
        return want, got
    values = value_of(want), value_of(got)
    if all(node.head != "relation" for node in values):
        return values
    if want.head == got.head or (got.head not in COLLECTIONS | {"relation"} and want.head not in COLLECTIONS):
        return want, got
    return values


def _without_rounding(node: Node) -> Node:
    """Drop "≈ 0.33" behind an exact side."""
    signs, sides = str(node.value).split(), node.args
    if len(sides) > 2 and signs[-1] == "≈":
        return Node("relation", sides[:-1], " ".join(signs[:-1]))
    return Node("relation", sides, " ".join(signs).replace("≈", "="))


def _same_function(want: Node, got: Node) -> bool:
    """Whether one side is y = … and the other f(x) = …"""
    names = want.args[0], got.args[0]
    return any(name.value in _RENAMED_FUNCTIONS for name in names) and any(map(is_function, names))


def _same_ranges(want: Node, got: Node, terms: Terms) -> bool | None:
    """Compare as sets of real numbers; None where one is none."""
    a, b = ranges(want), ranges(got)
    if a is None or b is None:
        return None
    note("compared as sets of real numbers")
    return same_ranges(a, b, terms)


def _same_relation(want: Node, got: Node, terms: Terms) -> bool:
    if symbols(want) == symbols(got) and not equations(want) & {"=", "≡", "~", "→"}:
        found = _same_ranges(want, got, terms)
        if found is not None:
            return found
    if want.value != got.value or len(want.args) != len(got.args):
        return _same_reversed(want, got, terms)
    if all(same_value(x, y, terms) for x, y in zip(want.args, got.args, strict=True)):
        return True
    if len(want.args) != 2 or symbols(want) != symbols(got) or not symbols(want):
        return False
    factor = _proportion(want, got, terms)
    if want.value == "=":
        return factor is not None
    return factor is not None and factor > 0 and want.value in {"<", "<=", ">", ">="}


def _same_reversed(want: Node, got: Node, terms: Terms) -> bool:
    """Compare a < b with b > a, and as multiples of one another."""
    flip = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}
    signs = [flip.get(sign, "") for sign in reversed(str(got.value).split())]
    if not all(signs) or " ".join(signs) != want.value or len(got.args) != len(want.args):
        return False
    return _same_relation(want, Node("relation", got.args[::-1], " ".join(signs)), terms)


def _proportion(want: Node, got: Node, terms: Terms) -> float | None:
    """Return c where left minus right of want is c times that of got, everywhere."""
    differences = [add(node.args[0], negative(node.args[1])) for node in (want, got)]
    if _is_constant_zero(differences[0], terms) or _is_constant_zero(differences[1], terms):
        return None
    ratios: list[Any] = []
    for point in points(tuple(sorted(symbols(want))), frozenset())[:5]:
        try:
            found = [numeric(node, point, terms.fuel) for node in differences]
        except UndefinedError:
            continue
        (a, a_error), (b, b_error) = ((one.value, one.error) for one in found)
        if magnitude(a) < a_error + 80 or magnitude(b) < b_error + 80:
            return None
        ratios.append(a / b)
        if (
            magnitude(ratios[-1] - ratios[0])
            > wider(a_error - magnitude(a), b_error - magnitude(b)) + magnitude(ratios[0]) + 8
        ):
            return None
    if len(ratios) < 3 or abs(ratios[0].imag) > 0:
        return None
    return float(ratios[0].real)


def _is_constant_zero(difference: Node, terms: Terms) -> bool:
    return same_value(difference, number(0), terms)


def _same_ratio(want: Node, got: Node, terms: Terms) -> bool:
    """3:4 is 6:8 and 3/4; 12:30 may be a time and is then only itself."""
    if want.head == got.head:
        if len(want.args) != len(got.args) or _is_time(want) or _is_time(got):
            return len(want.args) == len(got.args) and all(
                same_value(a, b, terms) for a, b in zip(want.args, got.args, strict=True)
            )
        first = multiply(want.args[0], reciprocal(got.args[0]))
        rest = zip(want.args[1:], got.args[1:], strict=True)
        return all(same_value(first, multiply(a, reciprocal(b)), terms) for a, b in rest)
    ratio, other = (want, got) if want.head == "ratio" else (got, want)
    if len(ratio.args) != 2 or _is_time(ratio):
        return False
    return same_value(multiply(ratio.args[0], reciprocal(ratio.args[1])), other, terms)


def _is_time(node: Node) -> bool:
    hours, minutes = exact(node.args[0]), exact(node.args[1])
    return len(node.args) <= 3 and hours is not None and minutes is not None and 0 < hours <= 24 and 9 < minutes < 60


def _percent(want: Node, got: Node, terms: Terms) -> tuple[Node, Node]:
    """Drop the percent sign where only one side bears it and the other plainly counts in percent."""
    if want.head == "percent" and got.head != "percent" and same_value(want.args[0], got, terms):
        return want.args[0], got
    value = exact(want)
    if got.head == "percent" and value is not None and abs(value) > 1:
        return want, got.args[0]
    return want, got
