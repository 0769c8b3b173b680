"""Candidates without any text, for tests of choosing and ordering."""

import hashlib

import numpy as np

from gradus.curricula.candidates import Candidates

NAMES = ("code/cot/ada/easy", "math/correction/ada/hard", "math/cot/ada/easy", "math/cot/bob/hard")


def candidates(num_tokens, component=None, *, names=NAMES, weight=None, passed=None, seed=0):
    """Return one candidate of each length; a trace's id depends on its number and the seed alone."""
    n = len(num_tokens)
    ids = np.array([hashlib.sha256(f"{seed}/{i}".encode()).hexdigest() for i in range(n)], "S64")
    zeros = np.zeros(n, np.int64)
    found = Candidates(
        names=names,
        trace_ids=ids,
        part=zeros.astype(np.int32),
        places=np.arange(n),
        num_tokens=np.array(num_tokens, np.int64),
        component=np.array(zeros if component is None else component, np.int32),
        problem=np.arange(n),
        num_attempts=zeros + (8 if passed is not None else 0),
        num_passed=zeros if passed is None else np.array(passed, np.int64),
        earlier_attempts=zeros,
        earlier_passed=zeros,
        weight=np.ones(n) if weight is None else np.array(weight, np.float64),
    )
    return found.take(np.argsort(ids))


def realistic(n, *, seed=0, longest=60_000):
    """Return log-normal lengths from 200 tokens, over NAMES, with pass rates."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(8, 1.2, n), 200, longest).astype(np.int64)
    return candidates(lengths, rng.integers(0, len(NAMES), n), passed=rng.integers(0, 9, n), seed=seed)
