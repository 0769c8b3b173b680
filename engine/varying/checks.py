"""What a variant must not be: its parent again, or a problem that is kept for evaluation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradus.engine.calls import asked
from gradus.engine.clean.benchmark import heldout_items
from gradus.engine.clean.decontaminate import decontaminate
from gradus.engine.clean.dedupe import DedupeConfig
from gradus.engine.clean.evidence import SHINGLE_TOKENS
from gradus.engine.clean.guard import guard
from gradus.engine.clean.leaks import LeakIndex, Thresholds
from gradus.engine.clean.minhash import jaccard, shingle
from gradus.engine.clean.text import tokens
from gradus.engine.clean.texts import Text, problem_text
from gradus.engine.records import Problem
from gradus.engine.varying.base import Draft, UnusableError

EVALUATION = "evaluation"
"""What the problems kept for evaluation are called in reasons."""


def check_against_parents(draft: Draft, parents: Sequence[Problem]) -> None:
    """Raise UnusableError for a draft that says the same, or nearly, with the same numbers and turning words."""
    words = tokens(draft.prompt)
    for parent in parents:
        old = tokens(parent.prompt)
        if words == old:
            raise UnusableError(f"same as parent: {parent.id[:8]}")
        shingles = shingle([words, old], SHINGLE_TOKENS)
        likeness = jaccard(np.unique(shingles[0]), np.unique(shingles[1]))
        if likeness >= DedupeConfig().threshold and guard(words, "") == guard(old, ""):
            raise UnusableError(f"too near to parent: {likeness:.2f} similar to {parent.id[:8]}")


def evaluation_index(problems: Iterable[Problem]) -> LeakIndex | None:
    """Index the problems that no variant may give away; None if there are none."""
    items = heldout_items(_text(problem, fixed=True) for problem in problems)
    return LeakIndex(items, Thresholds()) if items else None


def leaks(problems: Iterable[Problem], index: LeakIndex | None) -> Mapping[str, str]:
    """Return by id why problems give away one that is kept for evaluation."""
    reasons: dict[str, str] = {}
    if index:
        texts = (_text(problem, fixed=False) for problem in problems)
        for _ in decontaminate(texts, index, EVALUATION, drop=reasons.__setitem__, advance=lambda _: None):
            pass
    return reasons


def _text(problem: Problem, *, fixed: bool) -> Text:
    # Problems share the descriptions of their tools.
    return replace(problem_text(problem.id, problem.prompt, problem.spec, fixed=fixed), text=asked(problem.prompt))
