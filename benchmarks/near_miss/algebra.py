"""Near-misses of expressions with variables. A polynomial's value is its table of coefficients."""

from __future__ import annotations

import random
from collections.abc import Iterator
from fractions import Fraction

from near_miss.forms import Form, family, frac, joined, nonzero, polynomial, times

NAMES = "xyntakz"
Table = tuple[tuple[int, int], ...]


def table(coefficients: dict[int, int], name: str) -> tuple[str, Table]:
    """Return the value of a polynomial that is not constant."""
    return name, tuple(sorted((p, c) for p, c in coefficients.items() if c))


def drawn(draw: random.Random, degree: int) -> dict[int, int]:
    return {p: nonzero(draw, -12, 12) for p in range(degree + 1)}


@family
def polynomials(draw: random.Random) -> Iterator[Form]:
    name, other = draw.sample(NAMES, 2)
    c = drawn(draw, draw.randint(1, 4))
    value, power = table(c, name), draw.choice(list(c))
    yield polynomial(c, name), value
    yield polynomial(c, name, rising=True), value
    yield f"({polynomial(c, name)})", value
    rest = polynomial({p: k for p, k in c.items() if p}, name)
    yield joined(rest, f"-{name}", str(c[0]), name), value
    for changed in ({power: c[power] + 1}, {power: -c[power]}, {0: c[0] + 1}, {max(c) + 1: 1}, {power: 10 * c[power]}):
        yield polynomial(c | changed, name), table(c | changed, name)
    yield polynomial(c, other), table(c, other)
    yield polynomial({p + 1: k for p, k in c.items()}, name), table({p + 1: k for p, k in c.items()}, name)
    yield polynomial({p: k for p, k in c.items() if p != power}, name), "a term less"


