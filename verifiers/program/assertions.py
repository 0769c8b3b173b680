"""Splits a test so that only the program's own calls run in the sandbox.

`assert abs(f(2) - 1.41) < 0.01` has one leaf, `f(2)`. The sandbox returns its value; the rest, expected
value included, is computed here, by an interpreter that knows literals, comparisons, logic, arithmetic
and a few pure functions over plain data. A leaf begins with a name of the program, or with one that a
statement before the assert got from the program; attributes, subscripts and calls of it belong to it.
Everything else that is not known here (another module's function, a comprehension, a lambda, several
asserts) makes the test unsplittable: program/dialogue.py runs it.

What no way of running a test can close: `assert f(2) == g(2)` and `assert f(2)` leave the answer to the program.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.program.names import bound_names, program_names, root, tainted_names

MAX_LENGTH = 1_000_000
MAX_ALIKE = 100
TYPES: dict[str, type] = {
    kind.__name__: kind for kind in (bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict)
}


def _range(*bounds: int) -> range:
    """Return a range short enough to become a list."""
    numbers = range(*bounds)
    if len(numbers) > MAX_LENGTH:
        raise ValueError("a range too long to build")
    return numbers


Binary = Callable[[Any, Any], Any]
_BUILT_IN: tuple[Callable[..., Any], ...] = (abs, len, round, sorted, sum, min, max, all, any)
_MATH: tuple[Callable[..., Any], ...] = (math.isclose, math.isnan, math.isinf, math.sqrt)
FUNCTIONS: dict[str, Callable[..., Any]] = (
    {function.__name__: function for function in _BUILT_IN}
    | {f"math.{function.__name__}": function for function in _MATH}
    | {"range": _range}
)
COMPARE: dict[type, Binary] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda item, items: item in items,
    ast.NotIn: lambda item, items: item not in items,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}
ARITHMETIC: dict[type, Binary] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
SIGNS: dict[type, Callable[[Any], Any]] = {ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert}
CONSTANTS = {"math.pi": math.pi, "math.e": math.e, "math.inf": math.inf, "math.nan": math.nan}


class UnsplittableError(ValueError):
    """The test has no form in which only the program's calls run in the sandbox."""


@dataclass(frozen=True, slots=True)
class Split:
    """A test: statements to run and then expressions to evaluate inside, and the tree to evaluate outside."""

    setup: str
    leaves: tuple[str, ...]
    tree: ast.expr

    def holds(self, values: Sequence[Any]) -> bool:
        """Return whether the assertion is true with these values in place of the leaves."""
        return bool(_Outside(values).value(self.tree))


def split(test: str, defined: Collection[str] = ()) -> Split:
    """Split an assert, with statements before it or not; defined: what the program defines, if that is known."""
    module = ast.parse(test.strip())
    *setup, last = module.body or [ast.Pass()]
    if not isinstance(last, ast.Assert) or any(
        isinstance(node, ast.Assert) for part in setup for node in ast.walk(part)
    ):
        raise UnsplittableError("not one assert statement, at the end")
    tainted = tainted_names(setup, program_names(module, defined))
    if tainted is None:
        raise UnsplittableError("a statement that decides something about the program")
    splitter = _Splitter(tainted)
    tree = splitter.lift(last.test)
    if not splitter.leaves:
        raise UnsplittableError("nothing of the program in it")
    kept = _needed(setup, tainted, splitter.leaves)
    return Split("\n".join(map(ast.unparse, kept)), tuple(splitter.leaves), tree)


def _needed(setup: list[ast.stmt], tainted: set[str], leaves: list[str]) -> list[ast.stmt]:
    """Return the statements that the leaves need: the others may hold what is expected."""
    needed = set(tainted) | {n.id for leaf in leaves for n in ast.walk(ast.parse(leaf)) if isinstance(n, ast.Name)}
    kept = []
    for part in reversed(setup):
        names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)} | set(bound_names(part))
        if names & needed or not set(bound_names(part)):
            needed |= names
            kept.append(part)
    return kept[::-1]


class _Splitter:
    """Replaces what is the program's by leaves."""

    def __init__(self, own: set[str]) -> None:
        self.own = own
        self.leaves: list[str] = []

    def lift(self, node: ast.expr) -> ast.expr:
        if isinstance(node, ast.Constant):
            return node
        if isinstance(node, ast.Call):
            return self.call(node)
        if dotted(node) in CONSTANTS:
            return node
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript):
            return self.leaf(node)
        if isinstance(node, ast.Compare):
            return ast.Compare(self.lift(node.left), node.ops, [self.lift(right) for right in node.comparators])
        if isinstance(node, ast.BoolOp):
            return ast.BoolOp(node.op, [self.lift(part) for part in node.values])
        if isinstance(node, ast.UnaryOp):
            return ast.UnaryOp(node.op, self.lift(node.operand))
        if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
            return ast.BinOp(self.lift(node.left), node.op, self.lift(node.right))
        if isinstance(node, ast.List | ast.Tuple | ast.Set):
            return type(node)([self.lift(item) for item in node.elts])
        if isinstance(node, ast.Dict) and None not in node.keys:
            return ast.Dict([self.lift(key) for key in node.keys if key], [self.lift(value) for value in node.values])
        raise UnsplittableError(f"a {type(node).__name__} outside the program's calls")

    def call(self, node: ast.Call) -> ast.expr:
        name = dotted(node.func)
        if name in self.own or name not in FUNCTIONS.keys() | TYPES.keys() | {"isinstance"}:
            return self.leaf(node)
        if name == "isinstance":
            if len(node.args) != 2 or not _type_names(node.args[1]) <= TYPES.keys():
                raise UnsplittableError("isinstance of a class of the program")
            return ast.Call(node.func, [self.lift(node.args[0]), node.args[1]], [])
        if any(word.arg not in {"rel_tol", "abs_tol", "reverse", "start", "default"} for word in node.keywords):
            raise UnsplittableError(f"{name} with a keyword that is not data")
        keywords = [ast.keyword(word.arg, self.lift(word.value)) for word in node.keywords]
        return ast.Call(node.func, [self.lift(arg) for arg in node.args], keywords)

    def leaf(self, node: ast.expr) -> ast.expr:
        start = root(node)
        if not isinstance(start, ast.Name) or start.id not in self.own:
            raise UnsplittableError(f"{ast.unparse(node)} is not the program's")
        self.leaves.append(ast.unparse(node))
        return ast.Name(f"<{len(self.leaves) - 1}>")


