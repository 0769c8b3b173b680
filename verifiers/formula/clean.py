"""From a model's notation to plain LaTeX: spacing, sizing, glyphs and double escapes are taken out.

Every pattern is linear in the text: none has two neighbouring repetitions of what may be the same characters.
"""

from __future__ import annotations

import re

_COMMANDS = (
    "frac|dfrac|tfrac|cfrac|sqrt|left|right|text|textbf|mathrm|mathbf|boxed|pi|cdot|times|leq?|geq?|neq?|infty|cup|cap|pm|"
    "begin|end|sin|cos|tan|log|ln|theta|alpha|beta|circ|quad|binom|pmatrix|langle|rangle|mathbb|displaystyle|in(?![a-z])"
)
_DOUBLED = re.compile(r"(?<!\\)\\\\(?=(?:" + _COMMANDS + r")(?![a-zA-Z]))")
_DOUBLED_BRACE = re.compile(r"(?<!\\)\\\\(?=[{}])")
_SIZING = (
    r"\\(?:left|right|middle|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr|biggl|biggr|displaystyle|textstyle|limits|nolimits|quad|qquad"
    r"|hspace\{[^{}]{0,9}\}|hfill|rm|bf|it|boldsymbol|vec|overrightarrow|overline(?=\s*\{\s*[A-Z]{2})|ldotp)(?![a-zA-Z])\.?"
)
_REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in [
        (_SIZING, " "),
        (r"(?<=\d)(?:\s?\{,\s?\}\s?|,?\\[,!]\s?|,\\ )(?=\d{3}(?!\d))", ""),
        (r"(?<!\\)\\[,;:!> ]|~|\\\\\s*$|\\\(|\\\)|(?<!\\)\\\[|(?<!\\)\\\]|(?<!\\)\$", " "),
        (r"(?<=\d)\s?\^?\s?\{?\s?\\(?:text|mathrm|textsuperscript)\s?\{\s?(?:st|nd|rd|th)\s?\}\s?\}?", ""),
        (r"\\[dtc]frac(?![a-z])", r"\\frac"),
        (r"\\[dt]binom(?![a-z])", r"\\binom"),
        (r"\\mathbb\s?\{?\s?([A-Z])\s?\}?", r" \\set\1 "),
        (r"\^\s?(?:\\circ(?![a-z])|\{\s?\\circ\s?\}|\\degree(?![a-z]))|°|\\degree(?![a-z])", r"\\degree "),
        (r"\\(?:infin|infty)(?![a-z])|\b(?:infinity|inf|oo)\b", r" \\infty "),
        (r"\\(?:emptyset|varnothing|O(?![a-zA-Z]))", r" \\emptyset "),
        (r"\\(?:lvert|rvert|vert)(?![a-z])", "|"),
        (r"\\(?:lVert|rVert|Vert)(?![a-z])|\\\|", "|"),
        (r"\\[lcd]?dots[bcmio]?(?![a-z])|…|\.\.\.", r" \\dots "),
        (r"!=", r"\\ne "),
        (
            r"\(?\s?(?:\\pmod|\\bmod|\\mod|\\text\s?\{\s?\(?mod\s?\}|\bmod\b)\s?\{?\s?(\d{1,9})\s?\}?\s?\)?",
            r" \\mod \1 ",
        ),
    ]
]
_GLYPHS = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "‐": "-",
        "×": "*",
        "·": "*",
        "⋅": "*",
        "∙": "*",
        "÷": "/",
        "≤": "<=",
        "≥": ">=",
        "≈": r"\approx ",
    }
    | {
        "√": r"\sqrt ",
        "∪": r"\cup ",
        "∩": r"\cap ",
        "∈": r"\in ",
        "±": r"\pm ",
        "∓": r"\mp ",
        "π": r"\pi ",
        "θ": r"\theta ",
    }
    | {
        "≠": r"\ne ",
        "∞": r"\infty ",
        "∅": r"\emptyset ",
        "α": r"\alpha ",
        "β": r"\beta ",
        "λ": r"\lambda ",
        "∖": r"\setminus ",
    }
    | {"²": "^2", "³": "^3", "⁴": "^4", "½": "(1/2)", "¼": "(1/4)", "¾": "(3/4)", "⅓": "(1/3)", "⅔": "(2/3)"}
    | {
        "⌊": r"\lfloor ",
        "⌋": r"\rfloor ",
        "⌈": r"\lceil ",
        "⌉": r"\rceil ",
        "ℝ": r"\setR ",
        "ℤ": r"\setZ ",
        "ℕ": r"\setN ",
    }
    | {"’": "'", "′": "'", "\u00a0": " ", "\u2009": " ", "\u202f": " ", "：": ":", "，": ",", "（": "(", "）": ")"}
)
_SPACED_THOUSANDS = re.compile(r"(?<![\d.,^_{]) ?\b(\d{1,3}(?: \d{3})+)(?![\d,]|\.\d)")


def clean(text: str) -> str:
    """Drop LaTeX spacing and sizing, and write glyphs as commands."""
    if not text.isascii():
        text = text.translate(_GLYPHS)
    if "\\\\" in text:
        text = _DOUBLED_BRACE.sub(r"\\", _DOUBLED.sub(r"\\", text)) if _DOUBLED.search(text) else text
    for pattern, replacement in _REWRITES if _is_marked(text) else ():
        text = pattern.sub(replacement, text)
    if " " in text:
        text = _SPACED_THOUSANDS.sub(lambda match: match[1].replace(" ", ""), text)
    return text.strip().lstrip("= ").rstrip(".,;:\\").strip()


def _is_marked(text: str) -> bool:
    """Whether anything is there to rewrite."""
    return any(sign in text for sign in "\\$~^.!…°") or "{," in text or "mod" in text or "inf" in text or "oo" in text
