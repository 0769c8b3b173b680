"""One text for all ways to write the same tree that differ only in order: what needs no evaluation to be equal."""

from __future__ import annotations

from functools import lru_cache

from gradus.verifiers.formula.exact import exact
from gradus.verifiers.formula.syntax import Node

_COMMUTATIVE = {"+", "*", "set", "list", "union"}


@lru_cache(maxsize=16384)
def canonical(node: Node) -> str:
    """Return the text; rationals by value, the counter of a sum by its place."""
    value = exact(node)
    if value is not None and node.head != "unit":
        return str(value)
    if node.head in {"series", "integral"}:
        counter, *rest = node.args
        return f"{node.head} {node.value}({','.join(canonical(_recounted(part, counter)) for part in rest)})"
    parts = [canonical(arg) for arg in node.args]
    if node.head in _COMMUTATIVE:
        parts.sort()
    return f"{node.head} {node.value}({','.join(parts)})" if parts else f"{node.head} {node.value}"


def _recounted(node: Node, counter: Node) -> Node:
    """Give the counter a name no answer can have."""
    if node == counter:
        return Node("symbol", value="#")
    args = tuple(_recounted(arg, counter) for arg in node.args)
    return Node(node.head, args, node.value)
