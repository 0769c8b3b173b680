"""The value of a tree at a point, by mpmath, with a bound on its error carried through every operation.

A value is a pair: the mpmath number, and the base-2 logarithm of its error bound (first order, rounded up a few bits;
not interval arithmetic). Odd roots of negative numbers are real; where `real` is asked for, whatever leaves the real
numbers is undefined. Every operation checks its operands' size and spends fuel before it computes, so the time is
bounded whatever the tree. mpmath contexts are not shared between threads.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import mpmath  # type: ignore[import-untyped]

from gradus.verifiers.formula.exact import exact
from gradus.verifiers.formula.fuel import Fuel
from gradus.verifiers.formula.syntax import Node

DIGITS = 60
CONFIRM_DIGITS = 400
INTEGRAL_DIGITS = 25
MAX_RESULT_BITS = 10_000_000
MAX_ARGUMENT_BITS = 300
MAX_HYPERBOLIC_BITS = 16
MAX_FACTORIAL = 1_000_000
MAX_TERMS = 2000
NO_ERROR = -1e30
COST = {"+": 6, "*": 6, "^": 60, "!": 400, "call": 80, "number": 8, "symbol": 8}

_local = threading.local()
_INVERSE = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arccot": "acot", "arcsec": "asec", "arccsc": "acsc"}
_HYPERBOLIC = {"arcsinh": "asinh", "arccosh": "acosh", "arctanh": "atanh"}
_EXPONENTIAL = {"sinh", "cosh", "tanh", "coth"}
_NAMES = _INVERSE | _HYPERBOLIC


class UndefinedError(ValueError):
    """The tree has no finite value there, or one too large or too uncertain to compute."""


Value = tuple[Any, float]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A tree's value; error and extent are base-2 logarithms."""

    value: Any
    error: float
    extent: float
    """Of the largest or smallest size met on the way: how far apart two values can be that look alike."""


def numeric(node: Node, point: Mapping[str, Any], fuel: Fuel, *, digits: int = DIGITS, real: bool = False) -> Outcome:
    """Return the value at a point and the logarithm of its error; UndefinedError where it has none."""
    evaluator = _Evaluator(_context(digits), point, fuel, real)
    try:
        value, error = evaluator.value(node)
    except (ZeroDivisionError, OverflowError, TypeError) as problem:
        raise UndefinedError(str(problem)) from None
    if not evaluator.mp.isfinite(value):
        raise UndefinedError("not finite")
    return Outcome(value, error, evaluator.extent)


def magnitude(value: Any) -> float:
    """Return log2 of its size, rounded up; of zero a very small number."""
    return float(value.context.mag(value)) if value else NO_ERROR


def _context(digits: int) -> Any:
    """Return this thread's mpmath context of that many digits."""
    contexts: dict[int, Any] = _local.__dict__.setdefault("contexts", {})
    if digits not in contexts:
        contexts[digits] = mpmath.MPContext()
        contexts[digits].dps = digits
    return contexts[digits]


def wider(a: float, b: float) -> float:
    """Return the logarithm of the sum of two errors."""
    if a < b:
        a, b = b, a
    return a if a - b > 60 else a + math.log2(1 + 2.0 ** (b - a))


