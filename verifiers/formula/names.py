"""Names on the left of an answer: which may be dropped, and which letters stand for the same.

`x = 5`, `f(x) = 5`, `AB = 5`, `NO/BO = 5`, `a + b = 5`, "Minimum: 5" are 5 beside a bare 5; `2x = 10` is not. Two names
must be the same, but `f(n) = n` is `f(x) = x`. `1 = x = 0` and `x = 1/3 ≈ 0.33` give their last exact side.

Free letters may differ between the answers where they are parameters, one for one: where an answer says what they
range over ("k ∈ ℤ", "where c is a constant"), constants of integration (C, c, K, C_1 …), counters beside π or degrees
(k, n, m, …), and the coefficients of a function's definition.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import permutations

from gradus.verifiers.formula.exact import exact, symbols
from gradus.verifiers.formula.syntax import Node, rebuild

MAX_PARAMETERS = 3
_CONSTANTS = {f"{letter}{index}" for letter in "CcK" for index in ("", "_0", "_1", "_2", "_3", "_4")}
_COUNTERS = set("knmlpqjtNK")
_FUNCTION_NAMES = set("fghkpqrstuvFGHPQRSTVWφψ") | {"phi", "psi"}
_VARIABLES = Node("symbol", value="x")


def equations(node: Node) -> set[str]:
    """Return the kinds of signs in a relation."""
    return set(str(node.value).split()) if node.head == "relation" else set()


def is_function(node: Node) -> bool:
    """Whether node is f(x)."""
    if node.head != "*" or len(node.args) != 2 or any(arg.head != "symbol" for arg in node.args):
        return False
    return str(node.args[0].value).split("_")[0].rstrip("'") in _FUNCTION_NAMES


def is_name(node: Node) -> bool:
    """Whether node names a value: it has a letter, and no number but signs and reciprocals, or is f(2)."""
    if node.head in {"sequence", "ratio", "set"}:
        return all(is_name(arg) for arg in node.args)
    if node.head == "symbol":
        return node.value != "infty"
    if node.head == "*" and len(node.args) == 2 and node.args[0].head == "symbol" and not symbols(node.args[1]):
        return str(node.args[0].value).isalpha()
    numbers = [part.value for part in node.walk() if isinstance(part.value, Fraction)]
    return node.head in {"*", "+", "^", "call"} and bool(symbols(node)) and set(numbers) <= {-1}


def value_of(node: Node) -> Node:
    """Return 5 for `x = 5` and for `a = b = 5` when a side before the last is a name."""
    if node.head != "relation":
        return node
    signs, sides = str(node.value).split(), list(node.args)
    while len(sides) > 2 and signs[-1] == "≈":
        signs.pop(), sides.pop()
    if set(signs) <= {"=", "≈"} and (any(is_name(side) for side in sides[:-1]) or _is_chain(sides)):
        return sides[-1]
    return node


def _is_chain(sides: list[Node]) -> bool:
    """Whether it is a true chain of numbers, such as 600 + 2 = 602."""
    values = {exact(side) for side in sides}
    return len(values) == 1 and None not in values


def plain_function(node: Node) -> Node:
    """Write `f(n) = n` with a standard letter for n."""
    if node.head != "relation" or not is_function(node.args[0]):
        return node
    letter = node.args[0].args[1]
    if symbols(node) & {"x"} and letter != _VARIABLES:
        return node
    return rebuild(node, lambda part: _VARIABLES if part == letter else None)


def grouped(node: Node) -> Node:
    """Write `p = 5, q = 2, p = 7, q = 2` as the pairs (5, 2), (7, 2)."""
    if node.head != "list" or len(node.args) < 4:
        return node
    named = [arg for arg in node.args if arg.head == "relation" and arg.value == "=" and arg.args[0].head == "symbol"]
    names = [arg.args[0].value for arg in named]
    width = len(dict.fromkeys(names))
    if len(named) < len(node.args) or width < 2 or len(names) == width or len(names) % width:
        return node
    if names != names[:width] * (len(names) // width):
        return node
    values = [arg.args[1] for arg in named]
    rows = (tuple(values[i : i + width]) for i in range(0, len(values), width))
    return Node("list", tuple(Node("sequence", row, "()") for row in rows))


def spread(node: Node) -> Node:
    """Write `(f(n), g(n)) = (n, 1)` as f(n) = n, g(n) = 1."""
    if node.head != "relation" or node.value != "=" or len(node.args) != 2:
        return node
    left, right = node.args
    if left.head != "sequence" or right.head != "sequence" or len(left.args) != len(right.args):
        return node
    pairs = zip(left.args, right.args, strict=True)
    return Node("list", tuple(Node("relation", pair, "=") for pair in pairs))


def unnamed(want: Node, got: Node) -> tuple[Node, Node]:
    """Drop the names on the left of all elements where only one answer has them; f(x) is written alike in both."""
    sides = [node.args if node.head == "list" else (node,) for node in (want, got)]
    named = [any(arg.head == "relation" for arg in args) for args in sides]
    if named[0] == named[1]:
        return plain_function(want), plain_function(got)
    stripped = [
        Node(node.head, tuple(map(value_of, node.args)), node.value) if node.head == "list" else value_of(node)
        for node in (want, got)
    ]
    return stripped[0], stripped[1]


def renamings(want: Node, got: Node, *, declared: bool) -> Iterator[Node]:
    """Yield got with its parameters named as want's are, in every way that may be meant."""
    mine, theirs = symbols(want), symbols(got)
    if symbols(want) == symbols(got):
        return
    ours, others = sorted(mine - theirs), sorted(theirs - mine)
    if not 0 < len(ours) == len(others) <= MAX_PARAMETERS:
        return
    letters = set(ours) | set(others)
    beside_pi = any(part.value == "pi" or part.head == "degree" or part.value == "degree" for part in want.walk())
    defines = any(part.head == "relation" and is_function(part.args[0]) for part in want.walk())
    if not (
        declared or letters <= _CONSTANTS or (beside_pi and letters <= _COUNTERS) or (defines and "x" not in letters)
    ):
        return
    for order in permutations(ours):
        table = {other: Node("symbol", value=mine_) for other, mine_ in zip(others, order, strict=True)}
        yield rebuild(got, lambda part, table=table: table.get(str(part.value)) if part.head == "symbol" else None)  # type: ignore[misc]
