"""What speaks for a text's having a benchmark item in it, and what against.

A number of the item agrees when one of its shingles is in the text, and conflicts when only the same words with
another number are: the same story with other numbers is another problem. So is the same sentence with maximum for
minimum: words that turn a question round (`guard.py`) agree and conflict in the same way. One side may also have such
a word between two that stand together on the other: repeated, non-repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from gradus.engine.clean.guard import TURNING
from gradus.engine.clean.minhash import Hashes
from gradus.engine.clean.text import is_number

SHINGLE_TOKENS = 3


@dataclass(frozen=True, slots=True)
class Facts:
    """Of an item's numbers and turning words: how many stand in the text as they do in the item."""

    agreed: int
    numbers: int
    """Of those that agree."""
    conflicting: int
    """In the same words, another stands in the text."""
    inserted: int
    """Turning words that one side has within words that the other has without."""


def facts(words: Sequence[str], stretch: Sequence[str]) -> Facts:
    """Compare an item's words with a stretch of a text."""
    own, present = set(_triples(words)), set(_triples(stretch))
    # What the text has in common with the item speaks for it, even where the item says something like it twice.
    masked = {_masked(triple) for triple in present - own}
    agreed = numbers = conflicting = 0
    for place in [i for i, word in enumerate(words) if is_number(word) or word in TURNING]:
        around = _triples(words[max(place - 2, 0) : place + 3])
        if any(triple in present for triple in around):
            agreed += 1
            numbers += is_number(words[place])
        elif any(_masked(triple) in masked for triple in around):
            conflicting += 1
    inserted = _inserted(present - own, words) + _inserted(own - present, stretch)
    return Facts(agreed, numbers, conflicting, inserted)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a text, from token to token, and the different shingles of the item in it."""

    weight: float = 0.0
    num_shingles: int = 0
    start: int = 0
    end: int = 0


def densest(hits: Sequence[tuple[int, int]], weights: Mapping[int, float], length: int) -> Stretch:
    """Return the stretch of at most length tokens with the heaviest shingles; hits are (place, shingle)."""
    best = Stretch()
    inside: Counter[int] = Counter()
    weight, first = 0.0, 0
    for place, key in hits:
        inside[key] += 1
        weight += weights[key] if inside[key] == 1 else 0.0
        while hits[first][0] <= place - length:
            gone = hits[first][1]
            inside[gone] -= 1
            if not inside[gone]:
                weight -= weights[gone]
                del inside[gone]
            first += 1
        if weight > best.weight + 1e-9:
            best = Stretch(weight, len(inside), hits[first][0], place + SHINGLE_TOKENS)
    return best


def whole(hashes: Hashes) -> Hashes:
    """Leave out the shorter shingles at a text's end: it may go on elsewhere."""
    return hashes[: max(len(hashes) - SHINGLE_TOKENS + 1, 1)]


def _inserted(triples: Iterable[tuple[str, str, str]], words: Sequence[str]) -> int:
    """Count the triples around a turning word whose other two words stand together in words."""
    together = set(pairwise(words))
    return sum(word in TURNING and (before, after) in together for before, word, after in triples)


def _triples(words: Sequence[str]) -> list[tuple[str, str, str]]:
    return list(zip(words, words[1:], words[2:], strict=False))


def _masked(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple("0" if is_number(word) else "more" if word in TURNING else word for word in words)
