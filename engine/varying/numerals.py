"""Numbers of a text, lifted out and drawn anew.

Lifted: integers and decimals in digits that stand alone, with or without thousands commas, a currency sign or a
percent sign. A number that occurs twice is one variable. A new number has as many digits, decimals and final zeros
as the old one; the order of the numbers by size is kept, so that nobody eats more apples than there are. Left as they
are: 0 and 1, number words, ordinals, 1900 to 2099 (they may be years), times of day, dates, fractions, counts of
what was told of before ("all 4 people"), and numbers that stand in equations, powers or names.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from fractions import Fraction

NUMERAL = re.compile(
    r"(?<![\w.,:/^\\{}\-−+*=<>|])(?<![=<>]\s)(?<!all )(?<!these )(?<!those )(?<!other )"
    r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
    r"(?![\w^{}\\|]|[.,:/]\d|\s?[:/^]\s?\d|-\d|\s?[=<>]|\s(?:AM|PM|am|pm|a\.m\.|p\.m\.)\b)"
)
YEAR = re.compile(r"(?:19|20)\d\d")
DRAWS = 200


@dataclass(frozen=True, slots=True)
class Numeral:
    """A number as a text writes it."""

    text: str

    @property
    def value(self) -> Fraction:
        return Fraction(self.text.replace(",", ""))

    @property
    def kind(self) -> tuple[int, int, int]:
        """Return digits before the point, decimals, and zeros at the end of an integer."""
        whole, _, decimals = self.text.replace(",", "").partition(".")
        zeros = 0 if decimals else len(whole) - len(whole.rstrip("0"))
        return len(whole), len(decimals), zeros

    def drawn(self, rng: random.Random) -> Numeral:
        """Return another number of the same kind."""
        digits, decimals, zeros = self.kind
        free = digits - zeros
        least = 2 if (free, zeros, decimals) == (1, 0, 0) else 10 ** (free - 1)
        whole = str(rng.randint(least, 10**free - 1)) + "0" * zeros
        if self.text.startswith("0."):
            whole = "0"
        if "," in self.text:
            whole = f"{int(whole):,}"
        part = self.text.partition(".")[2]
        if part.strip("0"):  # $3.00 stays in whole dollars
            part = "".join(str(rng.randint(0, 9)) for _ in part[1:]) + str(rng.randint(1, 9))
        return Numeral(f"{whole}.{part}" if decimals else whole)


def numerals(text: str) -> list[Numeral]:
    """Return the different numbers that can be changed, in order of appearance."""
    return [Numeral(found) for found in dict.fromkeys(match[0] for match in NUMERAL.finditer(text)) if _free(found)]


def replaced(text: str, new: dict[str, str]) -> str:
    """Return text with numerals exchanged, all at once."""
    return NUMERAL.sub(lambda match: new.get(match[0], match[0]), text)


def redrawn(text: str, rng: random.Random) -> str | None:
    """Return text with every number changed; None if it has none, or no others fit."""
    old = numerals(text)
    for _ in range(DRAWS if old else 0):
        new = _drawn(old, rng)
        if all(a.value != b.value for a, b in zip(old, new, strict=True)) and _same_order(old, new):
            return replaced(text, {a.text: b.text for a, b in zip(old, new, strict=True)})
    return None


def _drawn(old: list[Numeral], rng: random.Random) -> list[Numeral]:
    """Draw a number for each; those of one kind are put into the order of the old ones, or few draws would have it."""
    new = [numeral.drawn(rng) for numeral in old]
    for kind in {numeral.kind for numeral in old}:
        places = [place for place, numeral in enumerate(old) if numeral.kind == kind]
        drawn = sorted((new[place] for place in places), key=lambda numeral: numeral.value)
        for place, numeral in zip(sorted(places, key=lambda place: old[place].value), drawn, strict=True):
            new[place] = numeral
    return new


def _free(text: str) -> bool:
    return Fraction(text.replace(",", "")) not in (0, 1) and not YEAR.fullmatch(text)


def _same_order(old: list[Numeral], new: list[Numeral]) -> bool:
    """Whether the numbers that are largest, second … and those that are equal are the same."""

    def order(of: list[Numeral]) -> list[int]:
        sizes = sorted({numeral.value for numeral in of})
        return [sizes.index(numeral.value) for numeral in of]

    return order(old) == order(new)
