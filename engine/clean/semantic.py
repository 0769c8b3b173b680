"""Leave out problems that ask the same in other words.

Two texts are compared only if they have the same numbers and operators in the same order, at least two numbers among
them, and the same known answer: what is left to decide is whether they tell the same story. They do when the cosine
of their character 4-grams, each weighted by its rarity in the collection, reaches `threshold`. No model is asked: on
the paraphrases it was tried on, mean-pooled hidden states of a small language model told stories apart no better.

Not covered: texts with fewer than two numbers (functions to write, instructions), and paraphrases that name the
numbers in another order.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gradus.engine.clean.guard import guard
from gradus.engine.clean.minhash import Hashes, hash64, mix
from gradus.engine.clean.text import is_number, tokens
from gradus.engine.clean.texts import Drop, Text, Texts, batched

BATCH = 1024
BUCKETS = 1 << 18
"""Different 4-grams are counted in so many places; some share one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SemanticConfig:
    """How alike two stories must be."""

    threshold: float = 0.2
    min_numbers: int = 2


@dataclass(slots=True)
class _Survey:
    """What is known of the whole collection before any two texts are compared."""

    frequency: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(BUCKETS, dtype=np.int64))
    guards: list[Hashes] = field(default_factory=lambda: [np.zeros(0, dtype=np.uint64)])

    def shared(self) -> set[int]:
        """Return the guards that more than one text has; 0 stands for texts that are not compared."""
        found, counts = np.unique(np.concatenate(self.guards), return_counts=True)
        return set(found[counts > 1].tolist()) - {0}


def drop_retold(
    texts: Texts, config: SemanticConfig, *, drop: Drop, advance: Callable[[int], None] = lambda _: None
) -> Iterator[Text]:
    """Yield the texts that stay; advance counts each text twice, as it is read twice."""
    survey = _Survey()
    for batch in batched(texts(), BATCH):
        words = [tokens(text.text) for text in batch]
        for found in words:
            survey.frequency[four_grams(found)] += 1
        guards = (_guard(text, found, config) for text, found in zip(batch, words, strict=True))
        survey.guards.append(np.fromiter(guards, dtype=np.uint64, count=len(batch)))
        advance(len(batch))
    shared, total = survey.shared(), sum(map(len, survey.guards))
    rarity = np.log1p(total / np.maximum(survey.frequency, 1)) ** 2
    kept: dict[int, list[tuple[str, Hashes]]] = defaultdict(list)
    for batch in batched(texts(), BATCH):
        for text in batch:
            words_of = tokens(text.text)
            key = _guard(text, words_of, config)
            reason = _reason(text, four_grams(words_of), kept[key], rarity, config) if key in shared else ""
            if reason:
                drop(text.id, reason)
            else:
                yield text
        advance(len(batch))


def _reason(
    text: Text,
    grams: Hashes,
    kept: list[tuple[str, Hashes]],
    rarity: npt.NDArray[np.float64],
    config: SemanticConfig,
) -> str:
    """Return why a text is dropped; remember it among the kept if it is not."""
    likeness, nearest = max(((cosine(grams, other, rarity), name) for name, other in kept), default=(0.0, ""))
    if likeness >= config.threshold and not text.fixed:
        return f"retold: same numbers and answer, {likeness:.2f} similar by character 4-grams to {nearest[:8]}"
    kept.append((text.id, grams))
    return ""


def _guard(text: Text, words: list[str], config: SemanticConfig) -> int:
    if not text.answer or sum(map(is_number, words)) < config.min_numbers:
        return 0
    return hash64(guard(words, text.answer, turning=False))


def four_grams(words: list[str]) -> Hashes:
    """Return the places of the different character 4-grams of a text, sorted."""
    text = np.frombuffer(f" {' '.join(words)}   ".encode(), dtype=np.uint8).astype(np.uint64)
    grams = text[:-3] | text[1:-2] << np.uint64(8) | text[2:-1] << np.uint64(16) | text[3:] << np.uint64(24)
    return np.unique(mix(grams) % np.uint64(BUCKETS))


def cosine(one: Hashes, other: Hashes, rarity: npt.NDArray[np.float64]) -> float:
    """Return how alike two texts are, in [0, 1]; rarity weighs each place."""
    shared = rarity[np.intersect1d(one, other, assume_unique=True)].sum()
    return float(shared / np.sqrt(rarity[one].sum() * rarity[other].sum()))
