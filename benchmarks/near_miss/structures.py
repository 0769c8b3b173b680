"""Near-misses of answers in several parts: tuples, sets, intervals, inequalities, equations, matrices, lists."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from fractions import Fraction

from near_miss.forms import Form, family, frac, joined, nonzero, times


def several(draw: random.Random, low: int = 2, high: int = 5) -> tuple[int, ...]:
    """Return that many different integers, in no order."""
    return tuple(draw.sample(range(-30, 60), draw.randint(low, high)))


def changes(draw: random.Random, items: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Yield items with one changed, negated, left out, or added."""
    i = draw.randrange(len(items))
    yield from ((*items[:i], new, *items[i + 1 :]) for new in (items[i] + 1, items[i] - 1, -items[i]))
    if len(items) > 2:
        yield items[:i] + items[i + 1 :]
    yield (*items, 77)


def listed(items: Sequence[object]) -> str:
    return ", ".join(map(str, items))


@family
def ordered(draw: random.Random) -> Iterator[Form]:
    items = several(draw)
    yield f"({listed(items)})", items
    yield rf"\left({listed(items)}\right)", items
    yield "(" + ",".join(rf"\frac{{{2 * n}}}{{2}}" for n in items) + ")", items
    yield f"({listed([f'{n}.0' for n in items])})", items
    yield f"({listed(items[::-1])})", items[::-1]
    yield f"({listed(items[1:] + items[:1])})", items[1:] + items[:1]
    yield rf"\{{{listed(items)}\}}", frozenset(items)
    yield from ((f"({listed(other)})", other) for other in changes(draw, items))