class _Outside:
    """Evaluates what _Splitter left."""

    def __init__(self, values: Sequence[Any]) -> None:
        self.values = values

    def value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant():
                return node.value
            case ast.Name():
                return self.values[int(node.id[1:-1])]
            case ast.Attribute():
                return CONSTANTS[dotted(node)]
            case ast.Compare():
                return self.compare(node)
            case ast.BoolOp():
                return self.logic(node)
            case ast.UnaryOp():
                return self.unary(node)
            case ast.BinOp():
                return self.arithmetic(node)
            case ast.List() | ast.Tuple() | ast.Set():
                kind = {ast.List: list, ast.Tuple: tuple, ast.Set: set}[type(node)]
                return kind(self.value(item) for item in node.elts)
            case ast.Dict():
                return {self.value(k): self.value(v) for k, v in zip(node.keys, node.values, strict=True) if k}
            case ast.Call():
                return self.call(node)
        raise UnsplittableError(type(node).__name__)

    def compare(self, node: ast.Compare) -> bool:
        left = self.value(node.left)
        for sign, right_node in zip(node.ops, node.comparators, strict=True):
            right = self.value(right_node)
            if not COMPARE[type(sign)](left, right):
                return False
            left = right
        return True

    def logic(self, node: ast.BoolOp) -> Any:
        result = None
        for part in node.values:
            result = self.value(part)
            if bool(result) == isinstance(node.op, ast.Or):
                break
        return result

    def unary(self, node: ast.UnaryOp) -> Any:
        value = self.value(node.operand)
        return not value if isinstance(node.op, ast.Not) else SIGNS[type(node.op)](value)

    def arithmetic(self, node: ast.BinOp) -> Any:
        left, right = self.value(node.left), self.value(node.right)
        sizes = [abs(x) if isinstance(x, int) else len(x) if hasattr(x, "__len__") else 0 for x in (left, right)]
        numbers = all(isinstance(x, int | float | complex) for x in (left, right))
        if isinstance(node.op, ast.Mult) and not numbers and sizes[0] * sizes[1] > MAX_LENGTH:
            raise ValueError("a product too long to build")
        if isinstance(node.op, ast.Pow) and (not numbers or sizes[0].bit_length() * sizes[1] > MAX_LENGTH):
            raise ValueError("a power too large to compute")
        if not isinstance(node.op, ast.Add | ast.Sub) and any(_bits(x) > MAX_LENGTH for x in (left, right)):
            raise ValueError("a number too large to compute with")
        if isinstance(node.op, ast.Mod) and not numbers:
            raise ValueError("text formatting in a test")
        return ARITHMETIC[type(node.op)](left, right)

    def call(self, node: ast.Call) -> Any:
        name = dotted(node.func)
        if name == "isinstance":
            return isinstance(self.value(node.args[0]), tuple(TYPES[t] for t in _type_names(node.args[1])))
        arguments = [self.value(arg) for arg in node.args]
        if name in {"set", "frozenset", "dict"} and any(map(_alike, arguments)):
            raise ValueError(f"a {name} of elements that share their hash")
        if name == "bytes" and any(isinstance(arg, int) for arg in arguments):
            raise ValueError("bytes of a number")
        keywords = {str(word.arg): self.value(word.value) for word in node.keywords}
        function: Callable[..., Any] = FUNCTIONS[name] if name in FUNCTIONS else TYPES[name]
        return function(*arguments, **keywords)


def _bits(value: Any) -> int:
    return value.bit_length() if isinstance(value, int) else 0


def _alike(items: Any) -> bool:
    """Whether so many different items share a hash that a set of them would take seconds to build."""
    if not isinstance(items, list | tuple) or len(items) < MAX_ALIKE:
        return False
    hashes = {hash(item) for item in items}
    return len(items) - len(hashes) > MAX_ALIKE and len(set(map(repr, items))) - len(hashes) > MAX_ALIKE


def dotted(node: ast.expr) -> str:
    """Return `name` or `module.name`, or '' for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        return f"{node.value.id}.{node.attr}"
    return ""


def _type_names(node: ast.expr) -> set[str]:
    """Return the names in isinstance's second argument."""
    return {dotted(part) for part in (node.elts if isinstance(node, ast.Tuple) else [node])}
