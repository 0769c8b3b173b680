"""Instruction following with many kinds of instruction, drawn so that one answer can follow them all.

Level n gives n instructions, of IFEval's and IF-RLVR's kinds; IFBench's stay a held-out test. `level` makes other
choices of number and kinds.
"""

from __future__ import annotations

import random
from collections.abc import Collection

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators
from gradus.engine.sources.constraints import SUBJECTS
from gradus.verifiers.instructions.draw import draw

TASKS = ("Write about {}.", "Tell a story about {}.", "Describe {} to a friend.", "Write a letter about {}.")
NUM_LEVELS = 5


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


generators.register("instructions")(tuple(level(num) for num in range(1, NUM_LEVELS + 1)))
