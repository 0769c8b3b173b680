"""Why two sides of numbers may differ although nobody miscalculated; a chain that differs so is undecided.

Of the numbers: both are bare ("3 hours = 180"); a side is open (sides.py); the units differ, or the ratio is one
between units of measurement (60, 12, 100 …); a whole number that is a rounded fraction; decimals whose own rounding
explains the gap; π taken as 3.14 or 22/7; a percentage added to a number; a function that may mean degrees; a side
carried on (5*3 = 15 + 2 = 17).
Of the words around: a question, a supposition, a denial, a rounding, or arithmetic in words next to the chain.
"""

from __future__ import annotations

import re
from fractions import Fraction

from gradus.verifiers.formula.exact import exact
from gradus.verifiers.formula.syntax import Node, number, rebuild
from gradus.verifiers.formula.units import is_known, unit
from gradus.verifiers.formula.words import SCALES
from gradus.verifiers.statements.sides import Chain, Side
from gradus.verifiers.statements.tokens import ENDS, MONEY
from gradus.verifiers.statements.values import Value, value_of

MAX_SENTENCE_CHARS = 400
MAX_DECIMALS = 6
_RATIOS = {Fraction(n) for n in (7, 12, 24, 30, 36, 52, 60, 100, 365, 366, 1000, 1440, 3600)}
_NEAR_PI = Fraction(4, 1000)
_PI_WRITTEN = {Fraction(157, 50), Fraction(1571, 500), Fraction(3927, 1250), Fraction(22, 7)}
_FIRST = re.compile(r"[-−–]?\s?\d+(?:\.\d+)?")
# a / b/c and a / b(c): which is divided by which? 2^43 is 2^4·3 in LaTeX; 3!=4 may deny; * beside LaTeX may be another
# operation.
_AMBIGUOUS = re.compile(r"[/÷]\s*[\d.]+(?:\s*[/÷(]|!\d)|[*/×÷]\s*\+|\^\d\d|^\d+!$|\\.*\*|\*.*\\")
_FRACTION = re.compile(r"\d+\s?/\s?\d+")
_DOUBTS = re.compile(
    r"\?|≡|n['’]t\b|\b(?:not|false|wrong|incorrect\w*|mistake|error|contradict\w*|impossible|never|instead|cannot|fails?"
    r"|invalid|mod|modulo|modulus|remainders?|left ?over|base|binary|octal|hex\w*|clock|a\.?m|p\.?m|estimat\w*|about"
    r"|approx\w*|around|round\w*|nearest|closest?|almost|nearly|consecutive|digits?)\b",
    re.IGNORECASE,
)
_SUPPOSES = re.compile(r"\b(?:if|suppos\w*|assum\w*|whether|unless)\b", re.IGNORECASE)
_SCALES = "|".join(SCALES)
# Words that make the number behind or before them another one.
_BEFORE = re.compile(
    rf"\b(?:than|twice|thrice|double|triple|half|halves|thirds?|quarters?|times|plus|minus|over|divided|from|sums?|averages?"
    rf"|differences?|products?|quotients?|mean|median|roots?|squares?|cubes?|factorial|log|{_SCALES}"
    rf"|\d\S*(?:\s\S+)?\s(?:and|or|to|by)(?: (?:the|an?|these|those|his|her|their|its))?$)\b",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    rf"^\W*(?:[^\W\d]+\s){{0,2}}(?:than|times|plus|minus|over|divided|multiplied|remainder|r|{_SCALES}|squared|cubed"
    rf"|and (?:an? )?(?:\$?\d|half|quarter|third)|percent)\b",
    re.IGNORECASE,
)
_SCALED = rf"squared|cubed|half|halves|thirds?|quarters?|{_SCALES}|dozens?|percent|r|remainder"
_SCALED_UNIT = re.compile(_SCALED, re.IGNORECASE)
_CHANGING_UNIT = re.compile(rf"{_SCALED}|pairs?|score|twice|double|factorial", re.IGNORECASE)
# Week 2 = 35 + 35; in 4 = 6 - 1 nothing is named.
_NUMBER_FIRST = re.compile(r"\d+\s?=")
_LAST_WORD = re.compile(r"([^\W\d_]+)\s$")
_LABEL = re.compile(
    r"\b(?:day|week|month|year|hour|quarter|grade|level|stage|round|number|no\.|step|part|case|row)\s$", re.I
)
_DEFINED = re.compile(r"[$(]\s?-?\d+ ?\* ?-?\d+ ?=")
_CLAUSE = re.compile(r"[,;:()$]")
_SENTENCE_END = re.compile(r"[.?!](?=\s|$)|\n")


def is_excused(left: tuple[Value, Side], right: tuple[Value, Side]) -> bool:
    """Whether something other than a slip may explain that the sides differ."""
    (a, one), (b, other) = left, right
    if one.is_open or other.is_open or (a.places is not None and b.places is not None):
        return True
    # 4 gallons = 4 * 8 pints
    if _is_counted(one) and (a.places is not None or _FRACTION.fullmatch(one.text)):
        return True
    if _AMBIGUOUS.search(one.text) or _AMBIGUOUS.search(other.text):
        return True
    return (
        _is_rounded(a, b)
        or _is_rounded(b, a)
        or _differ_in_units(a, b, one.units, other.units)
        or _is_carried_on(a, other.text)
        or any(_is_loose(side, gap=abs(a.number - b.number)) for side in (a, b))
        or _may_round(a, b)
    )


