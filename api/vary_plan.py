"""What `gradus vary` is to vary: training problems, or those of the skills that the student fails."""

from __future__ import annotations

from collections.abc import Sequence

from gradus.curricula.recipe import Recipe
from gradus.engine.records import DOMAINS, HELDOUT, Problem
from gradus.engine.store import Store
from gradus.engine.teachers.base import TeacherConfig, teachers
from gradus.engine.varying.aligned import Need, failure_rates, needs
from gradus.engine.varying.plan import VARIED, Group, Plan, make_plan
from gradus.errors import ConfigError


def planned(store: Store, recipe: Recipe) -> tuple[Plan, list[Need]]:
    """Return what is to be varied and, if it is for a validation set, what the student needs."""
    config = recipe.vary
    where = (
        "NOT list_contains(tags, $heldout) AND NOT list_contains(tags, $aligned) "
        "AND ($tag = '' OR list_contains(tags, $tag)) AND NOT list_bool_or([t ^@ $varied FOR t IN tags] || [false]) "
        "AND NOT EXISTS (FROM dropped WHERE dropped.record_id = problems.id)"
    )
    named = {"heldout": HELDOUT, "aligned": config.aligned, "tag": config.tag, "varied": VARIED}
    training = store.problems(where, named)
    if not config.aligned:
        return make_plan([Group("", 1.0, training)], config), []
    found = _needs(store, recipe, training)
    groups = [need.group for need in found if need.group]
    if not groups:
        lacking = "; ".join(need.skill.name for need in found) or "none: the student fails nothing there"
        raise ConfigError(f"no training problem or generator has a skill failed on {config.aligned!r}: {lacking}")
    return make_plan(groups, config), found


def _needs(store: Store, recipe: Recipe, training: Sequence[Problem]) -> list[Need]:
    tag = recipe.vary.aligned
    validation = store.problems("list_contains(tags, $tag)", {"tag": tag})
    if not validation:
        raise ConfigError(f"no problem has the tag {tag!r}; `gradus problems import FILE --tag {tag}` sets it")
    student = teachers["vllm"].identify(TeacherConfig(model=recipe.student))
    rates = failure_rates(store, tag, student, [recipe.evaluate.sampler(domain) for domain in DOMAINS])
    if not rates:
        command = f"gradus eval --tag {tag} --model {recipe.student} --recipe {recipe.name}"
        raise ConfigError(f"{student} has not been tried on the problems tagged {tag!r}: run `{command}` first")
    return needs(validation, training, rates, tag)


def kept_for_evaluation(store: Store, tag: str) -> list[Problem]:
    """Return the held-out problems, and those with a tag."""
    where = "list_contains(tags, $heldout) OR list_contains(tags, $tag)"
    return store.problems(where, {"heldout": HELDOUT, "tag": tag})
