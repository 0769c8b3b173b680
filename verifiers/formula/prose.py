"""Answers compared as text: letter by letter without spacing, or as two ways to say the same thing."""

from __future__ import annotations

import re
from functools import lru_cache

from gradus.verifiers.formula.words import date_of, meaning

MAX_PROSE_CHARS = 4000
_SPACING = re.compile(r"\\[,;:! ]|(?<!\d)\s|\s(?!\d)|\$|\.$|\\(?:left|right)(?![a-z])")
_WRAPPER = re.compile(r"\\(?:text|mathrm|textbf|mathbf|mbox|textit)\s?\{([^{}]*)\}")
_ARTICLE = re.compile(r"^(?:the|a|an)\s+", re.IGNORECASE)
_NOT_LETTERS = re.compile(r"[^\w\s]|_")


@lru_cache(maxsize=8192)
def letters(text: str) -> str:
    """Return text as it is compared sign by sign; longer words in lower case. "" if it says nothing."""
    if len(text) > MAX_PROSE_CHARS:
        return ""
    bare = _SPACING.sub("", _WRAPPER.sub(r"\1", _ARTICLE.sub("", text.strip())))
    if not any(c.isalnum() for c in bare):
        return ""
    if bare[0] == "(" and bare.find(")") == len(bare) - 1 and "," not in bare:
        bare = bare[1:-1]
    return bare if len(bare) < 3 or any(c.isdigit() or c in "\\^_=" for c in bare) else bare.casefold()


def same_prose(expected: str, found: str) -> bool:
    """Whether two texts are alike sign by sign, are the same date, or mean the same ("none" and "no solution")."""
    want, got = letters(expected), letters(found)
    if want and want == got:
        return True
    if not want or len(expected) > 80 or len(found) > 80 or not any(c.isalpha() for c in want + got):
        return False
    a, b = _phrase(expected), _phrase(found)
    if a == b and (" " in a or meaning(a) != a or a in {"yes", "no", "none"}) and not any(c.isdigit() for c in a):
        return True
    if a != b and meaning(a) == meaning(b) and len(a) > 1 and len(b) > 1:
        return True
    day = date_of(a)
    return day is not None and day == date_of(b)


@lru_cache(maxsize=8192)
def _phrase(text: str) -> str:
    """Return the words in lower case, without marks; dates keep their commas and hyphens."""
    bare = _WRAPPER.sub(r"\1", text.replace("$", " ").replace("\\", " \\")).replace("\\ ", " ").replace(" \\", "")
    lower = " ".join(bare.lower().strip(" .!").split())
    if any(c.isdigit() for c in lower):
        return lower
    return " ".join(_NOT_LETTERS.sub("", _ARTICLE.sub("", lower)).split())