class _Evaluator:
    """Evaluates one tree at one point."""

    def __init__(self, mp: Any, point: Mapping[str, Any], fuel: Fuel, real: bool) -> None:
        self.mp, self.point, self.fuel, self.real = mp, point, fuel, real
        self.scale = 1 if mp.dps < DIGITS else 2 if mp.dps == DIGITS else 16
        self.extent = 0.0
        self.vanishing = False
        """Inside an integral, where e^(-x²) may be taken for 0 far out."""

    def value(self, node: Node) -> Value:
        self.fuel.spend(COST.get(node.head, 8) * self.scale // 2)
        if isinstance(node.value, Fraction) and not node.args:
            return self.number(node.value)
        if node.head == "symbol":
            return self.symbol(str(node.value))
        read: Callable[[Node], Value] | None = getattr(self, _METHODS.get(node.head, ""), None)
        if read is None:
            raise UndefinedError(f"a {node.head} is not a number")
        value, error = read(node)
        if self.real and isinstance(value, self.mp.mpc):
            raise UndefinedError("not real")
        if magnitude(value) > error + 2:
            self.extent = max(self.extent, abs(magnitude(value)))
        return value, error

    def rounded(self, value: Any, error: float = NO_ERROR) -> Value:
        """Add the rounding of the last operation to its error."""
        return value, wider(error, magnitude(value) - self.mp.prec + 1)

    def number(self, value: Fraction) -> Value:
        if value.denominator == 1 and value.numerator.bit_length() < self.mp.prec:
            return self.mp.mpf(value.numerator), NO_ERROR
        return self.rounded(self.mp.mpf(value.numerator) / value.denominator)

    def symbol(self, name: str) -> Value:
        if name in self.point:
            value = self.point[name]
            return self.number(value) if isinstance(value, Fraction) else (value, NO_ERROR)
        if name == "pi":
            return self.rounded(+self.mp.pi)
        if name == "e":
            return self.rounded(+self.mp.e)
        if name == "i" and not self.real:
            return self.mp.mpc(0, 1), NO_ERROR
        raise UndefinedError(f"{name} has no value")

    def sum(self, node: Node) -> Value:
        total, error = self.value(node.args[0])
        worst = magnitude(total)
        for arg in node.args[1:]:
            value, uncertain = self.value(arg)
            total, error = total + value, wider(error, uncertain)
            worst = max(worst, magnitude(total), magnitude(value))
        return total, wider(error, worst - self.mp.prec + 1 + len(node.args).bit_length())

    def product(self, node: Node) -> Value:
        product, error = self.value(node.args[0])
        for arg in node.args[1:]:
            value, uncertain = self.value(arg)
            error = wider(magnitude(product) + uncertain, magnitude(value) + error)
            product, error = self.rounded(product * value, error)
        return product, error

    def power(self, node: Node) -> Value:
        base, base_error = self.value(node.args[0])
        fixed = exact(node.args[1])
        power, power_error = self.number(fixed) if fixed is not None else self.value(node.args[1])
        if self.vanishing and self.mp.re(power) < -1e6 and abs(base) >= 2:
            return self.mp.mpf(0), NO_ERROR
        if magnitude(power) > 40 or (magnitude(power) < -1000 and power):
            raise UndefinedError("exponent out of range")
        if magnitude(base) <= base_error + 2:
            return self.power_of_zero(base_error, power, fixed)
        log_size = math.log2(abs(magnitude(base)) + 2)
        if float(abs(power)) * (abs(magnitude(base)) + 2) > MAX_RESULT_BITS:
            raise UndefinedError("power too large")
        value = self.root(base, power, fixed)
        relative = wider(magnitude(power) + base_error - magnitude(base), log_size + power_error)
        return self.rounded(value, magnitude(value) + max(relative, NO_ERROR))

    def power_of_zero(self, error: float, power: Any, fixed: Fraction | None) -> Value:
        """A base that may be zero: 0 to a positive power is 0."""
        if fixed == 0 or (not self.mp.isfinite(power)) or self.mp.re(power) <= 0:
            raise UndefinedError("0 to the power 0 or less")
        return self.mp.mpf(0), error * float(self.mp.re(power)) if error > NO_ERROR else NO_ERROR

    def root(self, base: Any, power: Any, fixed: Fraction | None) -> Any:
        """Return base^power, real where the power is a fraction with an odd denominator."""
        if fixed is None or isinstance(base, self.mp.mpc) or base > 0:
            return self.mp.power(base, power)
        if fixed.denominator == 1:
            return self.mp.power(base, fixed.numerator)
        if fixed.denominator % 2 == 0:
            if self.real:
                raise UndefinedError("an even root of a negative number")
            return self.mp.power(base, power)
        size = self.mp.power(-base, power)
        return -size if fixed.numerator % 2 else size

    def fraction_of(self, node: Node) -> Value:
        value, error = self.value(node.args[0])
        if node.head == "percent":
            return self.rounded(value / 100, error - 6)
        if node.head == "degree":
            return self.rounded(value * self.mp.pi / 180, error - 5)
        return value, error

    def factorial(self, node: Node) -> Value:
        n, error = self.value(node.args[0])
        if abs(n) > MAX_FACTORIAL:
            raise UndefinedError("factorial too large")
        value = self.mp.gamma(n + 1)
        return self.rounded(value, max(error, NO_ERROR) + magnitude(value) + 8 if error > NO_ERROR else NO_ERROR)

    def call(self, node: Node) -> Value:
        name, args = str(node.value), [self.value(arg) for arg in node.args]
        limit = MAX_HYPERBOLIC_BITS if name in _EXPONENTIAL else MAX_ARGUMENT_BITS
        if any(magnitude(value) > limit for value, _ in args) and name not in {"log", "ln", "lg", "abs"}:
            raise UndefinedError(f"{name} of a number too large")
        if name in {"binomial", "max", "min", "gcd", "lcm", "floor", "ceil"}:
            return self.discrete(name, args)
        x, error = args[0]
        if name == "abs":
            return self.rounded(self.mp.fabs(x), error)
        if name in {"log", "ln", "lg"}:
            return self.logarithm(x, error, self.mp.mpf(10) if name == "lg" else args[1][0] if len(args) > 1 else None)
        if name in {"tanh", "coth"}:
            self.extent = max(self.extent, 3 * float(abs(self.mp.re(x))))
        value = getattr(self.mp, _NAMES.get(name, name))(x)
        return self.rounded(value, error + _slope(name, x, value) if error > NO_ERROR else NO_ERROR)

    def logarithm(self, x: Any, error: float, base: Any) -> Value:
        if magnitude(x) <= error + 2:
            raise UndefinedError("logarithm of what may be zero")
        if self.real and (x < 0 or (base is not None and (base <= 0 or base == 1))):
            raise UndefinedError("logarithm of a negative number")
        value = self.mp.log(x)
        uncertain = wider(error - magnitude(x) + 1, 2 - self.mp.prec)
        if base is None:
            return self.rounded(value, uncertain)
        divisor = self.mp.log(base)
        if not divisor:
            raise UndefinedError("logarithm to the base 1")
        return self.rounded(
            value / divisor, wider(uncertain, magnitude(value) - self.mp.prec + 2) - magnitude(divisor) + 2
        )

    def discrete(self, name: str, args: list[Value]) -> Value:
        values, error = [value for value, _ in args], max(error for _, error in args)
        if any(isinstance(value, self.mp.mpc) for value in values):
            raise UndefinedError(f"{name} of a complex number")
        if name in {"max", "min"}:
            return {"max": max, "min": min}[name](values), error
        if name == "binomial":
            if max(map(abs, values)) > MAX_FACTORIAL:
                raise UndefinedError("binomial too large")
            self.fuel.spend(750 * self.scale)
            value = self.mp.binomial(*values)
            return value, wider(max(error, NO_ERROR) + 10, -self.mp.prec + 12) + max(magnitude(value), 0)
        nearest = [self.mp.nint(value) for value in values]
        whole = [
            abs(value - near) <= self.mp.mpf(2) ** min(error + 2, -60)
            for value, near in zip(values, nearest, strict=True)
        ]
        if name in {"floor", "ceil"}:
            return nearest[0] if whole[0] else getattr(self.mp, name)(values[0]), NO_ERROR
        if not all(whole):
            raise UndefinedError(f"{name} of a fraction")
        return self.mp.mpf({"gcd": math.gcd, "lcm": math.lcm}[name](*map(int, nearest))), NO_ERROR

    def series(self, node: Node) -> Value:
        """Add or multiply term by term, as long as fuel lasts."""
        counter, low, high, body = node.args
        first, last = (self.integer(limit) for limit in (low, high))
        if last - first >= MAX_TERMS:
            raise UndefinedError("too many terms")
        total, error = (self.mp.mpf(0), NO_ERROR) if node.value == "sum" else (self.mp.mpf(1), NO_ERROR)
        outer = self.point
        for n in range(first, last + 1):
            self.point = {**outer, str(counter.value): Fraction(n)}
            value, uncertain = self.value(body)
            if node.value == "sum":
                total, error = self.rounded(total + value, wider(error, uncertain))
            else:
                error = wider(magnitude(total) + uncertain, magnitude(value) + error)
                total, error = self.rounded(total * value, error)
        self.point = outer
        return total, error

    def integer(self, node: Node) -> int:
        value, _ = self.value(node)
        nearest = self.mp.nint(self.mp.re(value))
        if abs(value - nearest) > 1e-20:
            raise UndefinedError("a limit that is no integer")
        return int(nearest)

    def integral(self, node: Node) -> Value:
        """Integrate numerically; what does not converge to 12 digits stays undefined."""
        counter, low, high, body = node.args
        ends = [self.end(limit) for limit in (low, high)]
        mp = _context(INTEGRAL_DIGITS)
        inner = _Evaluator(mp, self.point, self.fuel, self.real)
        inner.vanishing = True

        def height(x: Any) -> Any:
            inner.point = {**self.point, str(counter.value): x}
            return inner.value(body)[0]

        value, error = mp.quad(height, ends, error=True, maxdegree=5)
        bound = float(mp.mag(error)) if error else -float(mp.prec)
        return self.mp.mpf(value), max(bound, magnitude(value) - mp.prec) + 4

    def end(self, node: Node) -> Any:
        if node == Node("symbol", value="infty"):
            return self.mp.inf
        if node.head == "*" and len(node.args) == 2 and node.args[1].value == "infty" and exact(node.args[0]) == -1:
            return -self.mp.inf
        return self.value(node)[0]


_METHODS = {
    "+": "sum",
    "*": "product",
    "^": "power",
    "!": "factorial",
    "call": "call",
    "series": "series",
    "percent": "fraction_of",
    "degree": "fraction_of",
    "unit": "fraction_of",
    "integral": "integral",
}


def _slope(name: str, x: Any, value: Any) -> float:
    """Return the logarithm of how much a function widens an error at x."""
    if name in {"tan", "cot", "sec", "csc", "coth"}:
        return max(0.0, 2 * magnitude(value)) + 1
    if name in {"sinh", "cosh"}:
        return max(0.0, magnitude(value)) + 1
    if name in {"arcsin", "arccos", "arctanh", "arccosh"}:
        return max(0.0, -magnitude(1 - x * x)) + 1
    if name in {"arcsec", "arccsc", "arccot"}:
        return max(0.0, -2 * magnitude(x)) + max(0.0, -magnitude(x * x - 1)) + 1
    return 1.0
