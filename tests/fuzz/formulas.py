"""Random answers in LaTeX and plain notation, and what a slip of the pen makes of them.

Everything draws from a random.Random. Hypothesis (st.randoms) and atheris (ByteSource) each bring their own,
so that both can steer, and the former can shrink, what is drawn.
"""

from __future__ import annotations

import random

NAMES = ("x", "y", "n", "a", "t", r"\theta", "x_1", "z_{12}")
CONSTANTS = (r"\pi", "e", "i", r"\sqrt{2}", r"\sqrt[3]{5}", r"\log_2 3", r"30^\circ", r"\frac12", "10^{20}")
FUNCTIONS = (r"\sin", r"\cos", r"\tan", r"\ln", r"\exp", r"\arctan", r"\operatorname{lcm}", r"\log", r"\cosh", r"\max")
WRAPPERS = (
    r"\boxed{%s}",
    "$%s$",
    r"\[%s\]",
    r"\left(%s\right)",
    "the answer is %s.",
    r"\text{so } %s",
    "%s%%",
    "%s cm",
)
SEPARATORS = (
    ", ",
    ",",
    ";",
    r"\cup",
    r" \text{ or } ",
    " and ",
    "=",
    "<",
    r"\le",
    r"\in",
    ":",
    r"\pm",
    "&",
    r"\\",
    r"\mid ",
)
TOKENS = (
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        r"\{",
        r"\}",
        "|",
        "^",
        "_",
        "!",
        "%",
        "$",
        "&",
        "\\",
        ",",
        ".",
        "-",
        "+",
        "/",
        "*",
    ),
    *(
        r"\frac",
        r"\sqrt",
        r"\left",
        r"\right",
        r"\text{",
        r"\begin{pmatrix}",
        r"\end{pmatrix}",
        r"\overline{3}",
        "\\\\",
    ),
    *(
        r"\boxed{",
        r"\infty",
        r"\pm",
        r"\sum_{k=1}^{n}",
        r"\int_0^1",
        r"\pmod{7}",
        r"\binom{n}{k}",
        "_{10}",
        "°",
        "½",
        "²",
    ),
    *("9" * 30, "1e999", "1,234", "0.", "\u00a0", "\u2212", "\x00", "π", "∞", "\U0001d7d9", "mod", "or", "dx", " 1/2"),
)


def number(draw: random.Random) -> str:
    """Return an integer, now and then a large one."""
    return str(draw.randint(0, draw.choice((9, 99, 10**6, 10**25))))


def expression(draw: random.Random, depth: int = 4) -> str:
    """Return a well-formed expression with a value: no decimals, percent or infinity."""
    kind = draw.randrange(14) if depth else draw.randrange(3)
    if kind == 0:
        return number(draw)
    if kind == 1:
        return draw.choice(NAMES)
    if kind == 2:
        return draw.choice(CONSTANTS)
    a, b = expression(draw, depth - 1), expression(draw, depth - 1)
    small = str(draw.randint(0, 12))
    return (
        f"{a}+{b}",
        f"{a}-({b})",
        rf"({a}) \cdot ({b})",
        f"({a})({b})",
        rf"\frac{{{a}}}{{{b}}}",
        f"({a})/({b})",
        f"({a})^{{{small}}}",
        f"({a})^{{{b}}}",
        rf"\sqrt{{{a}}}",
        rf"{draw.choice(FUNCTIONS)}({a})",
        draw.choice(
            (f"{small}!", rf"\binom{{{small}}}{{2}}", f"-({a})", rf"\left|{a}\right|", rf"\lfloor {a} \rfloor")
        ),
    )[kind - 3]


def answer(draw: random.Random) -> str:
    """Return one or several expressions, put together as answers are, right or wrong."""
    parts = [expression(draw, 2) for _ in range(draw.randint(1, 4))]
    text = draw.choice(SEPARATORS).join(parts)
    opener, closer = draw.choice(("", "(", "[", r"\{", r"\left(")), draw.choice(("", ")", "]", r"\}", r"\right)"))
    text = f"{opener}{text}{closer}"
    return draw.choice(WRAPPERS) % text if draw.randrange(3) == 0 else text


def mutated(draw: random.Random, text: str) -> str:
    """Return text with up to four spans dropped, doubled, moved or replaced by a token."""
    for _ in range(draw.randint(0, 4)):
        start = draw.randint(0, len(text))
        end = draw.randint(start, min(len(text), start + 12))
        span = draw.choice(("", text[start:end] * draw.choice((2, 30)), draw.choice(TOKENS), text[start:end][::-1]))
        text = text[:start] + span + text[end:]
    return text


class ByteSource(random.Random):
    """Draws from given bytes, in order; zeros when they are used up."""

    def __init__(self, data: bytes) -> None:
        self.data, self.position = data, 0
        super().__init__(0)

    def getrandbits(self, k: int) -> int:
        size = (k + 7) // 8
        part = self.data[self.position : self.position + size].ljust(size, b"\0")
        self.position += size
        return int.from_bytes(part, "big") >> (8 * size - k)

    def random(self) -> float:
        return self.getrandbits(53) / (1 << 53)
