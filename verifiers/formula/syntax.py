"""The tree a mathematical answer is read into, and the limits that keep it small.

heads: number, decimal (written with a point), symbol, `+`, `*`, `^`, `!`, `±`, percent, degree, call (value is
the function), based (value is the base), ratio, relation (value is its signs), sequence (value is its bracket
pair), list, set, union, except (a set without another), intersection, both (inequalities joined by "and"), builder,
matrix, row, cases, series (value "sum" or "prod"; args counter, low, high, body), integral (args variable, low,
high, body), unit (value is its name).
`+` and `*` have two or more arguments; -x is (-1)*x and x/y is x*y^(-1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction

MAX_CHARS = 4000
MAX_TOKENS = 1000
MAX_DIGITS = 400
MAX_EXPONENT_DIGITS = 3
MAX_NESTING = 40
MAX_TREE_DEPTH = 100
MAX_ELEMENTS = 500


class ParseError(ValueError):
    """The text is not mathematics this grammar knows."""


class LimitError(ParseError):
    """The text breaks a limit: it is too long, too deep, or has too many digits or elements."""


class Node:
    """One tree node, never changed. value is a number's Fraction, a symbol's or relation's name, brackets, a unit.

    Written by hand for its hash, which is computed once from those of its parts: trees are keys of caches.
    """

    __slots__ = ("_hash", "args", "head", "value")

    def __init__(self, head: str, args: tuple[Node, ...] = (), value: Fraction | str | None = None) -> None:
        self.head, self.args, self.value = head, args, value
        self._hash = hash((head, args, value))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, Node) or self._hash != other._hash:
            return False
        return self.head == other.head and self.value == other.value and self.args == other.args

    def __repr__(self) -> str:
        inside = ", ".join(str(part) for part in (self.value, *self.args) if part is not None)
        return f"{self.head}({inside})"

    def walk(self) -> Iterator[Node]:
        """Yield every node of the tree, without recursion."""
        rest = [self]
        while rest:
            node = rest.pop()
            yield node
            rest.extend(node.args)


def number(value: Fraction | int) -> Node:
    """Return an exact number."""
    return Node("number", value=Fraction(value))


ONE = number(1)
MINUS_ONE = number(-1)
INFINITY = Node("symbol", value="infty")


def add(*terms: Node) -> Node:
    """Return the sum, written flat."""
    flat = tuple(part for term in terms for part in (term.args if term.head == "+" else (term,)))
    return flat[0] if len(flat) == 1 else Node("+", flat)


def multiply(*factors: Node) -> Node:
    """Return the product, written flat."""
    flat = tuple(part for factor in factors for part in (factor.args if factor.head == "*" else (factor,)))
    return flat[0] if len(flat) == 1 else Node("*", flat)


def negative(node: Node) -> Node:
    """Return -node; of a number, the negative number."""
    if isinstance(node.value, Fraction) and node.head in {"number", "decimal"}:
        return Node(node.head, value=-node.value)
    return multiply(MINUS_ONE, node)


def reciprocal(node: Node) -> Node:
    """Return 1/node."""
    return Node("^", (node, MINUS_ONE))


def is_decimal(node: Node) -> bool:
    """Whether a rounded number (one written with a decimal point) occurs in it."""
    return any(part.head == "decimal" for part in node.walk())


def rebuild(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """Replace each part for which change gives another; parts within a replacement are not looked at."""
    found = change(node)
    if found is not None:
        return found
    return Node(node.head, tuple(rebuild(arg, change) for arg in node.args), node.value) if node.args else node


def depth(node: Node) -> int:
    """Return the height of the tree, without recursion."""
    height, level = 0, [node]
    while level:
        height, level = height + 1, [arg for parent in level for arg in parent.args]
    return height
