"""Units of measurement and counted things: what a unit's text stands for, and conversion by table only.

A unit is read into a factor and a product of dimensions: km/h is (1/3.6, m¹ s⁻¹). Every word not in the table is a
thing counted, a dimension of its own ("apples"); of several such words the last says what is counted. Temperatures
convert to nothing, for a factor would not do. A pound may be money or weight. A bare "m"
beside a number is read as a unit only where the other answer has one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

MAX_UNIT_CHARS = 80

_TABLE = """
m 1 m: m meter metre
m 1/1000 m: mm millimeter millimetre
m 1/100 m: cm centimeter centimetre
m 1/10 m: dm decimeter decimetre
m 1000 m: km kilometer kilometre
m 1/1000000000 m: nm nanometer nanometre
m 254/10000 m: inch inches
m 3048/10000 m: ft foot feet
m 9144/10000 m: yd yard
m 1609344/1000 m: mi mile
s 1 s: s sec second
s 1/1000 s: ms millisecond
s 60 s: min minute
s 3600 s: h hr hour
s 86400 s: day
s 604800 s: week
year 1 y: year yr
year 1/12 y: month
kg 1 kg: kg kilogram kilo
kg 1/1000 kg: g gram
kg 1/1000000 kg: mg milligram
kg 1000 kg: tonne
pound 1 p: lb lbs
pound 1/16 p: oz ounce
l 1 l: L l liter litre
l 1/1000 l: ml mL milliliter millilitre
l 1/100 l: cl
dollar 1 d: dollar usd buck
dollar 1/100 d: cent penny
euro 1 e: euro eur
pound 1 p: pound gbp
yen 1 y: yen jpy
rupee 1 r: rupee inr
degree 1 a: degree deg
radian 1 a: radian rad
N 1 n: N newton
J 1 j: J joule
J 1000 j: kJ kilojoule
W 1 w: W watt
W 1000 w: kW kilowatt
W 1000000 w: MW megawatt
W 1/1000 w: mW milliwatt
V 1 v: V volt
A 1 a: A ampere amp
Hz 1 h: Hz hertz
Pa 1 p: Pa pascal
ohm 1 o: ohm Ω
celsius 1 t: celsius
fahrenheit 1 t: fahrenheit
kelvin 1 t: K kelvin
"""
_COMPOUND = {
    "mph": "mile/hour",
    "kmh": "km/h",
    "kph": "km/h",
    "fps": "ft/s",
    "sqft": "ft^2",
    "rpm": "revolution/minute",
}
_ATOM = re.compile(r"([^\W\d_]+)\s*(?:\^\s*\{?\s*(-?\d)\s*\}?|\*\*\s*(\d))?")
_BEFORE = {"square": 2, "sq": 2, "cubic": 3, "cu": 3}
_BEHIND = {"squared": 2, "cubed": 3}
_IGNORED = {"of", "the", "a", "an", "in", "total", "each", "units", "unit"}


@dataclass(frozen=True, slots=True)
class Unit:
    """factor: how many base units one is; dimensions: sorted (name, power)."""

    factor: Fraction
    dimensions: tuple[tuple[str, int], ...]


def _read_table() -> dict[str, tuple[str, Fraction]]:
    table = {}
    for line in _TABLE.strip().splitlines():
        head, _, names = line.partition(":")
        base, factor, _ = head.split()
        for name in names.split():
            table[name] = base, Fraction(factor)
            if len(name) > 1:
                table[name + "s"] = base, Fraction(factor)
    return table


_UNITS = _read_table()


@lru_cache(maxsize=1024)
def unit(text: str) -> Unit:
    """Read a unit's text; "" is the unit of a plain number."""
    text = text[:MAX_UNIT_CHARS].replace("\\", "").strip()
    if text.rpartition(" ")[2].rstrip(".") == "in":  # an inch only where no word follows
        text = f"{text.rpartition(' ')[0]} inch"
    top, *bottoms = re.split(r"/|\bper\b|\ba(?=\s+(?:day|week|month|year|hour)\b)", text)
    factor, powers = _product(top)
    for bottom in bottoms:
        below, under = _product(bottom)
        factor /= below
        for name, power in under.items():
            powers[name] = powers.get(name, 0) - power
    return Unit(factor, tuple(sorted((name, power) for name, power in powers.items() if power)))


def _product(text: str) -> tuple[Fraction, dict[str, int]]:
    """Read units side by side; of words not in the table only the last counts."""
    factor, powers, thing, prefix, last = Fraction(1), dict[str, int](), "", 1, Unit(Fraction(1), ())
    for match in _ATOM.finditer(text):
        word, lower = match[1], match[1].lower()
        if lower in _BEFORE:
            prefix = _BEFORE[lower]
            continue
        if lower in _BEHIND:
            times = _BEHIND[lower] - 1
        elif found := _known(word):
            last, times, prefix = found, int(match[2] or match[3] or 1) * prefix, 1
        else:
            thing = thing if lower in _IGNORED else stem(word)
            continue
        factor *= last.factor**times
        for name, power in last.dimensions:
            powers[name] = powers.get(name, 0) + power * times
    return factor, powers or ({thing: 1} if thing else {})


def _known(word: str) -> Unit | None:
    """Return the table's unit, or that of a compound such as mph."""
    compound = _COMPOUND.get(word.lower())
    if compound:
        return unit(compound)
    found = _UNITS.get(word) or _UNITS.get(word.lower())
    return Unit(found[1], ((found[0], 1),)) if found else None


def stem(word: str) -> str:
    """Return a counted thing's name in lower case without the ending of its plural."""
    word = word.lower()
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def is_known(text: str) -> bool:
    """Whether text as a whole is in the table."""
    return text in _UNITS or text.lower() in _COMPOUND
