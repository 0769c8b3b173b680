"""Shingles of token lists, and their MinHash signatures (Broder 1997), a batch at a time with numpy.

A shingle is the 64-bit hash of n tokens in a row; the last ones of a text are shorter, so that every token starts
one and no text is too short. Two signatures agree in a share of their places that estimates the Jaccard similarity
of the two sets of shingles; `bands` turns signatures into keys of which similar texts share at least one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
VOCABULARY = 1_000_000
"""Token hashes remembered; beyond it the memory starts anew."""
AT_ONCE = 32_768
"""Shingles hashed at a time: what stays in a core's own cache."""


class _TokenHashes(dict[str, int]):
    def __missing__(self, token: str) -> int:
        if len(self) > VOCABULARY:
            self.clear()
        self[token] = value = hash64(token)
        return value


_token_hashes = _TokenHashes()


def hash64(text: str) -> int:
    """Return 64 bits that are the same on every machine."""
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def mix(values: Hashes) -> Hashes:
    """Spread every bit over all others (the finaliser of splitmix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Shingles:
    """The shingles of a batch, end to end: those of text i are hashes[offsets[i] : offsets[i + 1]]."""

    hashes: Hashes
    offsets: npt.NDArray[np.int64]

    def __getitem__(self, i: int) -> Hashes:
        return self.hashes[self.offsets[i] : self.offsets[i + 1]]


def shingle(texts: Sequence[Sequence[str]], n: int) -> Shingles:
    """Hash every n tokens in a row of each text."""
    offsets = np.zeros(len(texts) + 1, dtype=np.int64)
    np.cumsum([len(tokens) for tokens in texts], out=offsets[1:])
    total = int(offsets[-1])
    every = chain.from_iterable(texts)
    single = np.fromiter(map(_token_hashes.__getitem__, every), dtype=np.uint64, count=total)
    room = np.repeat(offsets[1:], np.diff(offsets)) - np.arange(total)  # tokens left in the same text
    hashes = single.copy()
    for step in range(1, n):
        hashes *= GOLDEN
        hashes[: total - step] += np.where(room[: total - step] > step, single[step:], np.uint64(0))
    return Shingles(mix(hashes), offsets)


def signatures(shingles: Shingles, num_hashes: int, seed: int = 1) -> Hashes:
    """Return (texts, num_hashes): the smallest value of each hash function; a text without tokens has zeros."""
    factors = mix(np.arange(seed, seed + num_hashes, dtype=np.uint64)) | np.uint64(1)
    full = np.flatnonzero(np.diff(shingles.offsets))
    found = np.zeros((len(shingles.offsets) - 1, num_hashes), dtype=np.uint64)
    first = 0
    while first < len(full):
        start = shingles.offsets[full[first]]
        last = max(int(np.searchsorted(shingles.offsets[full], start + AT_ONCE)), first + 1)
        rows = full[first:last]
        values = shingles.hashes[start : shingles.offsets[rows[-1] + 1]]
        begins = shingles.offsets[rows] - start
        for place, factor in enumerate(factors):
            found[rows, place] = np.minimum.reduceat(values * factor, begins)
        first = last
    return found


def bands(signature: Hashes, num_bands: int) -> Hashes:
    """Return (texts, num_bands): one key for every few places of the signatures."""
    texts, num_hashes = signature.shape
    grouped = signature.reshape(texts, num_bands, num_hashes // num_bands)
    keys = np.arange(1, num_bands + 1, dtype=np.uint64) * GOLDEN + np.zeros((texts, 1), dtype=np.uint64)
    for place in range(grouped.shape[2]):
        keys = mix(keys ^ grouped[:, :, place])
    return keys


def jaccard(one: Hashes, other: Hashes) -> float:
    """Return shared ÷ all of two arrays of different hashes, sorted."""
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / max(len(one) + len(other) - shared, 1)
