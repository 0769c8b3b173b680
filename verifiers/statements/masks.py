"""A text with everything taken out that is no statement, at unchanged length: places in it are places in the text.

Blanked: calculator marks `<<48/2=24>>`, tags, bold, spacing and alignment, line ends before a relation. Made
breaks (`;`): code, list markers, arrows, other line ends of LaTeX. Matrices and cases become OPAQUE, a line end before
a plus or minus PARTED, mathematical delimiters OPEN and CLOSE; a `$` is one only where its partner closes something
complete, else it is money.
"""

from __future__ import annotations

import re

OPEN, CLOSE, OPAQUE, PARTED = "\x01", "\x02", "\x03", "\x04"
MAX_SPAN_CHARS = 2000
_RELATION = r"(?:[=<>≈≤≥≠]|\\(?:approx|leq?|geq?|neq?|lt|gt)(?![a-zA-Z]))"

_PLAIN = re.compile(
    rf"""(?P<blank><<[^<>\n]{{0,200}}>>
      | </?[a-zA-Z_][^<>\n]{{0,80}}>
      | (?<![\w)\]}}])\*\*(?=\S) | (?<=\S)\*\*(?![\w(\[{{\s])| (?<=\S)\*\*(?=\s+[A-Za-z]|\s*\n|\s*$)
      | \n[ \t]*(?={_RELATION}) | (?<=[=+*/×÷])[ \t]*\n)
    | (?P<fence>```[^`]*(?:```|\Z))
    | (?P<stop>(?m:^[ \t]*(?:[-*•+>]|\(?\d{{1,3}}[.)]|\(?[a-zA-Z][.)]|\#{{1,6}})[ \t]+)
      | <?[=-]{{1,2}}>(?!=) | [→⇒⟹⇔⟺∴∵])""",
    re.VERBOSE,
)
_LATEX = re.compile(
    rf"""(?P<opaque>\\begin\{{([a-zA-Z]*matrix|array|[dr]?cases)\*?\}}.{{0,2000}}?\\end\{{\2\*?\}})
    | (?P<blank>\\(?:left|right|big|Big|bigg|Bigg|bigl|bigr|Bigl|Bigr|displaystyle|limits|nolimits)(?![a-zA-Z])\.?
      | (?<!\d)\\[,!;:> ] | \\[;:> ] | \\[,!](?!\d) | [&~] | \\\\(?:\[[^\]\n]{{0,20}}\])?\s*(?=&?\s*{_RELATION})
      | \n[ \t]*(?=&?\s*{_RELATION}))
    | (?P<parted>(?:\\\\(?:\[[^\]\n]{{0,20}}\])?\s*&?\s*)?\\q?quad(?=\s*[-+])
      | \\\\(?:\[[^\]\n]{{0,20}}\])?(?=\s*&?\s*[-+]))
    | (?P<stop>\\\\(?:\[[^\]\n]{{0,20}}\])?
      | \\(?:implies|(?:Long)?[rR]ightarrow|to|(?:Long)?[lL]eftrightarrow|iff|therefore|because|qquad|quad)(?![a-zA-Z]))
    | (?P<escape>\\[$%{{}}])
    | (?P<open>\\[(\[] | \\begin\{{[a-zA-Z]+\*?\}}) | (?P<close>\\[)\]] | \\end\{{[a-zA-Z]+\*?\}})""",
    re.VERBOSE | re.DOTALL,
)
_DOLLARS = re.compile(
    rf"\$\$(?P<display>(?:[^$\\]|\\.){{1,{MAX_SPAN_CHARS}}})\$\$"
    rf"|(?<!\\)\$(?!\s)(?P<inline>(?:[^$\n\\]|\\.){{1,{MAX_SPAN_CHARS}}})(?<![\s\\])\$(?!\d)",
    re.DOTALL,
)
_UNFINISHED = re.compile(r"(?:[-+*/×÷=<>≈≤≥(]|\b(?:and|or|to|for|per|plus|minus|times|is))\s*$")


def masked(text: str) -> str:
    """Return the text with what is no statement taken out, at the same length."""
    text = _DOLLARS.sub(_delimited, text) if "$" in text else text
    text = _LATEX.sub(_replaced, text) if "\\" in text or OPEN in text else text
    return _PLAIN.sub(_replaced, text)


def _delimited(match: re.Match[str]) -> str:
    inner, width = match["display"] or match["inline"], 2 if match["display"] else 1
    opens, closes = (sum(inner.count(sign) for sign in signs) for signs in ("({[", ")}]"))
    if _UNFINISHED.search(inner[-20:]) or opens != closes:
        return match[0]
    return OPEN * width + inner + CLOSE * width


def _replaced(match: re.Match[str]) -> str:
    length, kind = len(match[0]), match.lastgroup
    if kind == "escape":
        return match[0]
    if kind == "fence":
        return ";" + " " * (length - 1)
    sign = {"blank": " ", "stop": ";", "open": OPEN, "close": CLOSE, "opaque": OPAQUE, "parted": PARTED}[
        kind or "blank"
    ]
    return sign + " " * (length - 1)