@family
def named_point(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample(range(-40, 90), 2)
    yield f"(x, y) = ({a}, {b})", (a, b)
    yield from ((f"({a}, {b})", (a, b)), (rf"(x,y)=\left({a},{b}\right)", (a, b)))
    for p, q in ((b, a), (a + 1, b), (a, b - 1), (-a, b), (a, -b)):
        yield from ((f"(x, y) = ({p}, {q})", (p, q)), (f"({p}, {q})", (p, q)))


@family
def named_values(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample(range(-40, 90), 2)
    yield f"a = {a}, b = {b}", (a, b)
    yield from ((f"b = {b}, a = {a}", (a, b)), (rf"a={a} \text{{ and }} b={b}", (a, b)))
    for p, q in ((b, a), (a + 1, b), (a, b - 1), (-a, b), (a, -b)):
        yield from ((f"a = {p}, b = {q}", (p, q)), (f"b = {q}, a = {p}", (p, q)), (f"{p}, {q}", (p, q)))


@family
def unordered(draw: random.Random) -> Iterator[Form]:
    items = several(draw)
    yield rf"\{{{listed(items)}\}}", frozenset(items)
    shuffled = draw.sample(items, len(items))
    yield rf"\left\{{{listed(shuffled)}\right\}}", frozenset(items)
    yield rf"\{{{listed(items[::-1])}\}}", frozenset(items)
    yield listed(shuffled), frozenset(items)
    yield from ((rf"\{{{listed(other)}\}}", frozenset(other)) for other in changes(draw, items))
    yield from ((listed(other), frozenset(other)) for other in changes(draw, items))
    yield rf"\{{\{{{listed(items)}\}}\}}", "a set of a set"


@family
def solutions(draw: random.Random) -> Iterator[Form]:
    items = several(draw, 2, 4)
    yield listed(items), frozenset(items)
    *first, last = draw.sample(items, len(items))
    yield rf"{listed(first)} \text{{ and }} {last}", frozenset(items)
    yield rf"x = {listed(items)}", frozenset(items)
    yield rf"\{{{listed(items)}\}}", frozenset(items)
    yield " or ".join(f"x={n}" for n in items), frozenset(items)
    for other in changes(draw, items):
        yield from ((listed(other), frozenset(other)), (" or ".join(f"x={n}" for n in other), frozenset(other)))
    yield str(items[0]), frozenset(items[:1])


@family
def points(draw: random.Random) -> Iterator[Form]:
    num = draw.randint(2, 4)
    items = tuple(zip(draw.sample(range(-20, 10), num), draw.sample(range(10, 41), num), strict=True))
    yield listed(items), frozenset(items)
    yield from ((listed(items[::-1]), frozenset(items)), (rf"\{{{listed(items)}\}}", frozenset(items)))
    (a, b), *rest = items
    for other in ((b, a), (a + 1, b), (a, b + 1), (-a - 50, b)):
        yield listed([other, *rest]), frozenset([other, *rest])
    yield listed(items[1:]), frozenset(items[1:])
    yield listed(sum(items, ())), "the numbers alone"


def bracketed(low: object, high: object, kind: str) -> Form:
    """Write an interval; kind is its two brackets."""
    return f"{kind[0]}{low}, {high}{kind[1]}", (low, high, kind)


@family
def interval(draw: random.Random) -> Iterator[Form]:
    low, high = sorted(draw.sample(range(-40, 40), 2))
    kind = draw.choice(("()", "(]", "[)", "[]"))
    signs = ["<" if bracket in "()" else r"\le" for bracket in kind]
    expected, value = bracketed(low, high, kind)
    yield rf"\left{expected[:-1]}\right{expected[-1]}", value
    yield from ((rf"x \in {expected}", value), (rf"{low} {signs[0]} x {signs[1]} {high}", value))
    yield expected.replace(str(low), rf"\frac{{{2 * low}}}{{2}}", 1), value
    yield from (bracketed(low, high, other) for other in ("()", "(]", "[)", "[]"))
    yield from (bracketed(p, q, kind) for p, q in ((high, low), (low + 1, high), (low, high + 1), (-low - 90, high)))
    yield from (bracketed(low, r"\infty", kind[0] + ")"), bracketed(r"-\infty", high, "(" + kind[1]))
    other = [{"<": r"\le", r"\le": "<"}[sign] for sign in signs]
    yield rf"{low} {other[0]} x {signs[1]} {high}", "strictness"
    yield rf"{low} {signs[0]} x {other[1]} {high}", "strictness"


@family
def inequality(draw: random.Random) -> Iterator[Form]:
    bound = nonzero(draw, -200, 200)
    sign, strict = draw.choice("<>"), draw.choice((True, False))
    written = {"<": r"\le", ">": r"\ge"}
    back = {"<": ">", ">": "<"}

    def write(bound: int, sign: str, strict: bool) -> Form:
        return f"x {sign if strict else written[sign]} {bound}", (bound, sign, strict)

    expected, value = write(bound, sign, strict)
    yield expected, value
    yield f"{bound} {back[sign] if strict else written[back[sign]]} x", value
    low, high = (r"-\infty", bound) if sign == "<" else (bound, r"\infty")
    ends = ("(" if strict or sign == "<" else "[") + (")" if strict or sign == ">" else "]")
    yield bracketed(low, high, ends)[0], value
    yield rf"x \in {bracketed(low, high, ends)[0]}", value
    for other in ((bound + 1, sign, strict), (-bound, sign, strict), (bound, back[sign], strict)):
        yield write(*other)
    yield write(bound, sign, not strict)
    flipped = (bound, r"\infty") if sign == "<" else (r"-\infty", bound)
    yield bracketed(*flipped, ends[::-1].translate(str.maketrans("()[]", ")(][")))[0], "the other side"
    yield from ((f"x = {bound}", "equation"), (str(bound), "number"))


@family
def two_bounds(draw: random.Random) -> Iterator[Form]:
    low, high = sorted(draw.sample(range(-60, 60), 2))
    value = (low, high)
    yield rf"x > {low} \text{{ and }} x < {high}", value
    yield from (
        (f"{low} < x < {high}", value),
        (rf"x<{high} \text{{ and }} x>{low}", value),
        (f"({low}, {high})", value),
    )
    yield from ((rf"x > {low} \text{{ or }} x < {high}", "or"), (rf"x < {low} \text{{ or }} x > {high}", "outside"))
    yield from ((f"{low} < x < {high + 1}", "more"), (rf"{low} \le x < {high}", "closed"), (f"x > {low}", "one"))
    yield from (
        (rf"x > {low} \text{{ and }} x \le {high}", "closed"),
        (rf"x > {high} \text{{ and }} x < {low}", "none"),
    )


@family
def union(draw: random.Random) -> Iterator[Form]:
    a, b, c = sorted(draw.sample(range(-30, 30), 3))

    def write(a: int, b: int, c: int, kinds: str = ")([)") -> Form:
        first, second = rf"(-\infty, {a}{kinds[0]}", rf"{kinds[1]}{b}, {c}{kinds[3]}"
        return rf"{first} \cup {second}", (a, b, c, kinds)

    expected, value = write(a, b, c)
    yield expected, value
    first, second = expected.split(r" \cup ")
    yield rf"{second}\cup{first}", value
    yield rf"x \in {first} \cup {second}", value
    yield rf"x < {a} \text{{ or }} {b} < x < {c}", value
    yield from (write(p, q, r) for p, q, r in ((a - 1, b, c), (a, b, c + 1), (-a - 90, b, c), (b, b, c)))
    yield from (write(a, b, c, kinds) for kinds in ("]([)", ")[[)", ")([]"))
    yield from ((first, "a piece"), (second, "a piece"), (rf"{first} \cap {second}", "intersection"))
    yield rf"{second} \cup ({c + 1}, \infty)", "another piece"


@family
def line(draw: random.Random) -> Iterator[Form]:
    m, b = draw.choice((2, 3, 4, 5, 6, 7, -2, -3, -4, -5)), nonzero(draw, -30, 30)

    def write(m: int, b: int) -> Form:
        return f"y = {joined(f'{m}x', str(b))}", (m, b)

    yield write(m, b)
    yield from ((f"{joined(f'{m}x', str(b))} = y", (m, b)), (f"y={joined(str(b), f'{m}x')}", (m, b)))
    yield from ((f"{joined(f'{m}x', '-y', str(b))}=0", (m, b)), (f"2y = {joined(f'{2 * m}x', str(2 * b))}", (m, b)))
    yield f"y - {joined(f'{m}x')} = {b}" if m > 0 else f"y + {-m}x = {b}", (m, b)
    yield from (write(p, q) for p, q in ((m + 9, b), (-m, b), (m, b + 1), (m, -b), (b * 40, m)))
    yield from ((f"x = {joined(f'{m}y', str(b))}", "sides"), (joined(f"{m}x", "y", str(b)) + " = 0", "sign"))


@family
def circle(draw: random.Random) -> Iterator[Form]:
    a, b, r = draw.randint(1, 12), draw.randint(13, 25), draw.randint(2, 15)

    def write(a: int, b: int, square: int) -> Form:
        return f"({joined('x', str(-a))})^2 + ({joined('y', str(-b))})^2 = {square}", (a, b, square)

    yield write(a, b, r * r)
    yield f"(y-{b})^2+(x-{a})^2={r}^2", (a, b, r * r)
    yield f"{joined('x^2', 'y^2', f'{-2 * a}x', f'{-2 * b}y', str(a * a + b * b - r * r))} = 0", (a, b, r * r)
    for other in ((-a, b, r * r), (a, -b, r * r), (b, a, r * r), (a, b, r * r + 1), (a, b, r + r * r), (a, b, -r * r)):
        yield write(*other)
    yield f"(x-{a})^2 - (y-{b})^2 = {r * r}", "hyperbola"


@family
def matrix(draw: random.Random) -> Iterator[Form]:
    size = draw.choice((2, 2, 3))
    cells = draw.sample(range(-20, 40), size * size)
    rows = tuple(tuple(cells[i * size : i * size + size]) for i in range(size))

    def write(rows: Sequence[Sequence[object]], kind: str = "pmatrix") -> str:
        body = r" \\ ".join(" & ".join(map(str, row)) for row in rows)
        return rf"\begin{{{kind}}} {body} \end{{{kind}}}"

    yield write(rows), rows
    yield from ((write(rows, "bmatrix"), rows), (write(rows).replace(" ", ""), rows))
    yield write([[rf"\frac{{{2 * n}}}{{2}}" for n in row] for row in rows]), rows
    transposed = tuple(zip(*rows, strict=True))
    changed = (*rows[:-1], (*rows[-1][:-1], rows[-1][-1] + 1))
    negated = ((-rows[0][0] - 99, *rows[0][1:]), *rows[1:])
    yield from ((write(other), other) for other in (transposed, rows[::-1], changed, negated, rows[1:]))
    yield write(rows, "vmatrix"), "a determinant"


@family
def vector(draw: random.Random) -> Iterator[Form]:
    items = several(draw, 2, 4)

    def write(items: Sequence[int], kind: str = "pmatrix") -> str:
        body = r" \\ ".join(map(str, items))
        return rf"\begin{{{kind}}} {body} \end{{{kind}}}"

    yield write(items), items
    yield write(items, "bmatrix"), items
    yield write(items).replace(" ", ""), items
    yield from ((write(other), other) for other in (items[::-1], *changes(draw, items)))


@family
def ratio(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample(range(2, 90), 2)
    yield f"{a}:{b}", (a, b)
    yield from ((f"{a} : {b}", (a, b)), (rf"{a} \colon {b}", (a, b)), (rf"{a}\!:\!{b}", (a, b)))
    for p, q in ((b, a), (a + 100, b), (a, b + 100), (a, a + b), (100 * a, b)):
        yield f"{p}:{q}", Fraction(p, q)


@family
def triple_ratio(draw: random.Random) -> Iterator[Form]:
    a, b, c = draw.sample(range(2, 40), 3)
    yield f"{a}:{b}:{c}", (a, b, c)
    yield from ((f"{a} : {b} : {c}", (a, b, c)), (rf"{a}\colon{b}\colon{c}", (a, b, c)))
    for other in ((c, b, a), (b, a, c), (a, b, c + 40), (a, c, b), (a, b)):
        yield ":".join(map(str, other)), other


@family
def congruence(draw: random.Random) -> Iterator[Form]:
    m = draw.randint(5, 60)
    r = draw.randint(1, m - 1)
    yield rf"x \equiv {r} \pmod{{{m}}}", (r, m)
    yield from ((rf"x\equiv {r} \pmod {{{m}}}", (r, m)), (rf"x \equiv {r} \ (\text{{mod }} {m})", (r, m)))
    for s, k in ((r + 1, m), (r, m + 1), (r, 2 * m), (m - r, m) if 2 * r != m else (r - 1, m)):
        yield rf"x \equiv {s} \pmod{{{k}}}", (s, k)


@family
def general_solution(draw: random.Random) -> Iterator[Form]:
    a, b = Fraction(draw.randint(1, 11), 12), draw.randint(1, 6)
    pi = rf"\frac{{{a.numerator}\pi}}{{{a.denominator}}}"
    turn = times(b, r"k\pi")
    yield rf"{pi} + {turn}", (a, b)
    yield from ((rf"{turn} + {pi}", (a, b)), (rf"{frac(a)}\pi + k\cdot {times(b, chr(92) + 'pi')}", (a, b)))
    yield from ((rf"{pi} - {b + 6}k\pi", "step"), (rf"{pi} + {times(b + 1, chr(92) + 'pi')} k", "step"))
    yield from ((pi, "one solution"), (rf"{pi} + {b}k", "no pi"), (rf"{turn}", "no start"))
