"""What a problem asks of its solver, by what we know of it, and where a student lacks it.

A skill is, in this order: each kind of instruction; a generator's level; each tag that says what a problem is about;
for free text, the story that it is like. Stories are clusters of the evaluated prompts by the cosine of their
character 4-grams without numbers, each weighted by its rarity: about √n prompts lead, those that the others are most
like, and each text goes with the nearest. Likeness of words is not likeness of method: a cluster says which kind of
text fails, not why. On GSM8K it groups by what is told of (money, time, marbles).

A skill's failure rate is the mean over its problems; its interval is Wilson's (1927), 95%, with n the number of
problems, for attempts at one problem are not independent. Skills are ranked by the lower end: two failures of two do
not outrank forty of fifty.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gradus.engine.clean.minhash import Hashes
from gradus.engine.clean.semantic import BUCKETS, cosine, four_grams
from gradus.engine.clean.text import is_number, tokens
from gradus.engine.records import DOMAINS, HELDOUT, Problem
from gradus.engine.varying.redraw import KIND, LEVEL

LIKE = 0.08
"""Cosine from which another text belongs to a cluster: 5 of 6 word problems, and 1 of 4 texts of another kind."""
SURVEYED = 400
"""At most so many prompts of a domain are compared with each other for leaders."""
Z = 1.959963984540054
"""The normal quantile of 0.975."""
NO_SKILL = (HELDOUT, "varied:", "aligned:", "expected:", LEVEL)
"""Tags, or their beginnings, that do not say what a problem is about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Skill:
    """How often the student fails at something."""

    name: str
    problems: int
    failure_rate: float
    low: float
    high: float


class Skills:
    """Knows the skills of any problem, having seen those of a validation set; set_tag marks that set."""

    def __init__(self, validation: Sequence[Problem], set_tag: str) -> None:
        self._set_tag = set_tag
        self._leaders: dict[str, list[tuple[str, Hashes]]] = {domain: [] for domain in DOMAINS}
        self._own: dict[str, str] = {}
        texts = {problem.id: _words(problem) for problem in validation if not self._told(problem)}
        frequency = np.bincount(
            np.concatenate([*texts.values(), np.zeros(0, np.uint64)]).astype(np.int64), None, BUCKETS
        )
        self._rarity = np.log1p(len(texts) / np.maximum(frequency, 1))
        for domain in DOMAINS:
            some = [problem for problem in validation if problem.domain == domain and problem.id in texts]
            for place in _leaders([texts[problem.id] for problem in some[:SURVEYED]], self._rarity):
                self._leaders[domain].append((_named(some[place]), texts[some[place].id]))
            self._own |= {problem.id: self._nearest(domain, texts[problem.id])[1] for problem in some}

    def of(self, problem: Problem) -> list[str]:
        """Return the names of a problem's skills; none for a text that is like none of the validation set."""
        if told := self._told(problem):
            return told
        if problem.id in self._own:
            return [self._own[problem.id]]
        likeness, name = self._nearest(problem.domain, _words(problem))
        return [name] if likeness >= LIKE else []

    def rank(self, problems: Sequence[Problem], rates: Mapping[str, float]) -> list[Skill]:
        """Return the skills, those failed most surely first; rates are failure rates by problem id."""
        by_skill: dict[str, list[float]] = {}
        for problem in problems:
            for name in self.of(problem) if problem.id in rates else ():
                by_skill.setdefault(name, []).append(rates[problem.id])
        skills = [_skill(name, found) for name, found in by_skill.items()]
        return sorted(skills, key=lambda skill: (-skill.low, -skill.failure_rate, skill.name))

    def _told(self, problem: Problem) -> list[str]:
        """Return the skills that spec and tags tell."""
        if kinds := [str(one["id"]) for one in problem.spec.get("instructions", ())]:
            return list(dict.fromkeys(f"{problem.domain} {kind}" for kind in kinds))
        if any(tag.startswith(LEVEL) for tag in problem.tags):
            drawn = sorted(tag for tag in problem.tags if tag.startswith((LEVEL, KIND)))
            return [" ".join((problem.domain, problem.source, *drawn))]
        about = [tag for tag in problem.tags if tag != self._set_tag and not tag.startswith(NO_SKILL)]
        return [f"{problem.domain} {tag}" for tag in about]

    def _nearest(self, domain: str, words: Hashes) -> tuple[float, str]:
        found = ((cosine(words, leader, self._rarity), name) for name, leader in self._leaders[domain])
        return max(found, default=(0.0, ""))


def _leaders(texts: Sequence[Hashes], rarity: npt.NDArray[np.float64]) -> list[int]:
    """Return the places of about √n texts, each of which adds most to how like the others are to their nearest."""
    alike = np.array([[cosine(one, other, rarity) for other in texts] for one in texts])
    best, chosen = np.zeros(len(texts)), []
    for _ in range(round(math.sqrt(len(texts)))):
        gain = np.maximum(alike - best[:, None], 0.0).sum(axis=0)
        chosen.append(int(gain.argmax()))
        best = np.maximum(best, alike[:, chosen[-1]])
    return chosen


def _named(problem: Problem) -> str:
    return f"{problem.domain} like {' '.join(problem.prompt.split())[:60]!r} ({problem.id[:8]})"


def _words(problem: Problem) -> Hashes:
    return four_grams([token for token in tokens(problem.prompt) if not is_number(token)])


def _skill(name: str, rates: Sequence[float]) -> Skill:
    low, high = wilson(sum(rates), len(rates))
    return Skill(name=name, problems=len(rates), failure_rate=sum(rates) / len(rates), low=low, high=high)


def wilson(c: float, n: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of c in n."""
    rate, z2 = c / n, Z * Z / n
    middle, half = rate + z2 / 2, Z * math.sqrt(rate * (1 - rate) / n + z2 / (4 * n))
    return max(0.0, (middle - half) / (1 + z2)), min(1.0, (middle + half) / (1 + z2))
