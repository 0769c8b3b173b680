"""Numbers that look random and depend on a trace and a salt alone: the same on any machine, beside any other trace.

The 64 bytes of an id, then its part and its repeat, go word by word through the finaliser of SplitMix64 (Steele, Lea
and Flood 2014); the salt is hashed by SHA-256.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

Words = npt.NDArray[np.uint64]
ID_BYTES = 64


def chances(
    salt: str, trace_ids: npt.NDArray[np.bytes_], *more: npt.NDArray[np.int32] | npt.NDArray[np.int64]
) -> Words:
    """Return a 64-bit number for each id and each row of more."""
    words = np.ascontiguousarray(trace_ids, dtype=f"S{ID_BYTES}").view("<u8").reshape(-1, ID_BYTES // 8)
    first = np.frombuffer(hashlib.sha256(salt.encode()).digest()[:8], "<u8")[0]
    state = np.full(len(words), first, np.uint64)
    for column in [*words.T, *more]:
        state = _mix(state ^ column.astype(np.uint64))
    return state


def shares(words: Words) -> npt.NDArray[np.float64]:
    """Return words as numbers in [0, 1)."""
    return (words >> np.uint64(11)).astype(np.float64) * 2.0**-53


def _mix(state: Words) -> Words:
    state = state + np.uint64(0x9E3779B97F4A7C15)
    state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return state ^ (state >> np.uint64(31))
