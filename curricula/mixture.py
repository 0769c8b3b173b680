"""Which entry of a mixture a component belongs to: `domain/kind/teacher/band` against patterns of it.

`math/cot` stands for all teachers and bands, `*/correction` for all domains, `math/*/*/hard` for one band. Of the
patterns that fit the most specific counts: the one with the most parts without a wildcard, of equals the one whose
earlier parts have none, then the one with more letters. Their order in a recipe says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

PARTS = 4
WILD = frozenset("*?[")


def fits(pattern: str, component: str) -> bool:
    """Say whether a pattern stands for a component; of the parts that either lacks, nothing is asked."""
    return all(map(fnmatchcase, parts(component), parts(pattern)))


def best_fit(component: str, patterns: Iterable[str]) -> str | None:
    """Return the most specific pattern that fits; None if none does."""
    return max((pattern for pattern in patterns if fits(pattern, component)), key=_specific, default=None)


def parts(name: str) -> list[str]:
    """Return domain, kind, teacher and band of a component, or as many as there are; a teacher may hold slashes."""
    found = name.split("/")
    return found if len(found) <= PARTS else [*found[:2], "/".join(found[2:-1]), found[-1]]


def _specific(pattern: str) -> tuple[int, list[bool], int, str]:
    plain = [not WILD & set(part) for part in parts(pattern)]
    return sum(plain), plain, sum(letter not in WILD for letter in pattern), pattern
