"""Leave out what is there already: the same text, or nearly the same.

Exact: equal tokens (`text.py`) and equal answers. Near: a Jaccard similarity of the sets of 3-token shingles of at
least `threshold` to a text that is kept, and an equal guard (`guard.py`): numbers, operators, turning words, answer.
Candidates come from MinHash bands, each key mixed with the guard, and every one is verified on the true sets; a pair
at the default threshold is missed by the bands once in 4,500. A text is dropped for one that stays, never for one that
is itself dropped, so chains of small changes do not eat each other. Fixed texts stay and come first; of the others
the first in order stays.

Memory: 8 bytes a text, near 150; shingles are kept only of texts that share a band with another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from gradus.engine.clean.guard import guard
from gradus.engine.clean.minhash import Hashes, Shingles, bands, hash64, jaccard, mix, shingle, signatures
from gradus.engine.clean.text import tokens
from gradus.engine.clean.texts import Drop, Text, Texts, batched

BATCH = 1024
Places = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class DedupeConfig:
    """How alike two texts must be."""

    near: bool = False
    threshold: float = 0.8
    """Jaccard similarity from which a pair is a near-duplicate."""
    shingle_tokens: int = 3
    num_bands: int = 16
    rows_per_band: int = 4


@dataclass(slots=True)
class _Kept:
    """The texts that stay, of those that share a band with another."""

    shingles: dict[str, Hashes] = field(default_factory=dict)
    buckets: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def nearest(self, keys: list[int], hashes: Hashes) -> tuple[float, str]:
        """Return the highest similarity to a text in these buckets, and its id."""
        near = sorted({other for key in keys for other in self.buckets.get(key, ())})
        return max(((jaccard(hashes, self.shingles[other]), other) for other in near), default=(0.0, ""))

    def add(self, id: str, keys: list[int], hashes: Hashes) -> None:
        """Remember a text that stays."""
        self.shingles[id] = hashes
        for key in keys:
            self.buckets[key].append(id)


@dataclass(frozen=True, slots=True)
class Keys:
    """What tells where to look for duplicates, a row a text: made anywhere, compared in one place."""

    exact: Hashes
    banded: Hashes
    """(texts, bands); without `near` there are no bands."""


def dedupe(
    texts: Texts,
    config: DedupeConfig,
    *,
    drop: Drop,
    keys: Iterable[Keys] | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Iterator[Text]:
    """Yield the texts that stay; advance counts each text twice, as it is read twice, or once if its keys are given."""
    first, shared = _grouped(list(_keys(texts, config, advance) if keys is None else keys), config)
    leaders = set(first[first != np.arange(len(first))].tolist())
    fates: dict[int, tuple[str, str]] = {}  # of leaders: the id, and the reason if it was dropped itself
    kept = _Kept()
    number = 0
    for batch in batched(texts(), BATCH):
        banded = _banded(batch, shared[number : number + len(batch)], config)
        for place, text in enumerate(batch):
            leader = int(first[number])
            if leader != number and not text.fixed:
                twin, reason = fates[leader]
                reason = reason or f"exact duplicate: same text and answer as {twin[:8]}"
            else:
                reason = _near_reason(text, banded[place], kept, config.threshold) if place in banded else ""
            if number in leaders:
                fates[number] = text.id, reason
            if reason:
                drop(text.id, reason)
            else:
                yield text
            number += 1
        advance(len(batch))


def _near_reason(text: Text, banded: tuple[list[int], Hashes], kept: _Kept, threshold: float) -> str:
    """Return why a text is dropped; remember it if it is not."""
    keys, hashes = banded
    similarity, nearest = kept.nearest(keys, hashes)
    if similarity >= threshold and not text.fixed:
        return f"near duplicate: {similarity:.2f} similar to {nearest[:8]}"
    kept.add(text.id, keys, hashes)
    return ""


def read_keys(batch: list[Text], config: DedupeConfig) -> Keys:
    """Return the keys of some texts."""
    words = [tokens(text.text) for text in batch]
    whole = (" ".join(found) + "\0" + text.answer for text, found in zip(batch, words, strict=True))
    exact = np.fromiter(map(hash64, whole), dtype=np.uint64, count=len(batch))
    if not config.near:
        return Keys(exact, np.zeros((len(batch), 0), dtype=np.uint64))
    return Keys(exact, _band_keys(batch, words, shingle(words, config.shingle_tokens), config))


def _keys(texts: Texts, config: DedupeConfig, advance: Callable[[int], None]) -> Iterator[Keys]:
    for batch in batched(texts(), BATCH):
        yield read_keys(batch, config)
        advance(len(batch))


def _grouped(keys: list[Keys], config: DedupeConfig) -> tuple[Places, Flags]:
    """Return for every text the place of the first that equals it, and whether it shares a band with another."""
    if not keys:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)
    _, first, group = np.unique(np.concatenate([part.exact for part in keys]), return_index=True, return_inverse=True)
    shared = np.zeros(len(group), dtype=np.bool_)
    for place in range(config.num_bands if config.near else 0):
        column = np.concatenate([part.banded[:, place] for part in keys])
        _, bucket, size = np.unique(column, return_inverse=True, return_counts=True)
        shared |= size[bucket] > 1
    return first[group], shared


def _band_keys(batch: list[Text], words: list[list[str]], shingles: Shingles, config: DedupeConfig) -> Hashes:
    """Return (texts, bands): keys that only texts with the same guard can share."""
    keys = bands(signatures(shingles, config.num_bands * config.rows_per_band), config.num_bands)
    guards = (hash64(guard(found, text.answer)) for text, found in zip(batch, words, strict=True))
    return mix(keys ^ np.fromiter(guards, dtype=np.uint64, count=len(batch))[:, None])


def _banded(batch: list[Text], shared: Flags, config: DedupeConfig) -> dict[int, tuple[list[int], Hashes]]:
    """Return by place the band keys and the set of shingles of the texts that share a band."""
    places = np.flatnonzero(shared).tolist()
    some = [batch[place] for place in places]
    words = [tokens(text.text) for text in some]
    shingles = shingle(words, config.shingle_tokens)
    keys = _band_keys(some, words, shingles, config).tolist()
    return {place: (keys[i], np.unique(shingles[i])) for i, place in enumerate(places)}
