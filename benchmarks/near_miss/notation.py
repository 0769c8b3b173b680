"""Near-misses that misread the notation: what a sign applies to, which function or letter it is, which set."""

from __future__ import annotations

import random
from collections.abc import Iterator

from near_miss.forms import Form, decimal, family, joined, nonzero, times

# What is written first never equals, as a function, any of those after it. {k} is an integer of at least 2.
SCOPES = (
    (r"\frac{{1}}{{{k}}}x", r"\frac{{1}}{{{k}x}}", r"\frac{{x+1}}{{{k}}}", r"\frac{{{k}}}{{x}}"),
    (r"\sqrt{{{k}}}x", r"\sqrt{{{k}x}}", r"\sqrt{{{k}}}+x", r"x^{{{k}}}"),
    (r"\sin x + {k}", r"\sin(x+{k})", r"{k}\sin x", r"\sin {k} + x"),
    ("{k}^{{x}}+1", "{k}^{{x+1}}", "({k}+1)^x", "x^{{{k}}}+1"),
    ("-x^{{{k}}}-{k}", "(-x)^{{{k}}}+{k}", "-x^{{{k}}}+{k}", "-(x-{k})^{{{k}}}"),
    (r"a+\frac{{b}}{{{k}}}", r"\frac{{a+b}}{{{k}}}", r"\frac{{a}}{{{k}}}+b", r"\frac{{ab}}{{{k}}}"),
    ("ab^{{{k}}}", "(ab)^{{{k}}}", "a^{{{k}}}b", "a+b^{{{k}}}", "{k}ab"),
    ("e^{{{k}x}}y", "e^{{{k}xy}}", "{k}e^{{x}}y", "e^{{{k}x}}+y"),
    ("|x|+{k}", "|x+{k}|", "x+{k}", "|x|-{k}", "|{k}x|"),
    ("(x^{{{k}}})^{{{k}}}+1", "x^{{{k}+{k}}}+1", "(x^{{{k}}}+1)^{{{k}}}", "x^{{{k}}}+1"),
    (r"\sqrt{{x^2+{k}}}", r"\sqrt{{x^2}}+{k}", r"x+\sqrt{{{k}}}", r"\sqrt{{x+{k}}}"),
    (r"{k}(x+1)", "{k}x+1", "x+{k}", "{k}+x+1"),
)
FUNCTIONS = (
    (r"\sin({k}x)", r"\cos({k}x)", r"\sinh({k}x)", r"{k}\sin(x)", r"\arcsin({k}x)", r"\csc({k}x)", r"\sin(-{k}x)"),
    (r"\cos({k}x)", r"\sin({k}x)", r"\cosh({k}x)", r"{k}\cos(x)", r"\sec({k}x)", r"-\cos({k}x)", r"\cos({k}+x)"),
    (r"\tan({k}x)", r"\cot({k}x)", r"\tanh({k}x)", r"{k}\tan(x)", r"\arctan({k}x)", r"\sin({k}x)"),
    (r"\arctan({k}x)", r"\frac{{1}}{{\tan({k}x)}}", r"\arcsin({k}x)", r"\tan({k}x)", r"\cot({k}x)"),
    (r"\ln(x+{k})", r"\ln x + {k}", r"\ln x + \ln {k}", r"\log_2(x+{k})", r"\ln(x-{k})", "e^{{x+{k}}}"),
    (r"\lfloor x/{k} \rfloor", r"\lceil x/{k} \rceil", "x/{k}", r"\lfloor x \rfloor/{k}", r"\lfloor {k}x \rfloor"),
    (r"\gcd(x, {k})", r"\operatorname{{lcm}}(x, {k})", "{k}x", r"\gcd(x, {k}+1)", r"\max(x, {k})"),
    (r"\max(x, {k})", r"\min(x, {k})", r"\max(x, -{k})", "x", "{k}"),
    (r"\sqrt[3]{{x+{k}}}", r"\sqrt{{x+{k}}}", r"3\sqrt{{x+{k}}}", r"\sqrt[3]{{x-{k}}}", "(x+{k})^3"),
    (r"x!+{k}", r"x+{k}", r"(x+{k})!", r"x!-{k}", r"x!{k}"),
)
LETTERS = (
    *(("x_{1}", "x_{2}", "x", "x^{1}+1"), (r"\alpha", r"\beta", "a", r"2\alpha"), (r"\Delta", r"\delta", r"\nabla")),
    *((r"\vec{a}", r"\vec{b}", r"2\vec{a}", r"-\vec{a}"), ("x'", "x''", "y'"), ("AB", "AC", "CB"), ("R", "r", "2R")),
    *(
        (r"\theta", r"\phi", r"2\theta", "0"),
        (r"\lambda", r"\mu", "1"),
        ("p", "q", "1-p"),
        (r"\omega", "w", r"\omega^2"),
    ),
)
# Sets that hold every positive integer, each beside another one.
SETS = (
    *((r"\mathbb{R}", r"\mathbb{Q}"), (r"\mathbb{Z}", r"\mathbb{N}"), (r"\mathbb{C}", r"\mathbb{R}")),
    *((r"(-\infty, \infty)", r"(0, \infty)"), (r"\mathbb{Q}", r"\mathbb{Z}")),
)
OPERATIONS = (
    *((r"{0} \cup {1}", r"{0} \cap {1}"), (r"{0} \setminus {1}", r"{1} \setminus {0}"), (r"{0} \cap {1}", "{0}")),
    *(
        (r"{0} \cup {1}", "{1}"),
        (r"{0} \times {1}", r"{0} \cup {1}"),
        (r"{0} \land {1}", r"{0} \lor {1}"),
        (r"{0} \to {1}", r"{1} \to {0}"),
        (r"{0} \subset {1}", r"{1} \subset {0}"),
    ),
)


