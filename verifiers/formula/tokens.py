"""The tokens cleaned text is cut into, by one regular expression whose every step consumes text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from gradus.verifiers.formula.syntax import (
    MAX_CHARS,
    MAX_DIGITS,
    MAX_EXPONENT_DIGITS,
    MAX_TOKENS,
    LimitError,
    ParseError,
)
from gradus.verifiers.formula.words import NUMBER_WORDS


@dataclass(frozen=True, slots=True)
class Token:
    """kind: number, symbol, function, command, series, operator, relation, text, currency, begin, end, or a bracket."""

    kind: str
    text: str
    word: str = field(default="", compare=False)
    """Of a separator: "and" or "or", or the sign \\land, \\lor."""


COMMA = Token("operator", ",")
FUNCTIONS = {
    *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "arccot", "arcsec", "arccsc"),
    *("sinh", "cosh", "tanh", "coth", "arcsinh", "arccosh", "arctanh", "ln", "log", "lg", "exp", "sqrt"),
    *("max", "min", "gcd", "lcm", "abs", "floor", "ceil", "asin", "acos", "atan", "cbrt"),
}
COMMANDS = {r"\frac", r"\binom", r"\sqrt", r"\overline", r"\bar", r"\hat", r"\tilde"}
SERIES = {r"\sum": "sum", r"\prod": "prod", r"\int": "int"}
RELATIONS = (
    {"=": "=", "<": "<", ">": ">", r"\lt": "<", r"\gt": ">", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<="}
    | {"<=": "<=", ">=": ">=", "==": "=", r"\ge": ">=", r"\geq": ">=", r"\geqslant": ">=", r"\ne": "!=", r"\neq": "!="}
    | {r"\in": "in", r"\approx": "≈", r"\equiv": "≡", r"\sim": "~", r"\simeq": "≈", r"\cong": "≡", r"\subset": "⊂"}
    | {r"\subseteq": "⊆", r"\notin": "notin", r"\to": "→", r"\rightarrow": "→", r"\mapsto": "→", r"\parallel": "∥"}
    | {
        r"\perp": "⊥",
        r"\mod": "mod",
        r"\doteq": "=",
        r"\iff": "⇔",
        r"\Leftrightarrow": "⇔",
        r"\implies": "⇒",
        r"\Rightarrow": "⇒",
    }
)
OPERATORS = (
    {r"\cdot": "*", r"\times": "*", "*": "*", r"\div": "/", "/": "/", r"\cup": "∪", r"\pm": "±", r"\mp": "∓"}
    | {c: c for c in "+-^_!,|%:'"}
    | {r"\%": "%", r"\mid": "|", "**": "^", ";": ",", r"\colon": ":", r"\degree": "°", r"\prime": "'", r"\ast": "*"}
    | {
        r"\cap": "∩",
        r"\setminus": "∖",
        r"\backslash": "∖",
        r"\bullet": "*",
        r"\land": ",",
        r"\lor": ",",
        r"\wedge": ",",
    }
    | {r"\vee": ","}
)
BRACKETS = (
    {c: c for c in "()[]{}"}
    | {r"\{": r"\{", r"\}": r"\}", r"\lbrace": r"\{", r"\rbrace": r"\}", r"\lbrack": "[", r"\rbrack": "]"}
    | {r"\lfloor": r"\lfloor", r"\rfloor": r"\rfloor", r"\lceil": r"\lceil", r"\rceil": r"\rceil"}
    | {r"\langle": "(", r"\rangle": ")"}
)
CURRENCY = {r"\$": "dollar", "£": "pound", "€": "euro", "¥": "yen", "₹": "rupee", r"\pounds": "pound", r"\euro": "euro"}
# A lone letter in \text{} is a variable unless it is one of these after a number.
LETTER_UNITS = set("mgshLNJWVA")
_SHORT_UNITS = (
    "cm mm km kg mg ml mL ft hr hrs mph kmh oz lb lbs units deg dm nm kJ Hz kW MW mW in am pm sq yd mi min sec USD"
)
# Two letters are a product unless they are one of these.
_SHORT = "so it is of in to we he if as at by an no on up us am my me do go be or"
SHORT_WORDS = set(_SHORT_UNITS.lower().split()) | set(_SHORT.split())
# Longer words of variables, in any order: abc, zyx.
PRODUCTS = {"abc", "xyz", "abcd", "wxyz", "pqr", "txy", "abx", "aby", "axy", "bxy", "kxy", "mnp", "rst", "uvw"}
_OPENERS, _CLOSERS = {"(", "[", r"\{"}, {")", "]", r"\}"}

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<text>\\(?:text|mathrm|textbf|textit|mbox|operatorname|mathbf|mathit|mathsf|rm|textrm|mathcal|hbox|emph)
          \s*\{(?P<inner>[^{}]*)\})
    | (?P<environment>\\(?:begin|end)\s*\{(?P<name>[a-z]*matrix|array|[dr]?cases|aligned|align\*?|split)\}
          (?:\{[lcr|\ ]*\})?)
    | (?P<repeating>\d*\.\d*(?:\\overline|\\dot|\\bar)\s*\{?(?P<period>\d+)\}?)
    | (?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,9}(?![\d.a-zA-Z]))?|\.\d+)
    | (?P<row>\\\\)
    | (?P<command>\\[a-zA-Z]+|\\.)
    | (?P<word>[a-zA-Z]+(?:-[a-zA-Z]{2,})?)
    | (?P<operator>\*\*|<=|>=|==|.)
    )""",
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str, *, thousands: bool) -> list[Token]:
    """Cut cleaned text into tokens. thousands: read 1,234 outside brackets as one number."""
    if len(text) > MAX_CHARS:
        raise LimitError(f"longer than {MAX_CHARS} characters")
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
        new = [_number(number)] if number else list(_tokens(match, tokens))
        depth += sum((t.kind in _OPENERS) - (t.kind in _CLOSERS) for t in new)
        tokens += new
        if len(tokens) > MAX_TOKENS:
            raise LimitError(f"more than {MAX_TOKENS} tokens")
    return tokens


