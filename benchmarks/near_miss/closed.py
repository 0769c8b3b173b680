"""Near-misses of numbers in closed form: powers, roots, factorials, logarithms, π, e, angles, complex numbers."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from fractions import Fraction

from near_miss.forms import Form, family, frac, joined, nonzero, times

PRIMES = (2, 3, 5, 7, 11, 13)
SINES = {0: "0", 30: r"\frac12", 45: r"\frac{\sqrt{2}}{2}", 60: r"\frac{\sqrt3}{2}", 90: "1"}


@family
def power(draw: random.Random) -> Iterator[Form]:
    base, n = draw.choice(PRIMES), draw.randint(5, 60)
    value = base**n
    yield f"{base}^{{{n}}}", value
    yield from ((str(value), value), (rf"{base}\cdot {base}^{{{n - 1}}}", value), (f"({base}^{n})", value))
    yield from ((f"{base}^{{{m}}}", Fraction(base) ** m) for m in (n + 1, n - 1, -n))
    yield from (
        (f"{base + 1}^{{{n}}}", (base + 1) ** n),
        (f"-{base}^{{{n}}}", -value),
        (f"{base}^{{{n}}}+1", value + 1),
    )
    yield from ((f"{n}^{{{base}}}", n**base), (rf"{base}\cdot {n}", base * n))


@family
def tiny(draw: random.Random) -> Iterator[Form]:
    base, n = draw.choice(PRIMES), draw.randint(20, 300)
    value = Fraction(1, base**n)
    yield rf"\frac{{1}}{{{base}^{{{n}}}}}", value
    yield from (
        (f"1/{base}^{n}", value),
        (f"{base}^{{-{n}}}", value),
        (rf"\frac{{{base}}}{{{base}^{{{n + 1}}}}}", value),
    )
    for m in (n + 1, n - 1, n + draw.randint(2, 40)):
        yield from ((f"1/{base}^{m}", Fraction(1, base**m)), (rf"\frac{{1}}{{{base}^{{{m}}}}}", Fraction(1, base**m)))
    yield from ((rf"\frac{{2}}{{{base}^{{{n}}}}}", 2 * value), (f"-{base}^{{-{n}}}", -value), ("0", 0))


@family
def one_minus_tiny(draw: random.Random) -> Iterator[Form]:
    n = draw.randint(20, 150)
    value = 1 - Fraction(1, 2**n)
    yield rf"1-\frac{{1}}{{2^{{{n}}}}}", value
    yield from ((rf"1-2^{{-{n}}}", value), (rf"\frac{{2^{{{n}}}-1}}{{2^{{{n}}}}}", value))
    yield from ((rf"1-2^{{-{m}}}", 1 - Fraction(1, 2**m)) for m in (n + 1, n - 1))
    yield from ((rf"1+\frac{{1}}{{2^{{{n}}}}}", 2 - value), ("1", 1), (rf"\frac{{2^{{{n}}}-1}}{{2^{{{n}}}+1}}", None))


@family
def factorial(draw: random.Random) -> Iterator[Form]:
    n = draw.randint(5, 150)
    value = math.factorial(n)
    yield f"{n}!", value
    yield from ((rf"{n} \cdot {n - 1}!", value), (rf"{n - 1}! \times {n}", value))
    if n < 25:
        yield from ((str(value), value), (str(value + 1), value + 1), (f"{value // 10}", value // 10))
    yield from ((f"{m}!", math.factorial(m)) for m in (n + 1, n - 1))
    yield from ((f"{n}!+1", value + 1), (rf"\frac{{{n}!}}{{2}}", Fraction(value, 2)), (str(n), n))


@family
def quotient_of_factorials(draw: random.Random) -> Iterator[Form]:
    n, k = draw.randint(20, 90), draw.randint(3, 9)
    value = Fraction(math.factorial(n), math.factorial(k))
    yield rf"\frac{{{n}!}}{{{k}!}}", value
    yield from ((f"{n}!/{k}!", value), (rf"\frac{{{n} \cdot {n - 1}!}}{{{k}!}}", value))
    for top, bottom in ((n + 1, k), (n, k + 1), (n - 1, k), (k, n)):
        yield rf"\frac{{{top}!}}{{{bottom}!}}", Fraction(math.factorial(top), math.factorial(bottom))


@family
def binomial(draw: random.Random) -> Iterator[Form]:
    n = draw.randint(6, 60)
    k = draw.randint(2, n - 2)
    yield rf"\binom{{{n}}}{{{k}}}", math.comb(n, k)
    yield rf"\binom{{{n}}}{{{n - k}}}", math.comb(n, k)
    yield str(math.comb(n, k)), math.comb(n, k)
    yield rf"\frac{{{n}!}}{{{k}!\,{n - k}!}}", math.comb(n, k)
    for m, j in ((n, k + 1), (n, k - 1), (n + 1, k), (n - 1, k), (n + 1, k + 1)):
        yield rf"\binom{{{m}}}{{{j}}}", math.comb(m, j)
    yield rf"\frac{{{n}!}}{{{n - k}!}}", math.perm(n, k)


@family
def root(draw: random.Random) -> Iterator[Form]:
    index, outside = draw.choice((2, 2, 3, 4)), draw.randint(2, 12)
    inside = draw.choice([n for n in range(2, 60) if all(n % d**index for d in range(2, 8))])
    sign = rf"\sqrt[{index}]" if index > 2 else r"\sqrt"
    value = ("root", index, outside**index * inside)
    yield rf"{outside}{sign}{{{inside}}}", value
    yield from ((rf"{sign}{{{value[2]}}}", value), (rf"{outside} \cdot {inside}^{{1/{index}}}", value))
    yield rf"\frac{{{3 * outside}{sign}{{{inside}}}}}{{3}}", value
    for a, b in ((outside + 1, inside), (outside, inside + 1), (outside, inside - 1), (-outside, inside)):
        yield rf"{a}{sign}{{{b}}}", ("root", index, abs(a) ** index * b) if a > 0 else "negative"
    yield rf"{outside}\sqrt[{index + 1}]{{{inside}}}", ("root", index + 1, outside, inside)
    yield from ((f"{outside}({inside})^{{{index}}}", "power"), (str(outside * inside), "no root"))


@family
def surd(draw: random.Random) -> Iterator[Form]:
    a, b, c = nonzero(draw, -20, 20), nonzero(draw, -9, 9), draw.choice((2, 3, 5, 6, 7, 10, 11, 13))
    d = draw.randint(2, 9)

    def over(a: int, b: int, c: int) -> str:
        return joined(str(a), times(b, rf"\sqrt{{{c}}}"))

    def write(a: int, b: int, c: int, d: int) -> Form:
        return rf"\frac{{{over(a, b, c)}}}{{{d}}}", (Fraction(a, d), Fraction(b, d), c)

    expected, value = write(a, b, c, d)
    yield expected, value
    yield joined(rf"{frac(Fraction(b, d))}\sqrt{{{c}}}", frac(Fraction(a, d))), value
    yield f"({over(a, b, c)})/{d}", value
    yield write(3 * a, 3 * b, c, 3 * d)
    changes = ((a, -b, c, d), (-a, b, c, d), (a + 1, b, c, d), (a, b, c + 4, d), (a, b, c, d + 1), (a, 10 * b, c, d))
    for changed in changes:
        yield write(*changed)


@family
def multiple_of_pi(draw: random.Random) -> Iterator[Form]:
    value = Fraction(nonzero(draw, -30, 30), draw.randint(1, 24))

    def write(q: Fraction) -> str:
        top = times(abs(q.numerator), r"\pi")
        return "-" * (q < 0) + (top if q.denominator == 1 else rf"\frac{{{top}}}{{{q.denominator}}}")

    yield write(value), value
    yield from ((frac(value) + r"\pi", value), (f"{value.numerator}pi/{value.denominator}", value))
    yield (
        rf"\pi \cdot {frac(value)}" if value > 0 else rf"-\frac{{{-value.numerator}}}{{{value.denominator}}} \pi",
        value,
    )
    for q in (value + 1, -value, 2 * value, value + Fraction(1, value.denominator), 10 * value):
        yield write(q), q
    yield from ((frac(value), "no pi"), (write(value).replace(r"\pi", r"\pi^2"), "square"))
    yield write(value).replace(r"\pi", "e"), "e"


@family
def power_of_e(draw: random.Random) -> Iterator[Form]:
    k, c = nonzero(draw, -12, 12), draw.randint(2, 30)
    yield f"{c}e^{{{k}}}", (c, k)
    yield from ((rf"{c}\exp({k})", (c, k)), (rf"{c} \cdot e^{{{k}}}", (c, k)), (rf"\frac{{{c}}}{{e^{{{-k}}}}}", (c, k)))
    for m, j in ((c, k + 1), (c, -k), (c + 1, k), (-c, k), (c, 2 * k)):
        yield f"{m}e^{{{j}}}", (m, j)
    yield f"{c}e+{k}", "sum"


@family
def logarithm(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample((2, 3, 5, 6, 7, 10, 11, 12), 2)
    yield rf"\log_{{{a}}} {b}", (a, b)
    yield rf"\frac{{\ln {b}}}{{\ln {a}}}", (a, b)
    yield rf"\log_{{{a}}}({b})", (a, b)
    yield rf"\frac{{1}}{{\log_{{{b}}} {a}}}", (a, b)
    for m, j in ((b, a), (a + 1, b), (a, b + 1), (a, 10 * b)):
        yield rf"\log_{{{m}}} {j}", (m, j)
    yield rf"-\log_{{{a}}} {b}", "negative"
    yield rf"\ln \frac{{{b}}}{{{a}}}", "quotient inside"


@family
def sine(draw: random.Random) -> Iterator[Form]:
    k = draw.choice((7, 10, 20, 25, 30, 40, 60, 70))
    c = draw.randint(2, 40)
    yield rf"{c}\sin {k}^\circ", (c, k)
    yield from (
        (rf"{c}\sin({k}^\circ)", (c, k)),
        (rf"{c}\cos {90 - k}^\circ", (c, k)),
        (rf"{c}\sin {180 - k}^\circ", (c, k)),
    )
    yield rf"{c}\cos {k}^\circ", (c, 90 - k)
    yield from ((rf"{c}\sin {k + 1}^\circ", (c, k + 1)), (rf"{c + 1}\sin {k}^\circ", (c + 1, k)))
    yield from ((rf"-{c}\sin {k}^\circ", (-c, k)), (rf"{c}\tan {k}^\circ", "tangent"), (rf"{c * k}", "no sine"))


@family
def exact_sine(draw: random.Random) -> Iterator[Form]:
    k = draw.choice((0, 30, 45, 60, 90))
    c = draw.randint(2, 3000)
    yield rf"{c}\sin({k}^\circ)", (c, k)
    yield rf"{c} \cdot {SINES[k]}", (c, k)
    yield from ((rf"{c} \cdot {SINES[j]}", (c, j)) for j in SINES)
    yield rf"{c + 1} \cdot {SINES[k]}" if k else "1", "one more"


@family
def complex_number(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample([n for n in range(-30, 31) if n], 2)

    def write(a: int, b: int) -> Form:
        return joined(str(a), times(b, "i")), (a, b)

    yield write(a, b)
    yield from ((joined(times(b, "i"), str(a)), (a, b)), (joined(str(a), rf"{b} \cdot i"), (a, b)))
    for other in ((a, -b), (-a, b), (-a, -b), (b, a), (a + 1, b), (a, b + 1)):
        yield write(*other)
    yield from ((str(a + b), "real"), (joined(str(a), times(b, r"\sqrt{2}")), "surd"))


@family
def plus_or_minus(draw: random.Random) -> Iterator[Form]:
    a, c = draw.randint(1, 40), draw.choice((2, 3, 5, 7, 11, 13))
    both = rf"{a}\pm\sqrt{{{c}}}"
    yield both, (a, c)
    yield from ((rf"{a}+\sqrt{{{c}}}, {a}-\sqrt{{{c}}}", (a, c)), (rf"{a}\mp\sqrt{{{c}}}", (a, c)))
    yield rf"{a}-\sqrt{{{c}}} \text{{ or }} {a}+\sqrt{{{c}}}", (a, c)
    yield from (
        (rf"{a}+\sqrt{{{c}}}", "plus"),
        (rf"{a}-\sqrt{{{c}}}", "minus"),
        (rf"\pm {a}+\sqrt{{{c}}}", "other sign"),
    )
    yield from (
        (rf"{a + 1}\pm\sqrt{{{c}}}", (a + 1, c)),
        (rf"{a}\pm\sqrt{{{c + 1}}}", (a, c + 1)),
        (rf"{a}\pm {c}", "root"),
    )
