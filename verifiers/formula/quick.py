"""Two plain numbers compared without reading them as mathematics: most answers are such, and this is 10 times faster.

It must give the verdict the whole ladder gives; a test holds it to that.
"""

from __future__ import annotations

import re
from fractions import Fraction

from gradus.verifiers.formula.compare import rounded

_PLAIN = re.compile(r"-?\d{1,15}(?:\.\d{1,15})?", re.ASCII)


def plain_number(text: str) -> Fraction | None:
    """Return the value of digits with or without a point, None of anything else."""
    return Fraction(text) if _PLAIN.fullmatch(text) else None


def same_plain(expected: str, found: str, tolerance: float | None) -> bool | None:
    """Whether two plain numbers are equal; None where one is something else."""
    want, got = plain_number(expected), plain_number(found)
    if want is None or got is None:
        return None
    if tolerance is None and "." not in expected and "." not in found:
        return want == got
    return want == got or rounded(want - got, max(abs(want), abs(got)), tolerance)
