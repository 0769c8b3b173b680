"""The tree a mathematical answer is read into, and the tokens it is read from.

Text is cut into tokens and then parsed by hand (parse.py): nothing a model wrote is ever evaluated as
Python or given to sympy's parser. Whatever is too long, too deep or too large is refused here or in
parse.py, before any arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

MAX_CHARS = 4000
MAX_TOKENS = 1000
MAX_DIGITS = 400


class ParseError(ValueError):
    """The text is not mathematics this grammar knows, or breaks a limit."""


@dataclass(frozen=True, slots=True)
class Node:
    """One tree node. value is a number's Fraction, a symbol's or relation's name, a bracket pair, a unit."""

    head: str
    args: tuple[Node, ...] = ()
    value: Fraction | str | None = None

    def walk(self) -> Iterator[Node]:
        yield self
        for arg in self.args:
            yield from arg.walk()


@dataclass(frozen=True, slots=True)
class Token:
    """kind: number, symbol, function, command, operator, relation, text, or the bracket itself."""

    kind: str
    text: str


def is_decimal(node: Node) -> bool:
    """Whether a rounded number (one written with a decimal point) occurs in it."""
    return any(part.head == "decimal" for part in node.walk())


FUNCTIONS = {
    *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
    *("ln", "log", "lg", "exp", "sqrt", "max", "min", "gcd", "lcm"),
}
RELATIONS = (
    {"=": "=", "<": "<", ">": ">", r"\lt": "<", r"\gt": ">", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<="}
    | {"<=": "<=", ">=": ">=", "==": "=", r"\ge": ">=", r"\geq": ">=", r"\geqslant": ">=", r"\ne": "!=", r"\neq": "!="}
    | {r"\in": "in", r"\approx": "=", r"\equiv": "≡", r"\sim": "~"}
)
OPERATORS = (
    {r"\cdot": "*", r"\times": "*", "*": "*", r"\div": "/", "/": "/", r"\cup": "∪", r"\pm": "±", r"\mp": "∓"}
    | {c: c for c in "+-^_!,|%"}
    | {r"\%": "%", r"\mid": "|", r"\lvert": "|", r"\rvert": "|", r"\vert": "|", "**": "^", ";": ","}
)
BRACKETS = (
    {c: c for c in "()[]{}"}
    | {r"\{": r"\{", r"\}": r"\}", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]"}
    | {r"\lfloor": r"\lfloor", r"\rfloor": r"\rfloor", r"\lceil": r"\lceil", r"\rceil": r"\rceil"}
    | {r"\langle": "(", r"\rangle": ")"}
)
UNITS = {"cm", "mm", "km", "kg", "mg", "ml", "ft", "hr", "hrs", "mph", "kmh", "oz", "lb", "lbs", "units", "deg"}
# Two letters are a product unless they are one of these.
_SHORT = "so it is of in to we he if as at by an no on up us am my me do go be"
SHORT_WORDS = UNITS.union(_SHORT.split())
_WORDS_TO_TWELVE = "zero one two three four five six seven eight nine ten eleven twelve"
NUMBER_WORDS = {word: number for number, word in enumerate(_WORDS_TO_TWELVE.split())}

_REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (r"\\(?:left|right|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr|displaystyle|limits|quad|qquad)(?![a-zA-Z])\.?", " "),
        (r"\\\$", ""),
        (r"(?<=\d)(?:\{,\}|,?\\[,!]|,\\ )(?=\d{3}(?!\d))", ""),
        (r"(?<!\\)\\[,;:!> ]|~|\\\\$|\\\(|\\\)|\\\[|\\\]|\$", " "),
        (r"\^\s*\{\s*\\(?:text|mathrm)\s*\{(?:st|nd|rd|th)\}\s*\}", ""),
        (r"(?<=\d)\s*\^?\s*\\(?:text|mathrm)\s*\{(?:st|nd|rd|th)\}", ""),
        (r"\\[dtc]frac", r"\\frac"),
        (r"\\mathbb\s*\{?\s*([A-Z])\s*\}?", r" \\set\1 "),
        (r"\^\s*(?:\\circ|\{\s*\\circ\s*\})|°|\\degree|\\circ", r"\\text{degree}"),
        (r"\\(?:infin|infty)|∞|\binfinity\b", r" \\infty "),
        (r"\\(?:emptyset|varnothing)|∅", r" \\emptyset "),
        (r"\\(?:lvert|rvert|vert)(?![a-z])", "|"),
    ]
]
_GLYPHS = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "·": "*", "⋅": "*", "÷": "/", "≤": "<=", "≥": ">=", "≈": "=", "≠": r"\ne "}
    | {"√": r"\sqrt ", "∪": r"\cup ", "∈": r"\in ", "±": r"\pm ", "π": r"\pi ", "θ": r"\theta "}
    | {"²": "^2", "³": "^3", "½": "(1/2)", "¼": "(1/4)", "¾": "(3/4)", "⌊": r"\lfloor ", "⌋": r"\rfloor "}
    | {"£": "", "€": "", "\u00a0": " "}
)
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>\\(?:text|mathrm|textbf|textit|mbox|operatorname|mathbf|mathit|rm|textrm)\s*\{(?P<inner>[^{}]*)\})
    | (?P<environment>\\(?:begin|end)\s*\{(?P<name>[a-z]*matrix|array|cases)\}(?:\{[lcr|]*\})?)
    | (?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3}(?![\d.]))?|\.\d+)
    | (?P<row>\\\\)
    | (?P<command>\\[a-zA-Z]+|\\.)
    | (?P<word>[a-zA-Z]+(?:-[a-zA-Z]{2,})?)
    | (?P<operator>\*\*|<=|>=|==|.)
    )""",
    re.VERBOSE | re.DOTALL,
)


def clean(text: str) -> str:
    """Drop LaTeX spacing, sizing and currency, and write glyphs as commands."""
    text = text.translate(_GLYPHS)
    for pattern, replacement in _REWRITES:
        text = pattern.sub(replacement, text)
    return text.strip().rstrip(".,;:").strip()


def tokenize(text: str, *, thousands: bool) -> list[Token]:
    """Cut cleaned text into tokens. thousands: read 1,234 outside brackets as one number."""
    if len(text) > MAX_CHARS:
        raise ParseError(f"longer than {MAX_CHARS} characters")
    tokens: list[Token] = []
    position = depth = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ParseError(f"cannot read {text[position : position + 20]!r}")
        position = match.end()
        number = match["number"]
        if number and "," in number and (depth or not thousands):
            number = number.partition(",")[0]
            position = match.start("number") + len(number)
        new = [Token("number", number.replace(",", ""))] if number else list(_tokens(match))
        depth += sum((t.kind in {"(", "[", r"\{"}) - (t.kind in {")", "]", r"\}"}) for t in new)
        tokens += new
    if len(tokens) > MAX_TOKENS or any(t.kind == "number" and len(t.text) > MAX_DIGITS for t in tokens):
        raise ParseError(f"more than {MAX_TOKENS} tokens, or a number of more than {MAX_DIGITS} digits")
    return tokens


def _tokens(match: re.Match[str]) -> Iterator[Token]:
    if match["text"] is not None:
        yield from _words(match["inner"].strip())
    elif match["environment"]:
        yield Token("begin" if match["environment"].startswith(r"\b") else "end", match["name"])
    elif match["row"]:
        yield Token("row", "\\\\")
    elif word := match["word"]:
        yield from _words(word)
    else:
        yield _sign(match["command"] or match["operator"])


def _words(word: str) -> Iterator[Token]:
    lower = word.lower()
    if lower in {"or", "and"}:
        yield Token("operator", ",")
    elif lower in {"pi", "infty"}:
        yield Token("symbol", lower)
    elif lower in FUNCTIONS:
        yield Token("function", lower)
    elif lower in NUMBER_WORDS:
        yield Token("number", str(NUMBER_WORDS[lower]))
    elif len(word) == 1 or (len(word) == 2 and word.isalpha() and lower not in SHORT_WORDS):
        yield from (Token("symbol", letter) for letter in word)
    elif word:
        yield Token("text", word)


def _sign(sign: str) -> Token:
    if sign in RELATIONS:
        return Token("relation", RELATIONS[sign])
    if sign in OPERATORS:
        return Token("operator", OPERATORS[sign])
    if sign in BRACKETS:
        return Token(BRACKETS[sign], sign)
    if sign == "&":
        return Token("cell", sign)
    if sign in {r"\frac", r"\binom", r"\sqrt"}:
        return Token("command", sign)
    if sign[:1] == "\\" and sign[1:] in FUNCTIONS:
        return Token("function", sign[1:])
    if sign[:1] == "\\" and sign[1:].isalpha():
        return Token("symbol", sign[1:])
    raise ParseError(f"cannot read {sign!r}")
