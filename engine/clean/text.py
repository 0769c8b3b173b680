"""Text as the cleaning steps compare it: a list of words, numbers and operators.

Case, spacing, punctuation, brackets, LaTeX markup, Markdown emphasis and the spelling of a number (`80,000`, `2.50`,
`twenty-five`, `½`) make no difference; a digit, a sign, `+ - * / ^ = < >` and `percent` do. Not covered: number words
of other languages than English, roman numerals, and brackets that change a formula's value (the answer tells those
apart: see `guard.py`).
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

SMALL = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9}
NUMBER_WORDS: dict[str, tuple[str, int]] = (
    {"zero": ("zero", 0), "hundred": ("hundred", 100)}
    | {word: ("small", value) for value, word in enumerate(SMALL, 1)}
    | {word: ("teen", value) for value, word in enumerate(TEENS, 10)}
    | {word: ("ten", 10 * value) for value, word in enumerate(TENS, 2)}
    | {word: ("scale", value) for word, value in SCALES.items()}
)
"""Each with its kind and value."""
MAY_FOLLOW = {
    "zero": ("",),
    "small": ("", "ten", "hundred", "scale"),
    "teen": ("", "hundred", "scale"),
    "ten": ("", "hundred", "scale"),
    "hundred": ("", "small", "teen", "scale"),
    "scale": ("", "small", "teen", "ten", "hundred"),
}
"""By kind: the kinds that may come before it in one number; "" is the start."""
MULTIPLES = ("hundred", *SCALES)

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
SIGNS = {
    "−": "-",
    "–": "-",
    "—": " ",
    "×": "*",
    "·": "*",
    "⋅": "*",
    "∗": "*",
    "÷": "/",
    "∕": "/",
    "⁄": "/",
    "’": "'",
} | {"‘": "'", "≤": "<=", "≥": ">=", "≠": "!=", "√": " sqrt ", "π": " pi "}
SIGN = re.compile("[" + "".join(SIGNS) + "]")
LATEX_SIGNS = (
    {"times": "*", "cdot": "*", "ast": "*", "div": "/", "le": "<=", "leq": "<=", "ge": ">=", "geq": ">=", "neq": "!="}
    | {"ne": "!=", "ldots": " ", "dots": " ", "left": " ", "right": " ", "quad": " ", "qquad": " "}
    | dict.fromkeys(("text", "textbf", "textit", "emph", "mathrm", "mathbf", "mbox", "operatorname", "boxed"), " ")
    | dict.fromkeys(("displaystyle", "item", "begin", "end", "dfrac", "tfrac", "frac"), " ")
)
RAISED = re.compile(r"[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
COMMAND = re.compile(r"\\([a-zA-Z]+)")
DOUBLE_STAR = re.compile(r"(?<=[\w)])\*\*(?=[\w(])")
POSSESSIVE = re.compile(r"'s\b")
THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
# A stroke between words is punctuation; before a number, a bracket or a variable it is an operator.
TOKEN = r"{letter}+|\d+(?:\.\d+)?|\.\d+|[<>!]=|[+^=<>]|[-*/](?=\s*(?:[\d(.]|{letter}(?!{letter})))"
ASCII_TOKEN = re.compile(TOKEN.format(letter="[a-z]"))
ANY_TOKEN = re.compile(TOKEN.format(letter=r"[^\W\d_]"))


class _Spellings(dict[str, str]):
    """Every token's one spelling, remembered."""

    def __missing__(self, token: str) -> str:
        if len(self) > 1_000_000:
            self.clear()
        self[token] = spelling = _number(token) if token[-1].isdecimal() else token
        return spelling


_spelling = _Spellings()


def tokens(text: str) -> list[str]:
    """Return the words, numbers and operators of text, in order."""
    if not text.isascii():
        text = _without_unicode(text)
    if "\\" in text or "{,}" in text:
        text = _without_latex(text)
    text = THOUSANDS.sub("", text.casefold().replace("%", " percent ").replace("&", " and "))
    if "'" in text:
        text = POSSESSIVE.sub("", text).replace("'", "")
    if "**" in text:
        text = DOUBLE_STAR.sub("^", text).replace("**", "")
    pattern = ASCII_TOKEN if text.isascii() else ANY_TOKEN
    return _spelled(list(map(_spelling.__getitem__, pattern.findall(text))))


def is_number(token: str) -> bool:
    """Tell a number from a word or an operator."""
    return "0" <= token[0] <= "9"


def _without_unicode(text: str) -> str:
    text = RAISED.sub(lambda m: "^" + m[0].translate(SUPERSCRIPTS), text)
    text = SIGN.sub(lambda m: SIGNS[m[0]], text)
    if not unicodedata.is_normalized("NFKC", text):
        text = SIGN.sub(lambda m: SIGNS[m[0]], unicodedata.normalize("NFKC", text))
    return text


def _without_latex(text: str) -> str:
    text = text.replace("{,}", "").replace("\\%", "%").replace("\\$", "$").replace("\\,", " ").replace("\\!", "")
    while (plain := FRACTION.sub(r"\1/\2", text)) != text:
        text = plain
    return COMMAND.sub(lambda m: LATEX_SIGNS.get(m[1], f" {m[1]} "), text)


def _number(token: str) -> str:
    """Return the one spelling of a number in digits: ASCII, without idle zeros."""
    if not token.isascii():
        token = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in token)
    whole, point, decimals = token.partition(".")
    decimals = decimals.rstrip("0")
    return (whole.lstrip("0") or "0") + (point + decimals if decimals else "")


def _spelled(found: list[str]) -> list[str]:
    """Return tokens with the numbers that are written in words written in digits."""
    if NUMBER_WORDS.keys().isdisjoint(found):
        return found
    out: list[str] = []
    end = 0
    for position in [i for i, token in enumerate(found) if token in NUMBER_WORDS]:
        if position < end:
            continue
        out += found[end:position]
        if found[position] in MULTIPLES and out and is_number(out[-1]):
            value, end = Decimal(out.pop()) * NUMBER_WORDS[found[position]][1], position + 1  # 2.5 million
            out.append(_number(f"{value:f}"))
        else:
            number, end = _read_number(found, position)
            out.append(str(number))
    return out + found[end:]


def _read_number(found: list[str], position: int) -> tuple[int, int]:
    """Read the number words that start at position; return their value and where they end."""
    total, group, last = 0, 0, ""
    while position < len(found):
        kind, value = NUMBER_WORDS.get(found[position], ("", 0))
        if found[position] == "and" and last == "hundred" and found[position + 1 : position + 2] != []:
            kind, value = NUMBER_WORDS.get(found[position + 1], ("", 0))
            position += kind in ("small", "teen", "ten")
        if last not in MAY_FOLLOW.get(kind, ()):
            break
        if kind == "hundred":
            group = (group or 1) * 100
        elif kind == "scale":
            total, group = total + (group or 1) * value, 0
        else:
            group += value
        last = kind
        position += 1
    return total + group, position
