"""What a template of STEM questions is, and how its quantities are drawn and shown.

Quantities are fractions, so that an answer is exact until it is shown: to three significant digits, in plain decimals
between 0.001 and a million, else as a × 10^n.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

Value = Fraction | int | str
"""A quantity in the template's unit, or an answer in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A question with `{places}`, what stands in them, the right answer, and what comes of usual mistakes."""

    name: str
    level: int
    """From 1, one step with one formula, to 4, several steps or a formula turned round."""
    ask: str
    given: Mapping[str, Sequence[Any]]
    answer: Callable[..., Value]
    slips: Callable[..., Sequence[Value]]
    unit: str = ""


def span(first: int, last: int, step: int = 1) -> tuple[Fraction, ...]:
    """Return first, first + step, … up to last."""
    return tuple(Fraction(n) for n in range(first, last + 1, step))


def decimals(*texts: str) -> tuple[Fraction, ...]:
    """Return the numbers that the texts are."""
    return tuple(map(Fraction, texts))


def shown(value: Value, unit: str = "") -> str:
    """Return a quantity as a question or an option shows it."""
    if isinstance(value, str):
        return value
    return f"{_number(Fraction(value))} {unit}".strip() if unit != "%" else f"{_number(Fraction(value))}%"


def is_rounded(value: Value) -> bool:
    """Does showing it take something away?"""
    return not isinstance(value, str) and _rounded(Fraction(value)) != Fraction(value)


def differ(a: Value, b: Value) -> bool:
    """Are these two answers apart by more than any rounding on the way?"""
    if isinstance(a, str) or isinstance(b, str):
        return a != b
    first, second = Fraction(a), Fraction(b)
    larger = max(first, -first, second, -second)
    return max(first - second, second - first) > larger / 20


def _rounded(value: Fraction) -> Fraction:
    return Fraction(f"{Decimal(value.numerator) / Decimal(value.denominator):.2e}")


def _number(value: Fraction) -> str:
    if value.denominator == 1 and abs(value) < 1_000_000:  # a count has no decimals to lose
        return str(value.numerator) if abs(value) < 1000 or value == _rounded(value) else str(int(_rounded(value)))
    rounded = _rounded(value)
    decimal = Decimal(rounded.numerator) / Decimal(rounded.denominator)
    if Fraction(1, 1000) <= abs(rounded) < 1_000_000:
        text = f"{decimal:f}"
        return text.rstrip("0").rstrip(".") if "." in text else text
    mantissa, _, exponent = f"{decimal:.2e}".partition("e")
    return f"{mantissa.rstrip('0').rstrip('.')} × 10^{int(exponent)}"