def spaced(text: str) -> str:
    """Write the same with brackets that LaTeX sizes and a space in front."""
    return r"\," + text.replace("(", r"\left(").replace(")", r"\right)")


@family
def scope(draw: random.Random) -> Iterator[Form]:
    k, (right, *wrong) = draw.randint(3, 60), draw.choice(SCOPES)
    yield right.format(k=k), "right"
    yield from ((f"({right.format(k=k)})", "right"), (spaced(right.format(k=k)), "right"))
    yield from ((other.format(k=k), "wrong") for other in wrong)
    yield right.format(k=k + 1), "wrong"


@family
def other_function(draw: random.Random) -> Iterator[Form]:
    k, (right, *wrong) = draw.randint(2, 40), draw.choice(FUNCTIONS)
    yield right.format(k=k), "right"
    yield from ((f"({right.format(k=k)})", "right"), (spaced(right.format(k=k)), "right"))
    yield from ((other.format(k=k), "wrong") for other in wrong)
    yield from (
        (right.format(k=k + 1), "wrong"),
        (right.format(k=k) + "+1", "wrong"),
        (f"-{right.format(k=k)}", "wrong"),
    )


@family
def letter(draw: random.Random) -> Iterator[Form]:
    (right, *wrong), k = draw.choice(LETTERS), draw.randint(2, 99)
    yield f"{k}{right}", "right"
    yield from ((rf"{k}\,{right}", "right"), (rf"{k} \cdot {right}", "right"))
    yield from (
        (f"{k}{other}" if other[0].isalpha() or other[0] == "\\" else f"{k}({other})", "wrong") for other in wrong
    )
    yield from ((f"{k + 1}{right}", "wrong"), (right, "wrong"), (str(k), "wrong"))


@family
def number_set(draw: random.Random) -> Iterator[Form]:
    (right, wrong), k = draw.sample(draw.choice(SETS), 2), draw.randint(1, 99)
    yield rf"{right} \setminus \{{{k}\}}", "right"
    yield from ((rf"{right}\setminus\{{ {k} \}}", "right"), (rf"{right} \setminus \left\{{{k}\right\}}", "right"))
    yield rf"{wrong} \setminus \{{{k}\}}", "wrong"
    yield from ((right, "wrong"), (rf"{right} \setminus \{{{k + 1}\}}", "wrong"), (rf"{right} \cup \{{{k}\}}", "wrong"))
    yield from ((rf"{right} \setminus \{{{-k}\}}", "wrong"), (rf"\{{{k}\}}", "wrong"), (str(k), "wrong"))


@family
def set_operation(draw: random.Random) -> Iterator[Form]:
    (right, wrong), (a, b, c) = draw.choice(OPERATIONS), draw.sample("ABCDEFSTUVW", 3)
    yield right.format(a, b), "right"
    yield from ((right.format(a, b).replace(" ", r"\, "), "right"), (rf"\left({right.format(a, b)}\right)", "right"))
    yield from ((wrong.format(a, b), "wrong"), (right.format(a, c), "wrong"), (right.format(c, b), "wrong"))