def _number(text: str) -> Token:
    text = text.replace(",", "")
    mantissa, _, exponent = text.lower().partition("e")
    if len(mantissa) > MAX_DIGITS or len(exponent.lstrip("+-")) > MAX_EXPONENT_DIGITS:
        raise LimitError(f"a number of more than {MAX_DIGITS} digits")
    return Token("number", text)


def _tokens(match: re.Match[str], before: list[Token]) -> Iterator[Token]:
    if match["text"] is not None:
        yield from _phrase(match["inner"].strip(), before)
    elif match["environment"]:
        yield Token("begin" if match["environment"].startswith(r"\b") else "end", match["name"])
    elif match["repeating"]:
        if len(match["repeating"]) > MAX_DIGITS:
            raise LimitError(f"a number of more than {MAX_DIGITS} digits")
        yield Token("repeating", match["repeating"].partition("\\")[0] + "|" + match["period"])
    elif match["row"]:
        yield Token("row", "\\\\")
    elif word := match["word"]:
        yield from [Token("symbol", word)] if _in_subscript(before) else _words(word)
    else:
        yield _sign(match["command"] or match["operator"])


def _in_subscript(before: list[Token]) -> bool:
    last = [token.text for token in before[-2:]]
    return last[-1:] == ["_"] or last == ["_", "{"]


def _phrase(inner: str, before: list[Token]) -> Iterator[Token]:
    """Read what stands in \\text{…}: words, a number, or a letter; a letter after a number may be a unit."""
    if len(inner) == 1 and inner.isalpha():
        after_number = bool(before) and before[-1].kind in {"number", ")", "}"}
        yield Token("text" if inner in LETTER_UNITS and after_number else "symbol", inner)
    elif inner.isdigit() or inner.replace(".", "", 1).isdigit():
        yield _number(inner)
    elif inner in {",", ";"}:
        yield COMMA
    elif inner.isalpha():
        yield from _words(inner)
    elif inner:
        yield from _prose(inner)


def _prose(inner: str) -> Iterator[Token]:
    """Read words, keeping "and", "or" and commas as separators where they stand at an end."""
    stripped = inner.strip(" ,;")
    lower = stripped.lower()
    if inner[0] in ",;":
        yield COMMA
    for joint in ("and ", "or "):
        if lower.startswith(joint):
            yield Token("operator", ",", joint.strip())
            stripped = stripped[len(joint) :].strip()
            break
    tail = next((joint for joint in (" and", " or") if stripped.lower().endswith(joint)), "")
    middle = stripped[: len(stripped) - len(tail)] if tail else stripped
    if middle.lower() in {"and", "or"}:
        middle, tail = "", " " + middle.lower()
    if middle:
        yield Token("text", middle)
    if tail or (inner[-1] in ",;" and len(inner) > 1):
        yield Token("operator", ",", tail.strip())


def _words(word: str) -> Iterator[Token]:
    lower = word.lower()
    if lower in {"or", "and"}:
        yield Token("operator", ",", lower)
    elif word.startswith("or") and len(word) == 3 and word[2].isupper():
        yield COMMA
        yield Token("symbol", word[2])
    elif lower in {"pi", "infty", "theta", "alpha", "beta", "phi", "lambda"}:
        yield Token("symbol", lower)
    elif lower in FUNCTIONS or word in FUNCTIONS:
        yield Token("function", lower)
    elif word in {"cup", "U"}:
        yield Token("operator", "∪") if word == "cup" else Token("symbol", "U")
    elif set(lower.split("-")) <= NUMBER_WORDS:
        yield Token("text", lower)
    elif (
        len(word) == 1
        or "".join(sorted(word)) in PRODUCTS
        or (len(word) == 2 and word.isalpha() and lower not in SHORT_WORDS)
    ):
        yield from (Token("symbol", letter) for letter in word)
    elif word:
        yield Token("text", word)


def _sign(sign: str) -> Token:
    if sign in RELATIONS:
        return Token("relation", RELATIONS[sign])
    if sign in OPERATORS:
        return Token("operator", OPERATORS[sign], sign if OPERATORS[sign] == "," else "")
    if sign in BRACKETS:
        return Token(BRACKETS[sign], sign)
    if sign == "&":
        return Token("cell", sign)
    if sign in COMMANDS:
        return Token("command", sign)
    if sign in SERIES:
        return Token("series", SERIES[sign])
    if sign in CURRENCY:
        return Token("currency", CURRENCY[sign])
    if sign[:1] == "\\" and sign[1:] in FUNCTIONS:
        return Token("function", sign[1:])
    if sign[:1] == "\\" and sign[1:].isalpha():
        return Token("symbol", sign[1:])
    raise ParseError(f"cannot read {sign!r}")