@family
def factored(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample([n for n in range(-15, 16) if n], 2)
    k = nonzero(draw, -5, 5)

    def value(a: int, b: int, k: int) -> Table:
        return table({2: k, 1: -k * (a + b), 0: k * a * b}, "x")[1]

    def write(a: int, b: int, k: int) -> Form:
        return times(k, f"({joined('x', str(-a))})({joined('x', str(-b))})"), value(a, b, k)

    yield write(a, b, k)
    yield write(b, a, k)
    yield polynomial({2: k, 1: -k * (a + b), 0: k * a * b}, "x"), value(a, b, k)
    yield rf"({joined(times(k, 'x'), str(-k * a))})\cdot({joined('x', str(-b))})", value(a, b, k)
    for other in ((-a, b, k), (a, -b, k), (-a, -b, k), (a + 1, b, k), (a, b - 1, k), (a, b, k + 6), (a, b, -k)):
        yield write(*other)
    yield polynomial({2: k, 1: k * (a + b), 0: -k * a * b}, "x"), "signs"


@family
def shifted(draw: random.Random) -> Iterator[Form]:
    """Write x where x + 1 is right: a function of the wrong argument."""
    name, k = draw.choice(NAMES), draw.randint(2, 9)
    shape = draw.choice((r"\sqrt{{{}}}", r"\sin({})", r"e^{{{}}}", r"\ln({})", r"\frac{{1}}{{{}}}", "({})^3", "{}"))
    yield shape.format(f"{k}{name}"), k
    yield from ((shape.format(f"{k}{name}+0"), k), (shape.format(rf"{name} \cdot {k}"), k))
    yield from ((shape.format(f"{k}{name}{end}"), end) for end in ("+1", "-1", "+0.001"))
    yield from ((shape.format(f"{k + 1}{name}"), k + 1), (shape.format(f"-{k}{name}"), -k))
    yield shape.format(f"{k}{name}") + "+1", "one more"


@family
def rational_function(draw: random.Random) -> Iterator[Form]:
    a, c = draw.sample((2, 3, 5, 7), 2)
    b, d = nonzero(draw, -9, 9), nonzero(draw, -9, 9)
    if a * d == b * c:
        d += 1 if d != -1 else 2

    def write(a: int, b: int, c: int, d: int) -> str:
        return rf"\frac{{{joined(f'{a}x', str(b))}}}{{{joined(f'{c}x', str(d))}}}"

    yield write(a, b, c, d), "right"
    yield from ((write(-a, -b, -c, -d), "right"), (write(3 * a, 3 * b, 3 * c, 3 * d), "right"))
    yield f"({joined(f'{a}x', str(b))})/({joined(f'{c}x', str(d))})", "right"
    for p, q, r, s in ((c, d, a, b), (a, b + 20, c, d), (a, b, c, -d), (a + 6, b, c, d), (-a, -b, c, d)):
        yield write(p, q, r, s), "wrong"


@family
def trigonometric(draw: random.Random) -> Iterator[Form]:
    name, k, c = draw.choice(("x", r"\theta", "t")), draw.randint(2, 9), draw.randint(2, 30)
    yield rf"{c}\sin({k}{name})", (c, k)
    yield from ((rf"{c} \sin {k}{name}", (c, k)), (rf"\sin({k}{name}) \cdot {c}", (c, k)))
    yield rf"{2 * c}\sin\left(\frac{{{k}{name}}}{{2}}\right)\cos\left(\frac{{{k}{name}}}{{2}}\right)", (c, k)
    yield rf"{c}\cos\left(\frac{{\pi}}{{2}}-{k}{name}\right)", (c, k)
    yield rf"{c}\cos({k}{name})", "cosine"
    yield from ((rf"{p}\sin({q}{name})", (p, q)) for p, q in ((c + 1, k), (c, k + 1), (-c, k)))
    yield from (
        (rf"{c}\sin^2({k}{name})", "square"),
        (rf"{c}\sin({k}{name}+1)", "shift"),
        (rf"{c * k}{name}", "no sine"),
    )


@family
def pythagorean(draw: random.Random) -> Iterator[Form]:
    name, c = draw.choice(("x", r"\theta", "t")), draw.randint(2, 300)
    yield rf"{c}\sin^2 {name}", "right"
    yield from ((rf"{c}-{c}\cos^2 {name}", "right"), (rf"{c}(1-\cos^2 {name})", "right"))
    yield rf"{c}\left(\sin {name}\right)^2", "right"
    yield from ((rf"{c}\cos^2 {name}", "swapped"), (rf"{c}-{c}\sin^2 {name}", "swapped"), (str(c), "one"))
    yield from (
        (rf"{c}(1+\cos^2 {name})", "sign"),
        (rf"{c}\sin {name}^2", "argument"),
        (rf"{c + 1}\sin^2 {name}", "more"),
    )


@family
def exponential(draw: random.Random) -> Iterator[Form]:
    base, name, k = draw.choice((2, 3, 5, 7)), draw.choice("nkm"), draw.randint(1, 6)
    yield f"{base}^{{{name}+{k}}}", (base, k)
    yield from ((rf"{base}^{k} \cdot {base}^{name}", (base, k)), (rf"{base**k} \cdot {base}^{{{name}}}", (base, k)))
    yield f"{base}^{{{k}+{name}}}", (base, k)
    yield from (
        (f"{base}^{{{name}+{k + 1}}}", "more"),
        (f"{base}^{{{name}-{k}}}", "less"),
        (f"{base}^{{{name}}}+{k}", "out"),
    )
    yield from (
        (f"{base + 1}^{{{name}+{k}}}", "base"),
        (f"{base}^{{{k + 1}{name}}}", "product"),
        (f"{name}^{{{base}}}", "x"),
    )


@family
def logarithmic(draw: random.Random) -> Iterator[Form]:
    k, c = draw.randint(2, 9), draw.randint(2, 40)
    yield rf"{k}\ln x + {c}", (k, c)
    yield from ((rf"{c}+{k}\ln(x)", (k, c)), (rf"\ln(x^{k}) + {c}", (k, c)))
    for p, q in ((k + 1, c), (-k, c), (k, c + 1), (k, -c), (c + 50, k)):
        yield joined(rf"{p}\ln x", str(q)), (p, q)
    yield from ((rf"{k}\ln (x+{c})", "inside"), (rf"{k} x + {c}", "no logarithm"), (rf"\ln {k}x + {c}", "argument"))


@family
def triangular(draw: random.Random) -> Iterator[Form]:
    name, k = draw.choice("nkm"), draw.randint(1, 40)

    def write(sign: str, k: int, by: int) -> Form:
        return rf"\frac{{{name}({name}{sign}{k})}}{{{by}}}", (sign, k, by)

    yield write("+", k, 2)
    yield from ((rf"\frac{{{name}^2+{k}{name}}}{{2}}", ("+", k, 2)), (f"{name}({name}+{k})/2", ("+", k, 2)))
    yield rf"\frac{{1}}{{2}}{name}^2 + {frac(Fraction(k, 2))}{name}", ("+", k, 2)
    yield f"0.5{name}({name}+{k})", ("+", k, 2)
    yield from (write(*other) for other in (("-", k, 2), ("+", k + 1, 2), ("+", k, 3), ("+", 2 * k, 2)))
    yield from ((rf"\frac{{{name}+{k}}}{{2}}", "degree"), (f"{name}({name}+{k})", "half"))


@family
def two_variables(draw: random.Random) -> Iterator[Form]:
    p, q = draw.sample("abcmnxyz", 2)
    c, d = draw.sample(range(2, 30), 2)

    def write(c: int, p: str, d: int, q: str) -> Form:
        return f"{c}{p}^2 - {d}{q}", (c, p, d, q)

    yield write(c, p, d, q)
    yield from ((f"-{d}{q} + {c}{p}^2", (c, p, d, q)), (rf"{c}\cdot {p}\cdot {p} - {d}{q}", (c, p, d, q)))
    yield f"-({d}{q} - {c}{p}^2)", (c, p, d, q)
    for other in ((d, p, c, q), (c, q, d, p), (c + 1, p, d, q), (c, p, d + 1, q), (c, p, d, p), (c, p, -d, q)):
        yield write(*other)[0].replace("- -", "+ "), write(*other)[1]


@family
def difference_of_squares(draw: random.Random) -> Iterator[Form]:
    p, q = draw.sample("abmnxy", 2)
    k = draw.randint(2, 30)
    yield f"{p}^2 - {k * k}{q}^2", "right"
    yield from ((f"({p}-{k}{q})({p}+{k}{q})", "right"), (f"({p}+{k}{q})({p}-{k}{q})", "right"))
    yield from (
        (f"({p}-{k}{q})^2", "square"),
        (f"{p}^2 + {k * k}{q}^2", "sum"),
        (f"({p}-{k}{q})({p}+{k + 1}{q})", "more"),
    )
    yield from (
        (f"{p}^2 - {k}{q}^2", "root"),
        (f"{k * k}{q}^2 - {p}^2", "sign"),
        (f"({q}-{k}{p})({q}+{k}{p})", "swapped"),
    )


@family
def function(draw: random.Random) -> Iterator[Form]:
    c = drawn(draw, draw.randint(1, 3))
    value = table(c, "x")
    yield f"f(x) = {polynomial(c, 'x')}", value
    yield from ((polynomial(c, "x"), value), (f"f(x)={polynomial(c, 'x', rising=True)}", value))
    power = draw.choice(list(c))
    for changed in ({power: c[power] + 1}, {power: -c[power]}, {0: c[0] - 1}, {max(c) + 1: -2}):
        yield f"f(x) = {polynomial(c | changed, 'x')}", table(c | changed, "x")
        yield polynomial(c | changed, "x"), table(c | changed, "x")


@family
def root_of_expression(draw: random.Random) -> Iterator[Form]:
    name, a, b = draw.choice("xab"), draw.randint(2, 30), draw.randint(1, 60)
    yield rf"\sqrt{{{a}{name}+{b}}}", (a, b)
    yield from ((rf"({a}{name}+{b})^{{1/2}}", (a, b)), (rf"\sqrt{{{b}+{a}{name}}}", (a, b)))
    yield from ((rf"\sqrt{{{p}{name}+{q}}}", (p, q)) for p, q in ((a + 1, b), (a, b + 1), (b + 90, a)))
    yield from (
        (rf"\sqrt[3]{{{a}{name}+{b}}}", "index"),
        (rf"\sqrt{{{a}{name}}}+{b}", "short"),
        (rf"{a}{name}+{b}", "no"),
    )
    yield from (
        (rf"-\sqrt{{{a}{name}+{b}}}", "sign"),
        (rf"\sqrt{{{a}{name}-{b}}}", "minus"),
        (rf"({a}{name}+{b})^2", "sq"),
    )
