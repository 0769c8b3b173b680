"""Instruction following with many kinds of instruction, drawn so that one answer can follow them all.

Level n gives n instructions, of IFEval's and IF-RLVR's kinds; IFBench's stay a held-out test. Options: counts, the
number of instructions by level; include and exclude, lists of kinds.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators
from gradus.engine.sources.constraints import SUBJECTS
from gradus.verifiers.instructions.draw import draw

TASKS = ("Write about {}.", "Tell a story about {}.", "Describe {} to a friend.", "Write a letter about {}.")


def level(num: int, *, include: Collection[str] | None = None, exclude: Collection[str] = ()) -> Level:
    """Return a level of problems with num instructions each, of the kinds included and not excluded."""

    def draw_problem(rng: random.Random) -> Problem:
        task = rng.choice(TASKS).format(rng.choice(list(SUBJECTS)))
        drawn = draw(rng, num, include=include, exclude=exclude)
        prompt = " ".join((task, *(one.said for one in drawn)))
        instructions = [{"id": one.kind, "kwargs": one.kwargs} for one in drawn]
        spec = {"instructions": instructions, "prompt": prompt}
        return Problem(prompt=prompt, domain="instruction", verifier="instruction", spec=spec, source="instructions")

    return draw_problem


@generators.register("instructions")
def levels(
    *,
    counts: Sequence[int] = (1, 2, 3, 4, 5),
    include: Collection[str] | None = None,
    exclude: Collection[str] = (),
) -> tuple[Level, ...]:
    """One level for each count: as many instructions a problem, of the kinds included and not excluded."""
    if not counts or not all(isinstance(count, int) and count > 0 for count in counts):
        raise ValueError(f"counts must be numbers above 0, not {counts!r}")
    made = tuple(level(count, include=include, exclude=exclude) for count in counts)
    for one in made:
        one(random.Random(0))  # kinds that are unknown or do not fit are told now
    return made
