"""Which training problems to vary for a validation set: those of the skills that the student fails there.

The validation problems themselves are never varied. Where no training problem has a skill, but a generator's level
does, that level is drawn from anew: the validation problem only names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from gradus.engine.records import Problem
from gradus.engine.store import Store
from gradus.engine.varying.plan import Group
from gradus.engine.varying.redraw import level_of
from gradus.engine.varying.skills import Skill, Skills


@dataclass(frozen=True, slots=True)
class Need:
    """A skill that is failed, and the group that trains it; None if nothing here could."""

    skill: Skill
    group: Group | None


def failure_rates(store: Store, tag: str, model_id: str, samplers: Sequence[str]) -> dict[str, float]:
    """Return by problem id the share of a model's attempts at the tagged problems that did not pass."""
    parameters = {"tag": tag, "model": model_id, "samplers": list(samplers)}
    return {row["problem_id"]: row["failed"] / row["attempts"] for row in store.named("aligned_failures", parameters)}


def needs(
    validation: Sequence[Problem], training: Sequence[Problem], rates: dict[str, float], set_tag: str
) -> list[Need]:
    """Return the skills that are failed, the surest first, each with the problems to vary for it."""
    skills = Skills(validation, set_tag)
    by_skill: dict[str, list[Problem]] = {}
    for problem in training:
        for name in skills.of(problem):
            by_skill.setdefault(name, []).append(problem)
    found = []
    for skill in skills.rank(validation, rates):
        if skill.failure_rate > 0:
            drawn = [p for p in validation if skill.name in skills.of(p) and level_of(p)]
            found.append(Need(skill, _group(skill, by_skill.get(skill.name, []), drawn, skills)))
    return found


def _group(skill: Skill, own: list[Problem], drawn: list[Problem], skills: Skills) -> Group | None:
    fits = partial(_has, skills, skill.name)
    if own:
        return Group(skill.name, skill.low, own, fits)
    return Group(skill.name, skill.low, drawn, fits, only=("numbers",)) if drawn else None


def _has(skills: Skills, name: str, problem: Problem) -> bool:
    return name in skills.of(problem)
