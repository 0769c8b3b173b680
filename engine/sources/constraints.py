"""Instruction following: a subject, and one to three checkable constraints that do not contradict."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators

SUBJECTS = {
    "the sea": "water", "winter": "snow", "a dog": "tail", "a garden": "flower", "the moon": "night",
    "breakfast": "bread", "a library": "book", "music": "song", "a river": "fish", "the city": "street",
    "a forest": "tree", "a school": "teacher",
}  # fmt: skip
"""What to write about, and a word that goes with it."""

Constraint = tuple[str, str, dict[str, Any]]
"""How it is said, the verifier's instruction id, and its arguments."""


def _short(rng: random.Random, _: str) -> Constraint:
    words = rng.choice((8, 12, 16, 20))
    return f"Use less than {words} words.", "length_constraints:number_words", _count("num_words", "less than", words)


def _no_comma(_: random.Random, __: str) -> Constraint:
    return "Do not use any commas.", "punctuation:no_comma", {}


def _keyword(_: random.Random, subject: str) -> Constraint:
    word = SUBJECTS[subject]
    return f"Include the word {word}.", "keywords:existence", {"keywords": [word]}


def _avoid(_: random.Random, subject: str) -> Constraint:
    word = SUBJECTS[subject]
    return f"Do not use the word {word}.", "keywords:forbidden_words", {"forbidden_words": [word]}


def _lower(_: random.Random, __: str) -> Constraint:
    return "Use only lowercase letters.", "change_case:english_lowercase", {}


def _capital(_: random.Random, __: str) -> Constraint:
    return "Use only capital letters.", "change_case:english_capital", {}


def _quoted(_: random.Random, __: str) -> Constraint:
    return "Wrap your whole answer in double quotes.", "startend:quotation", {}


def _one_sentence(_: random.Random, __: str) -> Constraint:
    kwargs = _count("num_sentences", "less than", 2)
    return "Write only one sentence.", "length_constraints:number_sentences", kwargs


def _count(name: str, relation: str, number: int) -> dict[str, Any]:
    return {"relation": relation, name: number}


Rule = Callable[[random.Random, str], Constraint]

EASY: tuple[Rule, ...] = (_no_comma, _avoid, _one_sentence)
HARD: tuple[Rule, ...] = (_keyword, _short, _lower, _quoted, _capital)
CONTRADICT = ({_keyword, _avoid}, {_lower, _capital})


def _level(easy: int, hard: int) -> Level:
    """Draw that many constraints of each list, in the order they are said."""

    def draw(rng: random.Random) -> Problem:
        subject = rng.choice(list(SUBJECTS))
        rules = [*rng.sample(EASY, easy), *rng.sample(HARD, hard)]
        if any(pair <= set(rules) for pair in CONTRADICT):
            return draw(rng)
        said, names, arguments = zip(*(rule(rng, subject) for rule in rules), strict=True)
        prompt = " ".join((f"Write a sentence about {subject}.", *said))
        instructions = [{"id": name, "kwargs": kwargs} for name, kwargs in zip(names, arguments, strict=True)]
        spec = {"instructions": instructions, "prompt": prompt}
        return Problem(prompt=prompt, domain="instruction", verifier="instruction", spec=spec, source="constraints")

    return draw


@generators.register("constraints")
def levels() -> tuple[Level, ...]:
    """One instruction, easy or not, then two and three."""
    return _level(1, 0), _level(0, 1), _level(1, 1), _level(1, 2)
