"""Which benchmark item, if any, a text gives away.

Coverage is the share of the item's 3-token shingles that a stretch of the text about as long as the item contains,
each weighted by its rarity among the items; so sentences may change places and other text may stand around. The same
measured from the text's side serves for a text that is only a piece of an item. `Thresholds` says how much coverage
is enough, by what else agrees (`evidence.py`).

Not found: paraphrases that keep neither words nor order, translations, and items of fewer than `min_tokens` tokens
inside longer text (as a text of their own they are).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradus.engine.clean.evidence import SHINGLE_TOKENS, Facts, densest, facts, whole
from gradus.engine.clean.minhash import Hashes, shingle
from gradus.engine.clean.text import tokens

COMMON = 200
"""A shingle of more items than this says nothing of any of them."""
EXAMINED = 10
"""Items looked at closely for each text, those with the highest coverage by the whole of it."""
SPAN_CHARS = 160
WORDS, FUNCTION = "overlap of words", "overlap and same function"
"""Kinds of matches that need more than coverage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One problem of a benchmark."""

    name: str
    text: str
    answer: str = ""
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """The coverage from which a text is a leak, by what else agrees."""

    numbers: float = 0.35
    """At least two numbers agree."""
    same_answer: float = 0.25
    """A number agrees, and so does the expected answer."""
    same_function: float = 0.3
    """It is about, or defines, a function of the item's name."""
    function_words: float = 0.6
    """Then, too, the weighted share of single words of either side: many functions are called `remove_even`."""
    words: float = 0.7
    """Nothing else; then the share that is not weighted must be as large, lest one rare phrase decide."""
    single_words: float = 0.9
    """Then, too, the weighted share of single words in common: the volume of a cube is not that of a cone."""
    other_function: float = 0.9
    """In place of `words`, where text and item are about functions of different names."""
    max_conflicts: float = 0.3
    """The most conflicts for each agreement, where the answer is the same; where it is not known to be, none."""
    piece: float = 0.2
    """Coverage of the item from which a text that is a piece of it is judged by how much of the text is the item's."""
    min_tokens: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """What a text shares with an item."""

    item: Item
    kind: str
    coverage: float
    span: str


@dataclass(frozen=True, slots=True)
class _Given:
    """A text under examination; weight is that of all its shingles."""

    words: list[str]
    hashes: Hashes
    answer: str
    functions: frozenset[str]
    weight: float


