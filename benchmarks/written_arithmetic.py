"""Written arithmetic: problems of five skills at rising levels, each with one exact written solution.

A level is a number of digits (add, subtract, multiply by one digit), of terms (chain) or of letters (sort). A token is
a character of ALPHABET.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gradus.trainer.batch import Document

ALPHABET = "\n=>|0123456789+-*abcdefghijklmnopqrstuvwxyz,"
END = "\n"


@dataclass(frozen=True, slots=True)
class Example:
    """A problem and its written solution."""

    skill: str
    level: int
    ask: str
    solution: str

    @property
    def document(self) -> Document:
        ids = np.array([ALPHABET.index(c) for c in self.ask + self.solution + END], np.int64)
        return Document(ids, np.arange(len(ids)) >= len(self.ask))


def columns(a: int, b: int, sign: int) -> str:
    """Write a ± b digit by digit from the right, with what is carried."""
    carry, steps = 0, []
    for i in range(max(len(str(a)), len(str(b)))):
        x, y = a // 10**i % 10, b // 10**i % 10
        total = x + sign * (y + carry)
        steps.append(f"{x}{'+' if sign > 0 else '-'}{y},{carry}={total % 10}")
        carry = int(total > 9 or total < 0)
    return "|".join(steps) + f">{a + sign * b}"


def add(rng: random.Random, level: int) -> tuple[str, str]:
    a, b = (rng.randrange(10 ** (level - 1), 10**level) for _ in range(2))
    return f"{a}+{b}", columns(a, b, 1)


def subtract(rng: random.Random, level: int) -> tuple[str, str]:
    a, b = sorted((rng.randrange(10 ** (level - 1), 10**level) for _ in range(2)), reverse=True)
    return f"{a}-{b}", columns(a, b, -1)


def multiply(rng: random.Random, level: int) -> tuple[str, str]:
    a, b = rng.randrange(10 ** (level - 1), 10**level), rng.randrange(2, 10)
    carry, steps = 0, []
    for digit in reversed(str(a)):
        total = int(digit) * b + carry
        steps.append(f"{digit}*{b}+{carry}={total}")
        carry = total // 10
    return f"{a}*{b}", "|".join(steps) + f">{a * b}"


def chain(rng: random.Random, level: int) -> tuple[str, str]:
    total = rng.randrange(10, 50)
    ask, steps = str(total), []
    for _ in range(level + 1):
        term = rng.randrange(1, 10) * (1 if total < 15 or rng.random() < 0.5 else -1)
        steps.append(f"{total}{term:+d}={total + term}")
        ask, total = f"{ask}{term:+d}", total + term
    return ask, "|".join(steps) + f">{total}"


def sort(rng: random.Random, level: int) -> tuple[str, str]:
    word = "".join(rng.sample("abcdefghijklmnop", level + 2))
    left, steps = word, []
    while len(left) > 1:
        least = min(left)
        left = left.replace(least, "")
        steps.append(f"{least},{left}")
    return f"{word},", "|".join(steps) + f">{''.join(sorted(word))}"


SKILLS: dict[str, Callable[[random.Random, int], tuple[str, str]]] = {
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "chain": chain,
    "sort": sort,
}


def draw(seed: str, cells: Sequence[tuple[str, int]], per_cell: int) -> list[Example]:
    """Return problems of each cell, a skill and a level; short ones repeat, as there are few."""
    found = []
    for skill, level in cells:
        rng = random.Random(f"{seed}/{skill}/{level}")
        for _ in range(per_cell):
            ask, solution = SKILLS[skill](rng, level)
            found.append(Example(skill, level, ask + "=", solution))
    return found
