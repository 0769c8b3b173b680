"""The last rung: sympy, where numbers at random points settle nothing, as in x^2024: too few have a value.

The expression is built node by node from our own tree, never parsed by sympy, and only where the tree is
so small that cancelling it cannot take long: these limits are what bounds the time.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy

from gradus.verifiers.formula.evaluate import symbols
from gradus.verifiers.formula.syntax import Node

MAX_NODES = 60
MAX_SYMBOLS = 2
MAX_EXPONENT = 8
MAX_SYMBOL_EXPONENT = 10_000  # of a lone symbol, which does not expand
FUNCTIONS = {"sin", "cos", "tan", "exp", "log", "sqrt", "ln"}


class UnsettledError(ValueError):
    """The tree is too large, or holds what is not built here."""


def same_symbolically(want: Node, got: Node) -> bool:
    """Whether want minus got cancels to zero, for positive symbols; False where that is not settled."""
    if (
        sum(1 for node in (want, got) for _ in node.walk()) > MAX_NODES
        or len(symbols(want) | symbols(got)) > MAX_SYMBOLS
    ):
        return False
    try:
        difference = _build(want) - _build(got)
        return bool(sympy.cancel(sympy.expand_log(difference)) == 0)
    except (UnsettledError, sympy.PolynomialError, ZeroDivisionError):
        return False


def _build(node: Node) -> Any:
    if isinstance(node.value, Fraction):
        return sympy.Rational(node.value.numerator, node.value.denominator)
    if node.head == "symbol":
        return {"pi": sympy.pi, "e": sympy.E, "i": sympy.I}.get(str(node.value)) or sympy.Symbol(
            str(node.value), positive=True
        )
    args = [_build(arg) for arg in node.args]
    if node.head == "+":
        return sympy.Add(*args)
    if node.head == "*":
        return sympy.Mul(*args)
    if node.head == "^" and args[1].is_Rational:
        if abs(args[1]) <= (MAX_SYMBOL_EXPONENT if args[0].is_Symbol else MAX_EXPONENT):
            return sympy.Pow(*args)
        raise UnsettledError("exponent")
    if node.head == "call" and node.value in FUNCTIONS and len(args) == 1:
        return getattr(sympy, str(node.value))(args[0])
    raise UnsettledError(node.head)
