"""The tokens a line is cut into, and the words and signs that mean something to it."""

from __future__ import annotations

import re

from gradus.verifiers.formula.tokens import FUNCTIONS
from gradus.verifiers.statements.masks import CLOSE, OPEN

SIGNS = {"≈": "≈", "≃": "≈", "≅": "≈", "≤": "<=", "≥": ">=", "≠": "!=", "==": "="} | {
    r"\approx": "≈", r"\simeq": "≈", r"\le": "<=", r"\leq": "<=", r"\leqslant": "<=", r"\ge": ">=", r"\geq": ">=",
    r"\geqslant": ">=", r"\ne": "!=", r"\neq": "!=", r"\lt": "<", r"\gt": ">",
}  # fmt: skip
_NAMED_SIGN = r"\\(?:approx|simeq|leq?|leqslant|geq?|geqslant|neq?|lt|gt)(?![a-zA-Z])"
RELATION = re.compile(rf"[=<>≈≃≅≤≥≠]|{_NAMED_SIGN}")
TOKEN = re.compile(
    rf"""(?P<number>\d*\.\d*\\(?:overline|bar|dot)\s?\{{\d+\}}
      | \d{{1,3}}(?:(?:,|\{{,\}}|\\,|,\\!)\d{{3}})+(?!\d)(?:\.\d+)?
      | \d+(?:\.\d+)?(?:[eE][-+]?\d{{1,3}}(?![\w.]))? | \.\d+)
    | (?P<relation>{_NAMED_SIGN} | [<>=]= | (?<![\w)}}!])!= | [=<>≈≃≅≤≥≠])
    | (?P<degrees>(?:\^\s?(?:\\circ(?![a-zA-Z])|\{{\s?\\circ\s?\}})|°|\^?\\degree(?![a-zA-Z])))
    | (?P<operator>[-+*/×÷·⋅∙^%√−–!²³] | \\(?:times|cdot|div|ast|pm|mp)(?![a-zA-Z]) | \\%)
    | (?P<bracket>[()\[\]{{}}|] | \\[{{}}])
    | (?P<money>\\?\$ | [£€¥₹¢])
    | (?P<phrase>\\(?:text|mathrm|textbf|mbox|operatorname|mathbf|textit|textrm)\s?\{{[^{{}}]{{0,200}}\}})
    | (?P<subscript>_(?:\{{[^{{}}]{{0,80}}\}} | \w))
    | (?P<command>\\[a-zA-Z]+)
    | (?P<name>[^\W\d_]+(?:['’-][^\W\d_]+)*)
    | (?P<delimiter>[{OPEN}{CLOSE}]+)
    | (?P<comma>,)
    | (?P<stop>\S)""",
    re.VERBOSE,
)
# Words that are no unit: what follows them is another statement.
_ENDS = """
and or so then but which that is are was were because since if when while where we he she they it i you thus hence
therefore equals equal gives makes has have had than with to from by plus minus times this there
"""
ENDS = set(_ENDS.split())
NAMES = FUNCTIONS | {"pi"}
POSTFIX = {"%", r"\%", "!", "²", "³"}
MONEY = {"$": "dollar", "£": "pound", "€": "euro", "¥": "yen", "₹": "rupee", "¢": "cent"}
SHOWING = {r"\boxed", r"\fbox"}
OPENERS, CLOSERS = "([{", ")]}"
WORD = re.compile(r"[^\W\d_]+")
UNIT_AFTER_SLASH = re.compile(r"\s?(?!sqrt|sin|cos|tan|pi\b)[^\W\d_]{2,}")
UNIT_AFTER_HYPHEN = re.compile(r"[^\W\d_]{2,}")
SIGN_NEXT = re.compile(r"\s?[-+*/^=<>≈≤≥≠×÷·_(]|['’]?[(\d]")
POWER = re.compile(r"\s?(?:\^\s?(?:\{\s?-?\d\s?\}|-?\d)|[²³])")
DIGIT = re.compile(r"\d")
RATIO = re.compile(r"\s?\d")
# Before a number, the rest of it: 16,0000 and 6:00 and Day2 and . 84; before one of three digits also 14, 400.
CUT_OFF = re.compile(r"\d[,.:]$|[^\W\d_]$|(?:^|\s)\.\s$")
CUT_OFF_3 = re.compile(rf"{CUT_OFF.pattern}|\d,\s$")
NUMBER_NEXT = re.compile(r"\s*[$£€(]?\s?[\d.]")
