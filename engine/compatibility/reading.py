"""A trace as a student reads it: tokens, the turns it would learn, their steps, and what is to be scored.

A step is a sentence or a line of at least two words; shorter pieces (`1.`, `So.`, a fence) open the next one. A token
belongs to the step in which its characters begin.

A trace is scored once as a whole. Local naturalness (Just, Ko and Jia 2025, arXiv 2510.03988) asks besides how natural
each step is to one who sees only the `window` steps before it. The problem counts as the step before the first, so
the first `window` steps of a turn are read from the whole; every later step is a passage of its own, which begins
like an assistant's turn. The paper's abstract names short steps and a small window; the bounds of a step, the
window's size and what opens a passage are ours.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

END_OF_STEP = re.compile(r"[.!?](?= )|\n+")
MIN_WORDS = 2
RANK_LIMIT = 100
"""Ranks above are counted as this: in the far tail of a vocabulary they are noise, and would decide every mean."""

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A rendered trace. turns: for each, where its steps begin, and where the last one ends; all in tokens."""

    token_ids: tuple[int, ...]
    turns: tuple[tuple[int, ...], ...]
    opening: tuple[int, ...]
    """What opens an assistant's turn."""

    @property
    def num_tokens(self) -> int:
        """How many tokens are learned."""
        return sum(turn[-1] - turn[0] for turn in self.turns)

    @property
    def num_steps(self) -> int:
        return sum(len(turn) - 1 for turn in self.turns)


@dataclass(frozen=True, slots=True)
class Passage:
    """Tokens of which those from `first` on are scored, each given all before it; first is at least 1."""

    token_ids: tuple[int, ...]
    first: int


@dataclass(frozen=True, slots=True)
class TokenScores:
    """Of each scored token of a passage: log-probability in nats, and rank (1: no other token is likelier)."""

    logprobs: Floats
    ranks: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceScores:
    """Means over the learned tokens of a trace; local_nll is the mean over its steps of each step's mean."""

    nll: float
    rank: float
    local_nll: float


def step_starts(text: str) -> list[int]:
    """Return where the steps of a text begin, in characters; the first begins at 0."""
    starts = [0]
    for end in END_OF_STEP.finditer(text):
        if end.end() < len(text) and len(text[starts[-1] : end.start()].split()) >= MIN_WORDS:
            starts.append(end.end())
    return starts


def split_turns(text: str, starts: Sequence[int], learned: Sequence[bool]) -> tuple[tuple[int, ...], ...]:
    """Return the turns of a rendered conversation; starts are the tokens' first characters."""
    edges = np.flatnonzero(np.diff(np.array([False, *learned, False], dtype=np.int8)))
    turns = []
    for first, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        begin = starts[first]
        said = text[begin : starts[end] if end < len(starts) else len(text)]
        bounds = {bisect_left(starts, begin + start, first, end) for start in step_starts(said)}
        turns.append((*sorted(bounds | {first, end} - {end}), end))
    return tuple(turns)


def to_passages(reading: Reading, window: int) -> list[Passage]:
    """Return what is to be scored: the whole, then every step that lies too far from its problem."""
    passages = [Passage(reading.token_ids[: reading.turns[-1][-1]], reading.turns[0][0])]
    for turn in reading.turns:
        for step in range(window, len(turn) - 1):
            begin, first, end = turn[step - window], turn[step], turn[step + 1]
            token_ids = reading.opening + reading.token_ids[begin:end]
            passages.append(Passage(token_ids, len(reading.opening) + first - begin))
    return passages


def collect(reading: Reading, scores: Sequence[TokenScores], window: int) -> TraceScores:
    """Sum up the scores of to_passages(reading, window), in its order."""
    whole, rest = scores[0], iter(scores[1:])
    offset = reading.turns[0][0]
    nll, ranks, local = [], [], []
    for turn in reading.turns:
        nll.append(-whole.logprobs[turn[0] - offset : turn[-1] - offset])
        ranks.append(np.minimum(whole.ranks[turn[0] - offset : turn[-1] - offset], RANK_LIMIT))
        for step in range(len(turn) - 1):
            near = whole.logprobs[turn[step] - offset : turn[step + 1] - offset]
            local.append(-float((near if step < window else next(rest).logprobs).mean()))
    return TraceScores(
        nll=float(np.concatenate(nll).mean()),
        rank=float(np.concatenate(ranks).mean()),
        local_nll=float(np.mean(local)),
    )
