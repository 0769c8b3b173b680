"""The value of a tree: an exact Fraction where possible, else a complex number of many digits.

Every operation checks the size of its result before computing it, so the time is bounded by the
tree's size. mpmath contexts are not shared between threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import gcd, lcm
from typing import Any

import mpmath  # type: ignore[import-untyped]

from gradus.verifiers.formula.syntax import Node

MAX_BITS = 20_000
DIGITS = 60
CONFIRM_DIGITS = 400
CONSTANTS = {"pi", "e", "i", "infty"}

_local = threading.local()


class UndefinedError(ValueError):
    """The tree has no finite value there, or one too large to compute."""


def exact(node: Node) -> Fraction | None:
    """Return the rational value of a tree without symbols and functions, or None."""
    if isinstance(node.value, Fraction):
        return node.value
    if node.head not in {"+", "*", "^", "percent", "unit"}:
        return None
    args = []
    for arg in node.args:
        value = exact(arg)
        if value is None or value.numerator.bit_length() + value.denominator.bit_length() > MAX_BITS:
            return None
        args.append(value)
    if node.head == "+":
        return sum(args, Fraction(0))
    if node.head == "*":
        return args[0] * args[1]
    if node.head == "percent":
        return args[0] / 100
    return args[0] if node.head == "unit" else _exact_power(*args)


def _exact_power(base: Fraction, power: Fraction) -> Fraction | None:
    bits = base.numerator.bit_length() + base.denominator.bit_length()
    if power.denominator != 1 or bits * abs(power) > MAX_BITS:
        return None
    if base == 0 and power <= 0:
        return None
    result: Fraction = base**power.numerator
    return result


def symbols(node: Node) -> set[str]:
    """Return the free variables."""
    return {str(part.value) for part in node.walk() if part.head == "symbol"} - CONSTANTS


def numeric(node: Node, point: Mapping[str, Fraction], *, digits: int = DIGITS) -> Any:
    """Return the value at a point as an mpmath number; UndefinedError where it has none."""
    context = _context(digits)
    try:
        value = _Evaluator(context, point).value(node)
    except (ZeroDivisionError, ValueError, OverflowError, TypeError) as error:
        raise UndefinedError(str(error)) from None
    if context.isnan(value):
        raise UndefinedError("not a number")
    return value


def _context(digits: int) -> Any:
    """Return this thread's mpmath context of that many digits."""
    contexts: dict[int, Any] = _local.__dict__.setdefault("contexts", {})
    if digits not in contexts:
        contexts[digits] = mpmath.MPContext()
        contexts[digits].dps = digits
    return contexts[digits]


class _Evaluator:
    """Evaluates one tree at one point."""

    def __init__(self, context: Any, point: Mapping[str, Fraction]) -> None:
        self.mp, self.point = context, point

    def value(self, node: Node) -> Any:
        if isinstance(node.value, Fraction):
            return self.number(node.value)
        if node.head == "symbol":
            return self.symbol(str(node.value))
        args = [self.value(arg) for arg in node.args]
        if node.head == "+":
            return self.mp.fsum(args)
        if node.head == "*":
            return args[0] * args[1]
        if node.head == "^":
            return self.power(*args)
        if node.head == "percent":
            return args[0] / 100
        if node.head == "unit":
            return args[0]
        if node.head == "!":
            return self.factorial(args[0])
        if node.head == "call":
            return self.call(str(node.value), args)
        raise UndefinedError(f"a {node.head} is not a number")

    def number(self, value: Fraction) -> Any:
        return self.mp.mpf(value.numerator) / value.denominator

    def symbol(self, name: str) -> Any:
        if name == "pi":
            return +self.mp.pi
        if name == "e":
            return +self.mp.e
        if name == "i":
            return self.mp.mpc(0, 1)
        if name == "infty":
            return self.mp.inf
        if name not in self.point:
            raise UndefinedError(f"{name} has no value")
        return self.number(self.point[name])

    def bits(self, value: Any) -> float:
        """Return log2 of its size, 0 for zero."""
        return float(self.mp.mag(value)) if value and self.mp.isfinite(value) else 0.0

    def power(self, base: Any, power: Any) -> Any:
        if abs(self.bits(power)) > 64 and abs(power) > 1:
            raise UndefinedError("exponent too large")
        if (abs(self.bits(base)) + 2) * max(1.0, float(abs(power))) > MAX_BITS:
            raise UndefinedError("power too large")
        return self.mp.power(base, power)

    def factorial(self, n: Any) -> Any:
        if abs(n) > 2000:
            raise UndefinedError("factorial too large")
        return self.mp.gamma(n + 1)

    def call(self, name: str, args: list[Any]) -> Any:
        if any(self.bits(arg) > 300 for arg in args):
            raise UndefinedError(f"{name} of a number too large")
        if name in {"binomial", "max", "min", "gcd", "lcm", "floor", "ceil"}:
            return self.discrete(name, args)
        x = args[0]
        if name == "log":
            return self.mp.log(x, args[1]) if len(args) > 1 else self.mp.log(x)
        if name == "lg":
            return self.mp.log(x, 10)
        if name == "abs":
            return self.mp.fabs(x)
        if name == "exp":
            return self.power(+self.mp.e, x)
        names = {"arcsin": "asin", "arccos": "acos", "arctan": "atan"}
        function: Callable[[Any], Any] = getattr(self.mp, names.get(name, name))
        return function(x)

    def discrete(self, name: str, args: list[Any]) -> Any:
        if name in {"floor", "ceil"}:
            return getattr(self.mp, name)(args[0])
        if name in {"max", "min"}:
            return {"max": max, "min": min}[name](args)
        if name == "binomial":
            if max(map(abs, args)) > 2000:
                raise UndefinedError("binomial too large")
            return self.mp.binomial(*args)
        if not all(self.mp.isint(arg) for arg in args):
            raise UndefinedError(f"{name} of a fraction")
        return self.mp.mpf({"gcd": gcd, "lcm": lcm}[name](*map(int, args)))
