"""Sums, products and multiples of matrices written out cell by cell, before they are compared."""

from __future__ import annotations

from functools import lru_cache

from gradus.verifiers.formula.exact import exact
from gradus.verifiers.formula.syntax import Node, add, multiply, number

MAX_CELLS = 400


@lru_cache(maxsize=1024)
def combined(node: Node) -> Node:
    """Return a matrix for a sum or product of matrices and numbers; anything else as it is."""
    if node.head not in {"+", "*"} or not any(arg.head == "matrix" for arg in node.args):
        return node
    return _total(node) if node.head == "+" else _product(node)


def _total(node: Node) -> Node:
    parts = [combined(arg) for arg in node.args]
    shapes = {_shape(part) for part in parts}
    if len(shapes) != 1 or None in shapes:
        return node
    cells = [[cell for row in part.args for cell in row.args] for part in parts]
    return _matrix([add(*column) for column in zip(*cells, strict=True)], len(parts[0].args[0].args))


def _product(node: Node) -> Node:
    scale = [arg for arg in node.args if arg.head != "matrix"]
    matrices = [arg for arg in node.args if arg.head == "matrix"]
    product = matrices[0]
    for place, right in enumerate(matrices[1:]):
        # Cells that are no numbers double with every further factor.
        if place and not all(cell.head == "number" for row in product.args for cell in row.args):
            return node
        shapes = _shape(product), _shape(right)
        if shapes[0] is None or shapes[1] is None or shapes[0][1] != shapes[1][0]:
            return node
        if shapes[0][0] * shapes[1][1] * shapes[1][0] > MAX_CELLS:
            return node
        columns = list(zip(*(row.args for row in right.args), strict=True))
        cells = [
            _short(*(multiply(a, b) for a, b in zip(row.args, column, strict=True)))
            for row in product.args
            for column in columns
        ]
        product = _matrix(cells, len(columns))
    if not scale:
        return product
    return _matrix([multiply(*scale, cell) for row in product.args for cell in row.args], len(product.args[0].args))


def _short(*terms: Node) -> Node:
    """Return the sum, as a number where it is one."""
    total = add(*terms)
    value = exact(total)
    return total if value is None else number(value)


def _shape(node: Node) -> tuple[int, int] | None:
    """Return rows and columns, None where the rows differ in length."""
    if node.head != "matrix" or not node.args or len({len(row.args) for row in node.args}) != 1:
        return None
    return len(node.args), len(node.args[0].args)


def _matrix(cells: list[Node], width: int) -> Node:
    rows = (tuple(cells[i : i + width]) for i in range(0, len(cells), width))
    return Node("matrix", tuple(Node("row", row) for row in rows))
