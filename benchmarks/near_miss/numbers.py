"""Near-misses of numbers written out: integers, decimals, fractions, percentages, bases, units, money."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from near_miss.forms import Form, decimal, decimal_of, family, frac, nonzero, proper, slips

UNITS = (
    ("m/s", "meters per second", "km/s", "m"),
    ("cm", "centimeters", "m", "mm"),
    ("kg", "kilograms", "g", "mg"),
    ("m^2", "square meters", "m", "m^3"),
    ("km/h", "kilometers per hour", "m/s", "km"),
    ("hours", "hour", "minutes", "days"),
    ("ft", "feet", "yd", "in"),
    ("J", "joules", "kJ", "W"),
)


@family
def integer(draw: random.Random) -> Iterator[Form]:
    n = draw.choice((1, -1)) * draw.randint(10, 10 ** draw.randint(2, 9))
    yield str(n), n
    yield from ((f"{n:,}", n), (f"{n:,}".replace(",", "{,}"), n), (f"{n}.0", n), (rf"\frac{{{3 * n}}}{{3}}", n))
    yield from ((f"{n + 1} - 1", n), (f"{n - 1} - 1", n - 2))
    yield from ((str(m), m) for m in slips(draw, n))


@family
def large_integer(draw: random.Random) -> Iterator[Form]:
    n = draw.randint(10**20, 10 ** draw.randint(21, 200))
    yield str(n), n
    yield f"{n:,}", n
    yield f"{n - 7} + 7", n
    yield f"{n - 7} + 8", n + 1
    yield from ((str(m), m) for m in slips(draw, n))


@family
def integer_as_decimal(draw: random.Random) -> Iterator[Form]:
    n = draw.randint(10**10, 10 ** draw.randint(11, 40))
    yield str(n), n
    lead = f"{str(n)[0]}.{str(n)[1:]}"
    power = len(str(n)) - 1
    yield from ((f"{n}.0", n), (f"{n}.00", n), (f"{lead}e{power}", n), (rf"{lead} \times 10^{{{power}}}", n))
    yield from ((f"{m}.0", m) for m in (n + 1, n - 1, -n, 10 * n))
    yield from ((f"{n}.5", "half"), (f"{n}+0.5", "half"), (f"{n - 1}.99", "less"), (f"{lead}e{power + 1}", 10 * n))
    yield from ((f"{lead}1e{power}", "more"), (rf"{lead}5 \times 10^{{{power}}}", "more"))


@family
def near_power_of_ten(draw: random.Random) -> Iterator[Form]:
    power, rest = draw.randint(12, 150), draw.randint(1, 9)
    yield rf"10^{{{power}}}+{rest}", 10**power + rest
    yield rf"{rest}+10^{{{power}}}", 10**power + rest
    yield str(10**power + rest), 10**power + rest
    yield rf"10^{{{power}}}+{rest + 1}", 10**power + rest + 1
    yield rf"10^{{{power}}}", 10**power
    yield rf"10^{{{power + 1}}}+{rest}", 10 ** (power + 1) + rest
    yield rf"10^{{{power}}}-{rest}", 10**power - rest


@family
def decimals(draw: random.Random) -> Iterator[Form]:
    places, mantissa = draw.randint(1, 4), draw.randint(11, 99_999)
    value = Fraction(mantissa, 10**places)
    yield decimal(mantissa, places), value
    yield from ((decimal(10 * mantissa, places + 1), value), (frac(value), value), (frac(value, "dfrac"), value))
    yield from ((decimal(m, places), Fraction(m, 10**places)) for m in slips(draw, mantissa))
    yield from ((decimal(mantissa, p), Fraction(mantissa, 10**p)) for p in (places - 1, places + 1, places + 2))


@family
def scientific(draw: random.Random) -> Iterator[Form]:
    mantissa, power = draw.randint(101, 999), draw.choice((1, -1)) * draw.randint(6, 40)
    value = Fraction(mantissa, 100) * Fraction(10) ** power
    lead = decimal(mantissa, 2)
    yield rf"{lead} \times 10^{{{power}}}", value
    yield from ((rf"{lead}\cdot 10^{{{power}}}", value), (f"{lead}e{power}", value))
    yield rf"{decimal(mantissa, 1)} \times 10^{{{power - 1}}}", value
    yield from (
        (rf"{lead} \times 10^{{{p}}}", Fraction(mantissa, 100) * Fraction(10) ** p) for p in (power + 1, -power)
    )
    yield f"{lead}e{power - 1}", value / 10
    for m in (mantissa + 1, mantissa - 1, draw.randint(101, 999)):
        yield rf"{decimal(m, 2)} \times 10^{{{power}}}", Fraction(m, 100) * Fraction(10) ** power


@family
def fraction(draw: random.Random) -> Iterator[Form]:
    value = Fraction(nonzero(draw, -99, 99), draw.randint(2, 99))
    a, b = value.numerator, value.denominator
    yield frac(value), value
    yield from ((f"{a}/{b}", value), (frac(value, "dfrac"), value), (rf"\frac{{{3 * a}}}{{{3 * b}}}", value))
    yield rf"\frac{{{-a}}}{{{-b}}}", value
    if text := decimal_of(value):
        yield text, value
    for top, bottom in ((b, a), (a + 1, b), (a - 1, b), (a, b + 1), (-a, b), (a + b, b), (10 * a, b), (a, 10 * b)):
        yield rf"\frac{{{top}}}{{{bottom}}}", Fraction(top, bottom)


@family
def mixed_number(draw: random.Random) -> Iterator[Form]:
    whole, part = draw.randint(1, 30), proper(draw, 20)
    value, (a, b) = whole + part, (part.numerator, part.denominator)
    yield rf"{whole}\frac{{{a}}}{{{b}}}", value
    yield from ((frac(value), value), (f"{whole} {a}/{b}", value), (rf"{whole}+\frac{{{a}}}{{{b}}}", value))
    yield rf"\frac{{{whole * a}}}{{{b}}}", whole * part
    yield rf"{whole} \cdot \frac{{{a}}}{{{b}}}", whole * part
    yield rf"\frac{{{whole}{a}}}{{{b}}}", Fraction(int(f"{whole}{a}"), b)
    yield rf"{whole + 1}\frac{{{a}}}{{{b}}}", value + 1
    yield f"{whole} {b - a}/{b}", whole + 1 - part
    yield rf"-{whole}\frac{{{a}}}{{{b}}}", -value


@family
def repeating_decimal(draw: random.Random) -> Iterator[Form]:
    period = str(draw.randint(1, 998))
    value = Fraction(int(period), 10 ** len(period) - 1)
    yield rf"0.\overline{{{period}}}", value
    yield from ((frac(value), value), (f"{value.numerator}/{value.denominator}", value))
    yield f"0.{period}", Fraction(int(period), 10 ** len(period))
    yield rf"0.0\overline{{{period}}}", value / 10
    yield rf"0.{period}\overline{{0}}", Fraction(int(period), 10 ** len(period))
    for m in slips(draw, int(period)):
        if m >= 0:
            yield rf"0.\overline{{{m}}}", Fraction(m, 10 ** len(str(m)) - 1)


@family
def percentage(draw: random.Random) -> Iterator[Form]:
    tenths = draw.randint(1, 2000)
    value, text = Fraction(tenths, 1000), decimal(tenths, 1)
    yield rf"{text}\%", value
    yield from ((f"{text}%", value), (decimal(tenths, 3), value), (frac(value), value))
    for m in (tenths + 1, 10 * tenths, tenths + 100, -tenths):
        yield rf"{decimal(m, 1)}\%", Fraction(m, 1000)
    yield decimal(tenths, 4), value / 10
    # Without the sign 12.5 may mean 12.5%; ten times that, or a tenth, may not.
    yield from ((decimal(tenths, 0), 10 * value * 100), (decimal(tenths, 2), value * 10))


@family
def no_percentage(draw: random.Random) -> Iterator[Form]:
    value = Fraction(draw.randint(1, 99), 100)
    yield decimal_of(value) or "", value
    yield from ((frac(value), value), (rf"{100 * value}\%", value))
    yield from (
        (str(100 * value), 100 * value),
        (rf"{decimal_of(value)}\%", value / 100),
        (f"{10 * value}", 10 * value),
    )


@family
def in_base(draw: random.Random) -> Iterator[Form]:
    base = draw.randint(3, 9)
    digits = "1" + "".join(str(draw.randrange(base)) for _ in range(draw.randint(2, 6))) + str(base - 1)
    value = (digits, base)
    yield f"{digits}_{base}", value
    yield from (
        (f"{digits}_{{{base}}}", value),
        (f"({digits})_{{{base}}}", value),
        (rf"{digits}_\text{{{base}}}", value),
    )
    yield from ((f"{digits}_{b}", (digits, b)) for b in (base + 1, 10))
    other = digits[:-1] + str(base - 2)
    yield from ((f"{other}_{base}", (other, base)), (f"{digits[:-1]}_{base}", (digits[:-1], base)))


@family
def measured(draw: random.Random) -> Iterator[Form]:
    n, (unit, long, *others) = draw.randint(2, 5000), draw.choice(UNITS)
    yield rf"{n} \text{{ {unit}}}", (n, unit)
    yield from ((f"{n} {unit}", (n, unit)), (rf"{n}\,\mathrm{{{unit}}}", (n, unit)))
    yield rf"{n}\text{{ {long}}}", (n, unit)
    yield from ((rf"{n} \text{{ {other}}}", (n, other)) for other in others)
    yield from ((f"{n} {other}", (n, other)) for other in others)
    yield from ((rf"{m} \text{{ {unit}}}", (m, unit)) for m in slips(draw, n))


@family
def money(draw: random.Random) -> Iterator[Form]:
    cents = draw.randint(101, 99_999)
    text = decimal(cents, 2)
    yield rf"\${text}", cents
    yield from ((text, cents), (f"${text}", cents), (rf"{text} \text{{ dollars}}", cents), (f"{text} dollars", cents))
    yield from ((rf"\${decimal(m, 2)}", m) for m in slips(draw, cents))
    yield from ((f"€{text}", "euros"), (rf"{text} \text{{ pounds}}", "pounds"))
    yield from ((rf"\${decimal(cents, 1)}", 10 * cents), (rf"\${decimal(cents, 3)}", Fraction(cents, 10)))


@family
def angle(draw: random.Random) -> Iterator[Form]:
    n = draw.randint(1, 359)
    yield rf"{n}^\circ", n
    yield from ((rf"{n}^{{\circ}}", n), (f"{n}°", n), (rf"{n} \text{{ degrees}}", n))
    yield rf"{n} \text{{ radians}}", ("radians", n)
    yield from ((rf"{m}^\circ", m) for m in slips(draw, n))