@family
def piecewise(draw: random.Random) -> Iterator[Form]:
    a, b = draw.sample(range(2, 90), 2)

    def write(first: str, second: str, sign: str = r"\ge", gap: str = " ") -> str:
        other = {r"\ge": "<", "<": r"\ge", ">": r"\le"}[sign]
        rows = rf"{first}{gap}&{gap}x {sign} 0 \\{gap}{second}{gap}&{gap}x {other} 0"
        return rf"\begin{{cases}}{gap}{rows}{gap}\end{{cases}}"

    yield write(f"{a}x", f"{b}x"), "right"
    yield write(f"{a}x", f"{b}x", gap=""), "right"
    yield write(f"{a}x", f"{b}x", gap="  "), "right"
    for first, second, sign in ((b, a, r"\ge"), (a + 1, b, r"\ge"), (a, b + 1, r"\ge"), (a, b, "<"), (-a, b, r"\ge")):
        yield write(f"{first}x", f"{second}x", sign), "wrong"
    yield from ((write(f"{a}x", f"{b}x+1", ">"), "wrong"), (f"{a}x", "wrong"), (f"{b}x", "wrong"))


@family
def summed(draw: random.Random) -> Iterator[Form]:
    a, k = draw.randint(1, 5), draw.randint(2, 9)
    sign = draw.choice((r"\sum", r"\prod"))
    yield rf"{sign}_{{k={a}}}^{{n}} (k^2+{k})", "right"
    yield from (
        (rf"{sign}_{{k={a}}}^n (k^2+{k})", "right"),
        (rf"{sign}_{{k = {a}}}^{{n}}\left(k^2 + {k}\right)", "right"),
    )
    yield rf"{sign}_{{k={a + 1}}}^{{n}} (k^2+{k})", "wrong"
    yield from ((rf"{sign}_{{k={a}}}^{{n-1}} (k^2+{k})", "wrong"), (rf"{sign}_{{k={a}}}^{{n}} (k^2+{k + 1})", "wrong"))
    yield from ((rf"{sign}_{{k={a}}}^{{n}} (k^2-{k})", "wrong"), (rf"{sign}_{{k={a}}}^{{2n}} (k^2+{k})", "wrong"))
    yield from ((rf"n^2+{k}", "wrong"), (rf"{sign}_{{k={a}}}^{{n}} (k^3+{k})", "wrong"))


@family
def sequence(draw: random.Random) -> Iterator[Form]:
    m, b = draw.randint(2, 30), nonzero(draw, -30, 30)

    def write(m: int, b: int, left: str = "a_n") -> str:
        return f"{left} = {joined(times(m, 'n'), str(b))}"

    yield write(m, b), "right"
    yield from ((write(m, b, "a_{n}"), "right"), (f"a_n={joined(str(b), times(m, 'n'))}", "right"))
    yield joined(f"{m}n", str(b)), "right"
    yield from ((write(p, q), "wrong") for p, q in ((m + 1, b), (m, -b), (m, b + m), (-m, b), (m + 40, b)))
    yield from ((write(m, b + 1), "wrong"), (f"a_n = {m}n", "wrong"), (f"a_n = {m}^n", "wrong"), (str(m + b), "wrong"))


@family
def residue_class(draw: random.Random) -> Iterator[Form]:
    m = draw.randint(4, 30)
    r = draw.randint(1, m - 2)
    yield f"n = {m}k + {r}", (m, r)
    yield from ((f"n={r}+{m}k", (m, r)), (rf"n = {m}k+{r}, k \in \mathbb{{Z}}", (m, r)), (f"{m}k+{r}", (m, r)))
    for p, q in ((m, r + 1), (m + 1, r), (m, r - 1), (2 * m, r)):
        yield from ((f"n = {p}k + {q}", (p, q)), (f"{p}k+{q}", (p, q)))
    yield from ((str(r), "one"), (f"{m}k", "no start"))


@family
def compound_measure(draw: random.Random) -> Iterator[Form]:
    small, big = draw.choice((("minutes", "hours"), ("inches", "feet"), ("seconds", "minutes"), ("grams", "kilograms")))
    a, b = draw.sample(range(2, 12), 2)
    yield rf"{a} \text{{ {big} }} {b} \text{{ {small}}}", (a, b)
    yield from ((f"{a} {big} {b} {small}", (a, b)), (rf"{a} \text{{ {big} and }} {b} \text{{ {small}}}", (a, b)))
    for p, q in ((b, a), (a + 1, b), (a, b + 1), (10 * a, b)):
        yield from ((rf"{p} \text{{ {big} }} {q} \text{{ {small}}}", (p, q)), (f"{p} {big} {q} {small}", (p, q)))
    yield from (
        (f"{a} {big}", "big"),
        (f"{b} {small}", "small"),
        (str(a + b), "sum"),
        (decimal(10 * a + b, 1), "point"),
    )
