"""Where a solution first goes wrong.

Its steps are those of compatibility/reading.py: sentences, or lines, of at least two words. The first wrong one is the
step with the first stated equation that does not hold; None where all hold: then the plan is wrong, or a step in words.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from itertools import pairwise

from gradus.engine.compatibility.reading import step_starts
from gradus.verifiers.equations import Equation, stated


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a text: text[start:end] without the space around it."""

    text: str
    start: int
    end: int


def to_steps(text: str) -> list[Step]:
    """Return the steps of a text, in order; none for a blank one."""
    bounds = [*step_starts(text), len(text)]
    pieces = [(start, text[start:end]) for start, end in pairwise(bounds)]
    return [
        Step(piece.strip(), start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip()))
        for start, piece in pieces
        if piece.strip()
    ]


def first_wrong(text: str) -> Equation | None:
    """Return the first equation that does not hold."""
    return next((equation for equation in stated(text) if equation.holds is False), None)


def first_wrong_step(text: str) -> tuple[int, Equation] | None:
    """Return the number, from 1, of the first step that states a wrong equation, and that equation."""
    wrong = first_wrong(text)
    return (bisect_right([step.start for step in to_steps(text)], wrong.start), wrong) if wrong else None


def numbered(text: str) -> str:
    """Return the steps, a line each, with their numbers."""
    return "\n".join(f"{number}. {' '.join(step.text.split())}" for number, step in enumerate(to_steps(text), 1))
