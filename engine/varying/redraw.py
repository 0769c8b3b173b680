"""Problems that came out of a generator, drawn again from the same level of it.

A generator is known by the beginning of its problems' source, a level by the tag `level:n`, and for instructions by how
many there are. The new problem has the old one's source, so its template where a generator has several, and its tag
`kind:…` if it has one. A data set of reasoning-gym that no generator of ours has is drawn with its default settings,
where its items have one value. Not covered: options that a generator was given, but for the number of instructions.
"""

from __future__ import annotations

import random
from dataclasses import replace
from functools import cache

from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators, tagged
from gradus.engine.varying.base import Draft, Task, UnusableError, has_one_value

LEVEL, KIND = "level:", "kind:"
FOREIGN = "reasoning-gym/"
TRIES = 400


def level_of(problem: Problem) -> Level | None:
    """Return what draws problems like this one; None if it came out of no generator that we know."""
    levels = _levels().get(_family(problem), {})
    own = next((tag for tag in problem.tags if tag.startswith(LEVEL)), "")
    if problem.spec.get("instructions"):
        return levels.get((own, _size(problem))) or next(
            (lv for (_, n), lv in levels.items() if n == _size(problem)), None
        )
    return levels.get((own, 0)) or (_foreign(problem) if problem.source.startswith(FOREIGN) and not own else None)


def redraw(problem: Problem, task: Task) -> Draft:
    """Draw another problem of the same level and of the skill that is wanted."""
    level = level_of(problem)
    for _ in range(TRIES if level else 0):
        assert level is not None
        fresh = level(task.rng)
        if fresh.id != problem.id and _sort(fresh) == _sort(problem) and task.fits(fresh):
            break
    else:
        raise UnusableError(f"nothing drawn: {TRIES} draws of {problem.source} gave no other problem of the skill")
    return Draft(
        prompt=fresh.prompt,
        domain=fresh.domain,
        verifier=fresh.verifier,
        spec=fresh.spec,
        source=fresh.source,
        answer="computed",
        tags=fresh.tags,
    )


def _sort(problem: Problem) -> tuple[str, list[str]]:
    return problem.source, [tag for tag in problem.tags if tag.startswith(KIND)]


def _family(problem: Problem) -> str:
    return problem.source.partition("/")[0]


def _size(problem: Problem) -> int:
    return len(problem.spec.get("instructions", ()))


@cache
def _levels() -> dict[str, dict[tuple[str, int], Level]]:
    """Return by family: the levels that draw its problems, by their tag and the number of instructions."""
    found: dict[str, dict[tuple[str, int], Level]] = {}
    for name in generators.names():
        for number, level in enumerate(generators[name](), 1):
            first = level(random.Random(f"{name}/{number}"))
            mark = f"{LEVEL}{number}"
            found.setdefault(_family(first), {})[mark, _size(first)] = _marked(level, mark)
    return found


def _marked(level: Level, mark: str) -> Level:
    return lambda rng: tagged(level(rng), mark)


def _foreign(problem: Problem) -> Level | None:
    """Return a draw from another data set of reasoning-gym, where its items have one value like the problem."""
    import reasoning_gym
    from reasoning_gym.factory import DATASETS

    name = problem.source.removeprefix(FOREIGN)
    if name not in DATASETS or not has_one_value(problem):
        return None

    def draw(rng: random.Random) -> Problem:
        item = reasoning_gym.create_dataset(name, size=1, seed=rng.getrandbits(31))[0]
        return replace(problem, prompt=item["question"], spec={"expected": item["answer"]}, tags=())

    return draw
