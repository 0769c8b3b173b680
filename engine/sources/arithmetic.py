"""Arithmetic from reasoning-gym's generators, from one-digit sums to three two-digit terms."""

from __future__ import annotations

import random
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators


def _level(dataset: str, prompt: str, **settings: Any) -> Level:
    """Draw from a reasoning-gym data set; prompt is filled from its metadata, its answer is the truth."""

    def draw(rng: random.Random) -> Problem:
        import reasoning_gym  # takes a second

        item = reasoning_gym.create_dataset(dataset, size=1, seed=rng.getrandbits(31), **settings)[0]
        text = prompt.format(**item["metadata"])
        spec = {"expected": item["answer"]}
        return Problem(prompt=text, domain="math", verifier="math", spec=spec, source=f"reasoning-gym/{dataset}")

    return draw


def _sum(terms: int, digits: int) -> Level:
    sizes = {"min_terms": terms, "max_terms": terms, "min_digits": digits, "max_digits": digits}
    return _level("chain_sum", "What is {expression}?", **sizes)


@generators.register("arithmetic")
def levels() -> tuple[Level, ...]:
    """From a sum of two digits to one of three numbers below 100."""
    return (
        _sum(2, 1),
        _level("products", "What is {expression}?", min_terms=2, max_terms=2, min_digits=1, max_digits=1),
        _sum(3, 1),
        _sum(2, 2),
        _sum(3, 2),
    )
