"""What a recipe would make of the store as it is, and what it lacks, without writing anything.

Needs are told with the command that meets them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from typing import Any

import numpy as np

from gradus.curricula.build import plan_curriculum
from gradus.curricula.chat import Renderer
from gradus.curricula.gathering import Gathered
from gradus.curricula.mixture import parts
from gradus.curricula.planning import StagePlan
from gradus.curricula.recipe import Recipe
from gradus.curricula.rendered import RenderedRows
from gradus.curricula.rl import RLPlan, plan_rl
from gradus.engine.judge import count_unjudged
from gradus.engine.making.shape import num_unshaped
from gradus.engine.models import model_id, resolve_model
from gradus.engine.records import HELDOUT, Trace
from gradus.engine.store import Store

MAKES = {
    "cot": "gradus sample --recipe {recipe}",
    "correction": "gradus correct --recipe {recipe}",
    "imported": "gradus problems import FILE --format LAYOUT",
}
"""By kind of trace, what makes more of it."""


def dry_run(store: Store, recipe: Recipe, traces: Iterable[Trace], *, named: str) -> dict[str, Any]:
    """Return what each stage would take and what is missing; named is what commands call the recipe."""
    folder = resolve_model(recipe.student)
    student, renderer = model_id(folder), Renderer(folder, recipe.render)
    gathered, plans, left_out = plan_curriculum(store, recipe, traces, renderer, student, RenderedRows(None))
    missing = [
        *_missing_records(store, recipe, named),
        *_missing_traces(plans, named),
        *_missing_measures(store, recipe, gathered, student=student, named=named),
    ]
    dropped = gathered.dropped + left_out
    taken = sum(len(plan.traces) for plan in plans)
    return {
        "recipe": recipe.name,
        "student": student,
        "in": taken + dropped.total(),
        "kept": taken,
        "dropped": dict(dropped),
        "stages": [_stage(plan) for plan in plans],
        "rl": _rl(plan_rl(store, recipe, student)),
        "missing": missing,
    }


def _rl(plan: RLPlan) -> dict[str, Any]:
    return {
        "active": plan.num("active"),
        "reserve": plan.num("reserve"),
        "quotas": plan.quotas,
        "left_out": plan.left_out,
        "lacking": list(plan.notes),
    }


def _stage(plan: StagePlan) -> dict[str, Any]:
    config, sequences = plan.config, plan.sequences
    return {
        "name": config.name,
        "policy": config.policy,
        "context_length": config.context_length,
        "token_budget": config.token_budget,
        "num_traces": len(plan.traces),
        "num_documents": len(sequences.rows) if sequences else 0,
        "num_tokens": plan.num_tokens,
        "num_sequences": len(sequences) if sequences else 0,
        "utilisation": round(plan.num_tokens / (len(sequences) * config.context_length), 6) if sequences else 0.0,
        "entries": [_entry(plan, name, place) for place, name in enumerate(sorted(plan.chosen.shares))],
        "lacking": list(plan.lacking),
    }


def _entry(plan: StagePlan, name: str, place: int) -> dict[str, Any]:
    share, rows = plan.chosen.shares[name], plan.chosen.rows[name]
    num_sequences = int((plan.sequences.entry == place).sum()) if plan.sequences else 0
    num_tokens = int(plan.traces.num_tokens[rows].sum())
    room = num_sequences * plan.config.context_length
    return {
        "entry": name,
        "wanted_tokens": share.wanted,
        "available_traces": share.available_traces,
        "available_tokens": share.available_tokens,
        "num_traces": len(np.unique(rows)),
        "num_tokens": num_tokens,
        "num_sequences": num_sequences,
        "utilisation": round(num_tokens / room, 6) if room else 0.0,
        "shortage": max(share.wanted - share.supply, 0),
    }


def _need(what: str, num: int, command: str) -> dict[str, Any]:
    return {"what": what, "num": num, "command": command}


def _missing_records(store: Store, recipe: Recipe, named: str) -> Iterator[dict[str, Any]]:
    if num := count_unjudged(store):
        yield _need("attempts that nobody has judged", num, "gradus judge")
    if recipe.traces.limits and (num := num_unshaped(store)):
        yield _need("traces whose steps are not measured, as the limits need", num, f"gradus traces --recipe {named}")


def _missing_traces(plans: Iterable[StagePlan], named: str) -> Iterator[dict[str, Any]]:
    for plan in plans:
        for name, share in plan.chosen.shares.items():
            if share.is_short:
                what = f"tokens of {name} in stage {plan.config.name}" + ("" if share.supply else ": there are none")
                kind = [*parts(name), "*"][1]
                command = next(command for one, command in MAKES.items() if fnmatchcase(one, kind))
                yield _need(what, share.wanted - share.supply, command.format(recipe=named))


def _missing_measures(
    store: Store, recipe: Recipe, gathered: Gathered, *, student: str, named: str
) -> Iterator[dict[str, Any]]:
    measure = f"gradus sample --recipe {named} teacher.kind=vllm teacher.model={recipe.student}"
    if any(stage.policy != "uniform" for stage in recipe.stages):
        query = "SELECT count(*) AS n FROM problems WHERE id IN (SELECT unnest($ids::VARCHAR[]))"
        if num := store.rows(query, {"ids": gathered.unmeasured})[0]["n"]:
            yield _need(f"problems with traces, and without a pass rate of {student}", num, measure)
    query = """SELECT count(*) AS n FROM problems
               WHERE list_contains($domains, domain) AND NOT list_contains(tags, $heldout)
                 AND id NOT IN (SELECT problem_id FROM difficulty WHERE model_id = $student)"""
    asked = {"domains": list(recipe.rl.quotas), "heldout": HELDOUT, "student": student}
    if num := store.rows(query, asked)[0]["n"]:
        yield _need(f"problems for RL without a pass rate of {student}", num, measure)
    for gate in gathered.gates:
        if gate.value is None:
            what = f"traces of {gate.teacher} in {gate.domain}, whose {gate.metric} is not known: {gate.reason}"
            yield _need(what, gate.num_traces, f"gradus compare-teachers --recipe {named}")
