"""Interleave components so that every prefix holds them in the wanted shares of tokens.

Not random draws: at each turn the component furthest behind its share gives its next trace. A component
that has run out leaves its share to the others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from gradus.curricula.policies.base import Candidate


def weigh(component: str, mixture: Mapping[str, float]) -> float:
    """Return the weight of the first pattern that fits (`math/cot`, `*/correction`), 0 if none does."""
    return next((weight for pattern, weight in mixture.items() if fnmatchcase(component, pattern)), 0.0)


def interleave(ordered: Sequence[Candidate], mixture: Mapping[str, float], token_budget: int) -> list[Candidate]:
    """Take candidates, each component in its given order, until the budget or the supply ends."""
    queues: dict[str, deque[Candidate]] = {}
    for candidate in ordered:
        if weigh(candidate.component, mixture) > 0:
            queues.setdefault(candidate.component, deque()).append(candidate)
    weights = {component: weigh(component, mixture) for component in sorted(queues)}
    taken = dict.fromkeys(weights, 0)
    result: list[Candidate] = []
    while weights:
        component = min(weights, key=lambda c: taken[c] / weights[c])
        candidate = queues[component].popleft()
        if sum(taken.values()) + candidate.num_tokens > token_budget:
            break
        result.append(candidate)
        taken[component] += candidate.num_tokens
        if not queues[component]:
            del weights[component]
    return result
