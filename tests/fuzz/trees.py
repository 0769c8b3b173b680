"""Random formulas as trees, so that a formula and what became of it can be valued without the verifier.

A tree is (name, *parts): ("number", 3), ("letter", "x"), ("constant", "pi"), ("+", tree, tree), ("sin", tree) …
`agree` values two trees by mpmath, with twice the digits that would be needed, at real points of both signs.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

from mpmath import MPContext

Tree = tuple[Any, ...]
LETTERS = ("x", "y")
BINARY = {"+": "{}+({})", "-": "{}-({})", "*": r"({})\cdot({})", "/": r"\frac{{{}}}{{{}}}", "^": "({})^{{{}}}"}
UNARY = {
    **{name: rf"\{name}({{}})" for name in ("sin", "cos", "ln", "exp")},
    "sqrt": r"\sqrt{{{}}}",
    "negative": "-({})",
    "absolute": r"\left|{}\right|",
}
SWAPS = {"+": "-", "-": "+", "*": "/", "/": "*", "sin": "cos", "cos": "sin", "sqrt": "absolute", "ln": "exp"}
NUM_POINTS = 24
mp = MPContext()
mp.dps = 120


def tree(draw: random.Random, depth: int) -> Tree:
    """Draw a tree of at most that height."""
    name = draw.choice(("leaf", *BINARY, *UNARY)) if depth else "leaf"
    if name == "leaf":
        kind = draw.randrange(4)
        return (("number", draw.randint(0, 40)), ("letter", draw.choice(LETTERS)), ("letter", "x"), ("constant", "pi"))[
            kind
        ]
    if name == "^":
        return name, tree(draw, depth - 1), ("number", draw.randint(0, 5))
    return name, *(tree(draw, depth - 1) for _ in range(2 if name in BINARY else 1))


def written(node: Tree) -> str:
    """Write as LaTeX."""
    name, *parts = node
    if name in {"number", "letter"}:
        return str(parts[0])
    if name == "constant":
        return rf"\{parts[0]}"
    return (BINARY | UNARY)[name].format(*map(written, parts))


def paths(node: Tree, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """Yield where every node stands."""
    yield path
    for index, part in enumerate(node[1:], 1):
        if isinstance(part, tuple):
            yield from paths(part, (*path, index))


def changed(draw: random.Random, node: Tree) -> Tree:
    """Change one node: a number by one, a letter, a sign or function for another, two parts swapped, a minus."""
    return _replace(node, draw.choice(list(paths(node))), draw)


def _replace(node: Tree, path: tuple[int, ...], draw: random.Random) -> Tree:
    if path:
        i = path[0]
        return *node[:i], _replace(node[i], path[1:], draw), *node[i + 1 :]
    name, *parts = node
    if name == "number":
        return name, abs(parts[0] + draw.choice((1, -1)))
    if name == "letter":
        return name, "y" if parts[0] == "x" else "x"
    if name in {"-", "/"} and draw.randrange(3) == 0:
        return name, *reversed(parts)
    return (SWAPS[name], *parts) if name in SWAPS else ("negative", node)


def agree(first: Tree, second: Tree, draw: random.Random) -> bool | None:
    """Return whether both have the same value wherever both are real; None where that is too seldom to tell."""
    num_equal = 0
    for _ in range(NUM_POINTS):
        point = {letter: mp.mpf(draw.randint(-(10**4), 10**4)) / draw.randint(1, 999) for letter in LETTERS}
        a, b = value(first, point), value(second, point)
        if a is None or b is None:
            continue
        size = max(abs(a), abs(b))
        if abs(a - b) > mp.mpf(10) ** -50 * size and size > mp.mpf(10) ** -60:
            return False
        num_equal += 1
    return True if num_equal > NUM_POINTS // 3 else None


def value(node: Tree, point: Mapping[str, Any]) -> Any:
    """Return the real value at a point, or None where there is none or it is too large or small to be sure of."""
    name, *parts = node
    if name == "number":
        return mp.mpf(parts[0])
    if name == "letter":
        return point[parts[0]]
    if name == "constant":
        return +mp.pi
    values = [value(part, point) for part in parts]
    if any(v is None or abs(v) > 10**30 for v in values):
        return None
    found = _apply(name, values)
    # sin(18 pi), computed, is nearly 0.
    return None if found is not None and 0 < abs(found) < mp.mpf(10) ** -30 else found


def _apply(name: str, values: list[Any]) -> Any:
    a, b = values[0], values[-1]
    if (
        (name == "/" and b == 0)
        or (name == "ln" and a <= 0)
        or (name == "sqrt" and a < 0)
        or (name == "exp" and a > 99)
    ):
        return None
    if name == "^":
        return None if a == 0 == b else a**b
    simple = {"+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b}
    simple |= {"negative": lambda: -a, "absolute": lambda: abs(a)}
    return simple[name]() if name in simple else getattr(mp, name)(a)