def _is_counted(side: Side) -> bool:
    """Whether a side bears a unit other than a currency."""
    return any(word not in MONEY.values() for word in side.units)


def _is_rounded(exact_side: Value, other: Value) -> bool:
    """Whether other is a whole number near a fraction, or one rounded to hundreds."""
    gap = abs(exact_side.number - other.number)
    if other.places != 0:
        return False
    if exact_side.number.denominator > 1 and gap < 1:
        return True
    return other.number != 0 and other.number % 100 == 0 and gap <= 50


def _differ_in_units(a: Value, b: Value, units: list[str], others: list[str]) -> bool:
    # Of the words behind a result, "19 minutes every day", only the first is its unit.
    behind = [word for word in others if word not in MONEY.values()][:1]
    if any(_CHANGING_UNIT.fullmatch(word) for word in units) or any(_SCALED_UNIT.fullmatch(word) for word in behind):
        return True
    words = [*units, *behind, *(word for word in others if word in MONEY.values())]
    known = {unit(word) for word in words if is_known(word)}
    if len({one.dimensions for one in known}) < len(known):
        return True
    parts = [part for side in (a, b) if side.tree for part in side.tree.walk()]
    has_percent = any(part.head == "percent" for part in parts)
    if "degree" in words and any(part.value == "pi" for part in parts):
        return True
    if not (known or has_percent) or not a.number or not b.number:
        return False
    return bool({a.number / b.number, b.number / a.number} & _RATIOS)


def _is_carried_on(a: Value, text: str) -> bool:
    """Whether the other side begins with this one's value and goes on."""
    first = _FIRST.match(text)
    return first is not None and len(first[0]) < len(text) and value_of(first[0]) == Value(a.number, 0)


def _is_loose(side: Value, *, gap: Fraction) -> bool:
    """Whether the side holds π, an angle or a percentage in a sum."""
    if side.tree is None:
        return False
    for part in side.tree.walk():
        if part.head == "call" and part.value not in {"abs", "max", "min", "gcd", "lcm", "floor", "ceil", "binomial"}:
            return True
        if part.head == "+" and 0 < sum(arg.head == "percent" for arg in part.args) < len(part.args):
            return True
        if (part.value == "pi" or part.value in _PI_WRITTEN) and gap < abs(side.number) * _NEAR_PI:
            return True
    return False


def _may_round(a: Value, b: Value) -> bool:
    """Whether the decimals that go into the sides, if rounded, explain the gap; a slip keeps the number of decimals."""
    spread = sum((_spread(side.tree) for side in (a, b) if side.tree is not None), Fraction(0))
    return abs(a.number - b.number) <= spread and _num_decimals(a.number) != _num_decimals(b.number)


def _spread(tree: Node) -> Fraction:
    """Return by how much rounding may have moved a value: half a unit of each decimal's last place."""
    decimals = {part for part in tree.walk() if part.head == "decimal"}
    total, value = Fraction(0), exact(tree) if decimals else None
    if value is None or len(decimals) > MAX_DECIMALS:
        return total
    for decimal in decimals:
        moved = _moved(tree, decimal)
        total += abs(moved - value) if moved is not None else 0
    return total


def _moved(tree: Node, decimal: Node) -> Fraction | None:
    assert isinstance(decimal.value, Fraction)
    more = number(decimal.value + Fraction(1, 2 * 10 ** _num_decimals(decimal.value)))
    return exact(rebuild(tree, lambda part: more if part == decimal else None))


def _num_decimals(value: Fraction) -> int:
    """Return how many decimals write the value exactly; 12 if no 11 do."""
    return next((n for n in range(12) if (value * 10**n).denominator == 1), 12)


def excused(text: str, chain: Chain) -> bool:
    """Whether the words around a chain say that its sides need not agree."""
    before = _SENTENCE_END.split(text[max(0, chain.start - MAX_SENTENCE_CHARS) : chain.start])[-1]
    after = text[chain.end : chain.end + MAX_SENTENCE_CHARS]
    ended = _SENTENCE_END.search(after)
    after = after[: ended.end()] if ended else after
    clause = _CLAUSE.split(before)[-1]
    return bool(
        _DOUBTS.search(before)
        or _DOUBTS.search(after)
        or _SUPPOSES.search(clause)
        or _BEFORE.search(" ".join(clause.split()[-5:]))
        or _BEHIND.search(after)
        or _LABEL.search(before)
        or _is_named(before, text[chain.start : chain.end])
        or _DEFINED.match(text, max(0, chain.start - 1))
    )


def _is_named(before: str, chain: str) -> bool:
    """Whether a chain's first side is the number of something: Week 2 = 35 + 35."""
    if not _NUMBER_FIRST.match(chain):
        return False
    word = _LAST_WORD.search(before)
    return word is not None and word[1].lower() not in ENDS
