"""What to tell about a wrong answer: the share of its parts that are right, and the difference in one sentence."""

from __future__ import annotations

from fractions import Fraction

from gradus.verifiers.formula.compare import Terms
from gradus.verifiers.formula.equal import same
from gradus.verifiers.formula.evaluate import UndefinedError, numeric
from gradus.verifiers.formula.exact import exact, symbols
from gradus.verifiers.formula.fuel import Fuel, OutOfFuelError
from gradus.verifiers.formula.matching import unmatched
from gradus.verifiers.formula.names import value_of
from gradus.verifiers.formula.parse import Reading
from gradus.verifiers.formula.syntax import Node
from gradus.verifiers.formula.units import unit

FUEL = 8_000
_ORDERED = {"sequence", "matrix", "row"}
_UNORDERED = {"list", "set", "cases"}


def shortfall(want: Reading, got: Reading, terms: Terms) -> tuple[float, str]:
    """Return the score of a wrong answer and what is wrong with it; "" where there is nothing to add."""
    terms = Terms(terms.tolerance, terms.order_matters, terms.declared, Fuel(FUEL))
    try:
        return _shortfall(_bare(want.tree), _bare(got.tree), terms)
    except OutOfFuelError:
        return 0.0, ""


def _bare(node: Node) -> Node:
    node = value_of(node)
    return node.args[1] if node.head == "relation" and node.value == "in" else node


def _shortfall(want: Node, got: Node, terms: Terms) -> tuple[float, str]:
    if want.head == got.head == "sequence" and len(want.args) == len(got.args) == 2:
        ends = _interval_ends(want, got, terms)
        if ends:
            return 0.5, ends
    if want.head in _ORDERED | _UNORDERED:
        return _parts(want, got, terms)
    if want.head == got.head == "unit":
        a, b = unit(str(want.value)), unit(str(got.value))
        if a.dimensions != b.dimensions:
            return 0.0, f"the unit is {got.value}, expected {want.value}"
    return 0.0, _difference(want, got)


def _interval_ends(want: Node, got: Node, terms: Terms) -> str:
    """Say which end of an interval is open where it should be closed."""
    if want.value == got.value or not all(same(a, b, terms) for a, b in zip(want.args, got.args, strict=True)):
        return ""
    said = []
    for side, name in enumerate(("left", "right")):
        a, b = str(want.value)[side], str(got.value)[side]
        if a != b:
            open_, closed = ("open", "closed") if b in "()" else ("closed", "open")
            said.append(f"the interval's {name} end is {open_}, expected {closed}")
    return "; ".join(said)


def _parts(want: Node, got: Node, terms: Terms) -> tuple[float, str]:
    """Count the parts that are right: at their places in a tuple, anywhere in a list or set."""
    theirs = got.args if got.head in _ORDERED | _UNORDERED else (got,)
    total = max(len(want.args), len(theirs))
    in_order = want.head in _ORDERED if terms.order_matters is None else terms.order_matters
    if in_order:
        right = sum(same(a, b, terms) for a, b in zip(want.args, theirs, strict=False))
        return _share(right, total), f"{right} of {total} values right"
    missing, extra = unmatched(want.args, theirs, terms, same)
    right = total - max(len(missing), len(extra))
    said = f"{right} of {total} values right"
    names = [text for text in map(_written, missing) if text]
    surplus = [text for text in map(_written, extra) if text]
    if names and len(names) == len(missing) <= 3:
        said += f": {', '.join(names)} {'is' if len(names) == 1 else 'are'} missing"
    elif surplus and len(surplus) == len(extra) <= 3:
        said += f": {', '.join(surplus)} should not be there"
    return _share(right, total), said


def _share(right: int, total: int) -> float:
    """A wrong answer never has full marks."""
    return min(right, total - 1) / total if total > 1 else 0.0


def _written(node: Node) -> str:
    """Return a number as it would be written, "" where that is not short."""
    value = exact(value_of(node))
    if value is None:
        return ""
    text = str(value)
    return text if len(text) <= 20 else ""


def _difference(want: Node, got: Node) -> str:
    """Say by how much two numbers differ."""
    a, b = exact(want), exact(got)
    if a is not None and b is not None:
        return difference(a, b)
    if symbols(want) or symbols(got):
        return ""
    try:
        x, y = (numeric(node, {}, Fuel(2000), real=True).value for node in (want, got))
        return f"differs by {float(abs(x - y)):.3g}"
    except (UndefinedError, OutOfFuelError, OverflowError):
        return ""


def difference(want: Fraction, got: Fraction) -> str:
    """Say by how much two rational numbers differ."""
    return "the sign is wrong" if want == -got else f"differs by {_short(abs(want - got))}"


def _short(gap: Fraction) -> str:
    if gap.denominator == 1 and gap < 10**6:
        return str(gap)
    try:
        return f"{float(gap):.3g}"
    except OverflowError:
        return "more than 10^308"