class LeakIndex:
    """The shingles of a benchmark's items, ready to be looked up."""

    def __init__(self, items: Sequence[Item], thresholds: Thresholds) -> None:
        self.items, self.limits = items, thresholds
        self.words = [tokens(item.text) for item in items]
        shingles = shingle(self.words, SHINGLE_TOKENS)
        sets = [np.unique(whole(shingles[i])) for i in range(len(items))]
        owners = np.repeat(np.arange(len(items)), [len(found) for found in sets])
        every = np.concatenate(sets)
        order = np.argsort(every, kind="stable")
        self.keys, self.begins, self.counts = np.unique(every[order], return_index=True, return_counts=True)
        self.owners = owners[order]
        self.rarest = float(np.log1p(len(items)))
        self.weights = np.where(self.counts > COMMON, 0.0, np.log1p(len(items) / self.counts))
        self.totals = np.bincount(self.owners, np.repeat(self.weights, self.counts), len(items)) + 1e-9
        frequency = Counter(word for words in self.words for word in set(words))
        self.rarity = {word: float(np.log1p(len(items) / count)) for word, count in frequency.items()}

    def find(self, words: list[str], hashes: Hashes, *, answer: str, functions: frozenset[str]) -> Match | None:
        """Return the item that a text, given as tokens and shingles, leaks most clearly."""
        hashes = whole(hashes)
        found = np.unique(hashes)
        places = self._places(found)
        known = places[places >= 0]
        if not len(known):
            return None
        # Of the text's shingles, those of no item are as rare as can be.
        weight = len(found) * self.rarest - float((self.rarest - self.weights[known]).sum())
        given = _Given(words, hashes, answer, functions, weight)
        shares = self._shares(known)
        likely = np.flatnonzero(shares >= self.limits.piece)
        likely = likely[np.argsort(-shares[likely], kind="stable")][:EXAMINED]
        matches = [match for i in likely.tolist() if (match := self._examine(i, given))]
        return max(matches, key=lambda match: match.coverage, default=None)

    def _places(self, hashes: Hashes) -> npt.NDArray[np.int64]:
        """Return where each hash stands among the keys; -1 where it does not."""
        if not len(self.keys):
            return np.full(len(hashes), -1)
        places = np.minimum(np.searchsorted(self.keys, hashes), len(self.keys) - 1)
        return np.where(self.keys[places] == hashes, places, -1)

    def _shares(self, places: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Return by item the weighted share of its shingles that these are."""
        places = places[self.counts[places] <= COMMON]
        counts = self.counts[places]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        owners = self.owners[np.repeat(self.begins[places], counts) + within]
        return np.bincount(owners, np.repeat(self.weights[places], counts), len(self.items)) / self.totals

    def _examine(self, i: int, given: _Given) -> Match | None:
        """Judge the stretch of the text that has most of item i."""
        item, words = self.items[i], self.words[i]
        own = np.unique(whole(shingle([words], SHINGLE_TOKENS).hashes))
        weights = dict(zip(own.tolist(), self.weights[self._places(own)].tolist(), strict=True))
        hits = [(place, key) for place, key in enumerate(given.hashes.tolist()) if key in weights]
        found = densest(hits, weights, 2 * len(words) + 10)
        item_side, text_side = found.weight / self.totals[i], found.weight / given.weight
        if len(words) < self.limits.min_tokens and min(item_side, text_side) < self.limits.words:
            return None
        piece = item_side >= self.limits.piece and len(given.words) >= self.limits.min_tokens
        coverage = max(item_side, text_side if piece else 0.0)
        stretch = given.words[found.start : found.end]
        # Another number at either end has no shingle in common with the item, so it stands just outside.
        wider = given.words[max(found.start - SHINGLE_TOKENS, 0) : found.end + SHINGLE_TOKENS]
        kind = self._kind(coverage, item, given, facts(words, wider))
        shares = {WORDS: (self.limits.words, self.limits.single_words), FUNCTION: (0.0, self.limits.function_words)}
        if least := shares.get(kind):
            plain = max(found.num_shingles / len(own), text_side if piece else 0.0)
            single = max(self._common(words, stretch), self._common(given.words, words) if piece else 0.0)
            kind = kind if plain >= least[0] and single >= least[1] else ""
        return Match(item=item, kind=kind, coverage=coverage, span=_cut(" ".join(stretch))) if kind else None

    def _kind(self, coverage: float, item: Item, given: _Given, found: Facts) -> str:
        """Return what gives the item away; empty if nothing does."""
        same = bool(item.answer) and item.answer == given.answer
        if found.conflicting > (self.limits.max_conflicts * found.agreed if same else 0):
            return ""
        if same and found.numbers and coverage >= self.limits.same_answer:
            return "overlap and same answer"
        if found.numbers >= 2 and coverage >= self.limits.numbers:
            return "overlap with numbers"
        if found.inserted:
            return ""
        if item.functions & given.functions and coverage >= self.limits.same_function:
            return FUNCTION
        least = self.limits.other_function if item.functions and given.functions else self.limits.words
        return WORDS if coverage >= least else ""

    def _common(self, words: Iterable[str], others: Iterable[str]) -> float:
        """Return the share of words that are among others, each weighted by its rarity."""
        weights = {word: self.rarity.get(word, self.rarest) for word in words}
        there = set(others)
        return sum(weight for word, weight in weights.items() if word in there) / sum(weights.values())


def _cut(span: str) -> str:
    return span if len(span) <= SPAN_CHARS else span[: SPAN_CHARS - 1] + "…"
