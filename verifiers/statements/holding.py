"""Whether two neighbouring sides of a chain agree.

Sides of numbers alone are compared exactly, to 60 digits where roots or π occur. They are equal also where one is a
bare decimal and the difference is less than one unit of its last place (rounded, or cut off), and where a percentage
is meant as its number. Those that differ are excused (excuses.py) or fail. "≈" allows one unit of the last digit that
is not a padding zero, and fails beyond 2%. Sides with variables that are identical as expressions hold; of others
nothing is said.
"""

from __future__ import annotations

from fractions import Fraction

from gradus.verifiers.formula.compare import Terms, same_value
from gradus.verifiers.formula.fuel import Fuel, OutOfFuelError
from gradus.verifiers.formula.syntax import Node
from gradus.verifiers.statements.excuses import is_excused
from gradus.verifiers.statements.sides import Side
from gradus.verifiers.statements.values import Value, tree_of, value_of

IDENTITY_FUEL = 15_000  # less than a question to sympy costs, so no process is started
MAX_IDENTITY_NODES = 80
_SAME = Fraction(1, 10**40)
_FAR = Fraction(2, 100)
_ALGEBRA = {"number", "decimal", "symbol", "+", "*", "^", "call", "percent"}


def holds(left: Side, sign: str, right: Side) -> bool | None:
    """Whether the sides are related as the sign says; None where that cannot be decided."""
    texts = left.text, right.text
    a, b = value_of(texts[0]), value_of(texts[1])
    if a is None or b is None:
        is_claim = sign == "=" and not (left.units or right.units or left.is_open or right.is_open)
        return _is_identity(tree_of(texts[0]), tree_of(texts[1])) or None if is_claim else None
    found = _RELATED[sign](a, b)
    if found is False and is_excused((a, left), (b, right)):
        return None
    return found


def _is_identity(left: Node | None, right: Node | None) -> bool:
    """Whether two expressions are the same wherever both are defined."""
    if left is None or right is None:
        return False
    parts = [part.head for node in (left, right) for part in node.walk()]
    if len(parts) > MAX_IDENTITY_NODES or not set(parts) <= _ALGEBRA:
        return False
    try:
        return same_value(left, right, Terms(fuel=Fuel(IDENTITY_FUEL)))
    except OutOfFuelError:
        return False


def _equal(a: Value, b: Value) -> bool:
    gap, size = abs(a.number - b.number), max(abs(a.number), abs(b.number))
    if gap <= size * _SAME:
        return True
    return any(side.places and gap < Fraction(1, 10**side.places) for side in (a, b)) or _equal_percent(a, b)


def _equal_percent(a: Value, b: Value) -> bool:
    """Whether they are equal with 50% read as 50."""
    for side, other in ((a, b), (b, a)):
        if side.tree is not None and side.tree.head == "percent":
            return side.number * 100 == other.number or _equal(
                Value(side.number * 100, _digits_after(side)), Value(other.number, other.places)
            )
    return False


def _digits_after(percent: Value) -> int:
    """Return the decimals of 12.5%."""
    assert percent.tree is not None
    inner = percent.tree.args[0].value
    if not isinstance(inner, Fraction):
        return 0
    return next((n for n in range(9) if (inner * 10**n).denominator == 1), 9)


def _close(a: Value, b: Value) -> bool | None:
    """Whether they agree roughly; None between a rounding and plainly wrong."""
    gap, size = abs(a.number - b.number), max(abs(a.number), abs(b.number))
    if _equal(a, b) or any(side.places is not None and gap < _last_digit(side) for side in (a, b)):
        return True
    rough = max((2 * _last_digit(side) for side in (a, b) if side.places is not None), default=Fraction(0))
    return False if gap > max(rough, size * _FAR) else None


def _last_digit(value: Value) -> Fraction:
    """Return what one more in the last digit that is not a padding zero adds: 100 for 1200."""
    unit = Fraction(1, 10 ** (value.places or 0))
    while value.number and not value.places and value.number % (unit * 10) == 0:
        unit *= 10
    return unit


_RELATED = {
    "=": _equal,
    "≈": _close,
    "!=": lambda a, b: not _equal(a, b),
    "<": lambda a, b: a.number < b.number,
    ">": lambda a, b: a.number > b.number,
    "<=": lambda a, b: a.number <= b.number or _equal(a, b),
    ">=": lambda a, b: a.number >= b.number or _equal(a, b),
}
