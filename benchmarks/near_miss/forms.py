"""What a family of near-misses is made of: ways to write values, each with the value it was written from.

A family is a function from a random source to forms, pairs of (text, value). The first form is the expected
answer; every other one is right exactly when its value equals the first's. So a label is never an opinion:
values are exact (integers, Fractions, tuples and frozensets of them, coefficient tables).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterator, Mapping
from fractions import Fraction

Form = tuple[str, Hashable]
Family = Callable[[random.Random], Iterator[Form]]
FAMILIES: dict[str, Family] = {}


def family(make: Family) -> Family:
    """Register a family under its function's name."""
    FAMILIES[make.__name__] = make
    return make


def nonzero(draw: random.Random, low: int, high: int) -> int:
    """Return an integer between, but not 0."""
    return draw.choice([n for n in range(low, high + 1) if n])


def proper(draw: random.Random, highest: int = 40) -> Fraction:
    """Return a fraction between 0 and 1 that is no integer."""
    bottom = draw.randint(2, highest)
    return Fraction(draw.randint(1, bottom - 1), bottom)


def slips(draw: random.Random, n: int) -> Iterator[int]:
    """Yield what a slip of the pen makes of n: a digit off, dropped, added or swapped, the sign, one more, one less."""
    digits, sign = str(abs(n)), -1 if n < 0 else 1
    i = draw.randrange(len(digits))
    yield sign * int(digits[:i] + str((int(digits[i]) + draw.choice((1, 9))) % 10) + digits[i + 1 :])
    yield sign * int(digits[:i] + digits[i + 1 :] or "0")
    yield sign * int(digits[:i] + str(draw.randint(0, 9)) + digits[i:])
    yield sign * int(digits[:i] + digits[i : i + 2][::-1] + digits[i + 2 :])
    yield from (-n, n + 1, n - 1, 10 * n)


def frac(value: Fraction, command: str = "frac") -> str:
    """Write as LaTeX, the sign in front."""
    if value.denominator == 1:
        return str(value)
    return rf"{'-' * (value < 0)}\{command}{{{abs(value.numerator)}}}{{{value.denominator}}}"


def decimal(mantissa: int, places: int) -> str:
    """Write mantissa / 10**places with that many places."""
    digits = str(abs(mantissa)).rjust(places + 1, "0")
    whole, part = digits[: len(digits) - places], digits[len(digits) - places :]
    return f"{'-' * (mantissa < 0)}{whole}{'.' * (places > 0)}{part}"


def decimal_of(value: Fraction) -> str | None:
    """Write as an exact decimal of at most six places, or None."""
    places = next((p for p in range(7) if (value * 10**p).denominator == 1), None)
    return None if places is None else decimal(int(value * 10**places), places)


def joined(*terms: str) -> str:
    """Write a sum."""
    return "+".join(terms).replace("+-", "-")


def times(coefficient: int, factor: str) -> str:
    """Write a product, without a factor of one."""
    return {1: factor, -1: f"-{factor}"}.get(coefficient, f"{coefficient}{factor}")


def polynomial(coefficients: Mapping[int, int], name: str, *, rising: bool = False) -> str:
    """Write the sum of coefficient * name**power."""
    powers = sorted((p for p, c in coefficients.items() if c), reverse=not rising)
    terms = []
    for power in powers:
        base = name if power == 1 else f"{name}^{{{power}}}" if power > 9 else f"{name}^{power}"
        terms.append(times(coefficients[power], base) if power else str(coefficients[power]))
    return joined(*terms) if terms else "0"
