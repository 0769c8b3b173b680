"""Collections: lists, sets, tuples, matrices, piecewise functions; in order or in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from gradus.verifiers.formula.canonical import canonical
from gradus.verifiers.formula.compare import Terms
from gradus.verifiers.formula.ranges import ranges, same_ranges
from gradus.verifiers.formula.syntax import Node

COLLECTIONS = {"list", "set", "sequence", "matrix", "row", "union", "cases"}
Same = Callable[[Node, Node, Terms], bool]


def same_collection(want: Node, got: Node, terms: Terms, same: Same) -> bool:
    """Whether two collections hold the same parts; one of one part is that part."""
    heads = {want.head, got.head}
    if want.head == "sequence" and got.head == "list" and len(want.args) == 2 and want.value != "()":
        return False  # an interval
    if heads == {"list", "sequence"} or heads == {"list", "matrix"} or heads == {"sequence", "matrix"}:
        if _in_order(_flat(want), _flat(got), terms, same):
            return True
        return "list" in heads and terms.order_matters is False and in_any_order(want, got, terms, same)
    if heads == {"sequence"}:
        return _same_sequences(want, got, terms, same)
    if heads <= {"list", "set"}:
        return _same_lists(want, got, terms, same)
    if len(heads) == 1:
        return in_any_order(want, got, terms, same) if want.head == "cases" else _in_order(want, got, terms, same)
    if "relation" in heads or "union" in heads:
        a, b = ranges(want), ranges(got)
        return a is not None and b is not None and same_ranges(a, b, terms)
    single, other = (want, got) if want.head == "set" else (got, want)
    return single.head == "set" and len(single.args) == 1 and same(single.args[0], other, terms)


def _same_sequences(want: Node, got: Node, terms: Terms, same: Same) -> bool:
    """Tuples and intervals: the brackets count where they may be an interval's."""
    if want.value != got.value and len(want.args) == 2:
        return False
    if terms.order_matters is False:
        return in_any_order(want, got, terms, same)
    return _in_order(want, got, terms, same)


def _same_lists(want: Node, got: Node, terms: Terms, same: Same) -> bool:
    if want.head == got.head == "list" and terms.order_matters:
        return _in_order(want, got, terms, same)
    if _of_inequalities(want) and _of_inequalities(got) and "relation" in {arg.head for arg in want.args + got.args}:
        a, b = ranges(want), ranges(got)
        if a is not None and b is not None:
            return same_ranges(a, b, terms)
    if terms.order_matters is None and _names_each(want) and not any(arg.head == "relation" for arg in got.args):
        return _in_order(want, got, terms, same)
    return in_any_order(_distinct(want), _distinct(got), terms, same)


def _names_each(node: Node) -> bool:
    """Whether the parts are `a = 1, b = 2`; x_1 and x_2 are roots in any order."""
    names = [str(arg.args[0]).split("_")[0] for arg in node.args if arg.head == "relation" and arg.value == "="]
    return len(set(names)) == len(node.args) > 1


def _of_inequalities(node: Node) -> bool:
    return node.head == "list" and all(
        arg.head in {"sequence", "union"}
        or (arg.head == "relation" and set(str(arg.value).split()) <= {"<", "<=", ">", ">="})
        for arg in node.args
    )


def _distinct(node: Node) -> Node:
    """Drop repeated parts of a set, and repeated tuples of a list."""
    if node.head == "list" and not all(arg.head == "sequence" for arg in node.args):
        return node
    return Node(node.head, tuple({canonical(arg): arg for arg in node.args}.values()), node.value)


def _flat(node: Node) -> Node:
    """Return a one-column or one-row matrix as the sequence of its cells."""
    if node.head != "matrix":
        return node
    if all(len(row.args) == 1 for row in node.args):
        return Node("sequence", tuple(row.args[0] for row in node.args), "()")
    return node.args[0] if len(node.args) == 1 else node


def _in_order(want: Node, got: Node, terms: Terms, same: Same) -> bool:
    return len(want.args) == len(got.args) and all(same(a, b, terms) for a, b in zip(want.args, got.args, strict=True))


def in_any_order(want: Node, got: Node, terms: Terms, same: Same) -> bool:
    """Whether every part has its own partner."""
    if len(want.args) != len(got.args):
        return False
    missing, rest = unmatched(want.args, got.args, terms, same, until_first=True)
    return not missing and not rest


def unmatched(
    want: tuple[Node, ...], got: tuple[Node, ...], terms: Terms, same: Same, *, until_first: bool = False
) -> tuple[list[Node], list[Node]]:
    """Return the parts of each that have no partner; those alike but for order are paired first, without search."""
    terms.fuel.spend(10 * (len(want) + len(got)))
    spare = Counter(map(canonical, got))
    missing = []
    for a in want:
        if spare[canonical(a)] > 0:
            spare[canonical(a)] -= 1
        else:
            missing.append(a)
    rest = []
    for b in got:
        if spare[canonical(b)] > 0:
            spare[canonical(b)] -= 1
            rest.append(b)
    lost = []
    for a in missing:
        found = next((i for i, b in enumerate(rest) if same(a, b, terms)), None)
        if found is None:
            lost.append(a)
            if until_first:
                break
        else:
            del rest[found]
    return lost, rest
