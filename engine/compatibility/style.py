"""How far a teacher's wording is from the student's own: divergence of their character trigrams.

Jensen and Shannon's divergence in bits, in [0, 1], of the trigrams' frequencies; digits count as one character, so that
the numbers of the problems do not. Two samples of one author differ too, and small ones more: so the student's answers
are halved at random, time and again, and both the other half and as much of the teacher's text are compared with the
first. The other half's distance is the floor: a teacher at the floor writes as the student does.

Said of the words alone. Texts on other problems are farther apart for what they are about.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

NUM_GRAMS = 2048
"""The most frequent are told apart, the rest is one."""
NUM_HALVINGS = 50
MIN_TEXTS = 4
DIGITS = re.compile(r"\d")
BLANKS = re.compile(r"[^\S\n]+")

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class StyleDistance:
    """In bits; low and high: the middle 95% over the halvings."""

    distance: float
    low: float
    high: float
    floor: float


def style_distance(own: Sequence[str], other: Sequence[str]) -> StyleDistance | None:
    """Compare the student's own answers with a teacher's; None where either has fewer than four."""
    if min(len(own), len(other)) < MIN_TEXTS:
        return None
    own_grams, other_grams = [_grams(text) for text in own], [_grams(text) for text in other]
    total = sum((*own_grams, *other_grams), Counter[str]())
    place = {gram: i for i, (gram, _) in enumerate(sorted(total.most_common(NUM_GRAMS)), 1)}
    mine, theirs = (np.stack([_counts(grams, place) for grams in each]) for each in (own_grams, other_grams))
    rng = np.random.default_rng(0)
    found = np.array([_halving(mine, theirs, rng) for _ in range(NUM_HALVINGS)])
    low, high = np.quantile(found[:, 0], [0.025, 0.975])
    distance, floor = found.mean(axis=0)
    return StyleDistance(distance=float(distance), low=float(low), high=float(high), floor=float(floor))


def _halving(mine: Floats, theirs: Floats, rng: np.random.Generator) -> tuple[float, float]:
    order = rng.permutation(len(mine))
    first, second = mine[order[: len(mine) // 2]].sum(axis=0), mine[order[len(mine) // 2 :]].sum(axis=0)
    shuffled = theirs[rng.permutation(len(theirs))]
    enough = np.searchsorted(np.cumsum(shuffled.sum(axis=1)), second.sum()) + 1
    return divergence(first, shuffled[:enough].sum(axis=0)), divergence(first, second)


def divergence(one: Floats, other: Floats) -> float:
    """Return the Jensen-Shannon divergence of two tables of counts, in bits."""
    p, q = one / one.sum(), other / other.sum()
    middle = (p + q) / 2
    return float(_entropy(middle) - (_entropy(p) + _entropy(q)) / 2)


def _entropy(p: Floats) -> float:
    seen = p[p > 0]
    return float(-(seen * np.log2(seen)).sum())


def _grams(text: str) -> Counter[str]:
    plain = BLANKS.sub(" ", DIGITS.sub("0", f" {text} "))
    return Counter(plain[i : i + 3] for i in range(len(plain) - 2))


def _counts(grams: Counter[str], place: dict[str, int]) -> Floats:
    counts = np.zeros(NUM_GRAMS + 1)
    for gram, count in grams.items():
        counts[place.get(gram, 0)] += count
    return counts
