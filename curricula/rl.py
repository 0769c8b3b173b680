"""The RL section: problems the student sometimes solves, with the reasons of all that are left out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gradus.curricula.chat import Renderer
from gradus.curricula.manifest import RL_SCHEMA, RLSection
from gradus.curricula.recipe import Recipe
from gradus.curricula.shards import write_shard
from gradus.engine.records import HELDOUT, Problem, canonical_json
from gradus.engine.store import SQL, Store, to_problem

MEASURED = ("num_attempts", "num_passed", "pass_rate", "dropped", "weight")


def rl_section(curricula: Path, store: Store, recipe: Recipe, renderer: Renderer, student: str) -> RLSection:
    """Write the problems inside the band, in the order of their ids."""
    left_out, taken = Counter[str](), Counter[str]()

    def rows() -> Iterator[dict[str, Any]]:
        for problem, counts in _measured(store, student):
            if reason := _left_out(problem, counts, recipe):
                left_out[reason] += 1
            else:
                taken[problem.domain] += 1
                yield _row(problem, counts, recipe, renderer)

    problems = write_shard(curricula, RL_SCHEMA, rows())
    domains = sorted(taken)
    return RLSection(
        problems=problems,
        band=recipe.rl.band,
        quotas={name: count for name, count in recipe.rl.quotas.items() if name in domains},
        group_size=recipe.rl.group_size,
        sampling={name: asdict(recipe.student_domain(name).sampling) for name in domains},
        left_out=dict(left_out),
    )


def _measured(store: Store, student: str) -> Iterator[tuple[Problem, dict[str, Any]]]:
    """Yield every problem, with how often the student passed it, and the step that dropped it if one did."""
    counts = (SQL / "pass_counts.sql").read_text()
    query = f"""SELECT problems.*, counts.* EXCLUDE (problem_id), why.dropped, coalesce(said.weight, 1) AS weight
                FROM problems
                LEFT JOIN ({counts}) AS counts ON counts.problem_id = problems.id
                LEFT JOIN (SELECT record_id, min(step) AS dropped FROM dropped GROUP BY ALL) AS why
                    ON why.record_id = problems.id
                LEFT JOIN curated AS said ON said.record_id = problems.id
                ORDER BY problems.id"""
    for rows in store.batches(query, {"model": student}):
        for row in rows:
            measured = {name: row.pop(name) for name in MEASURED}
            yield to_problem(row), measured


def _left_out(problem: Problem, counts: dict[str, Any], recipe: Recipe) -> str:
    """Return why a problem is left out; empty if it is in."""
    if HELDOUT in problem.tags:
        return "held out for evaluation"
    if problem.domain not in recipe.rl.quotas:
        return f"no quota for {problem.domain}"
    rate, (low, high) = counts["pass_rate"], recipe.rl.band
    if rate is None:
        return "pass rate not measured"
    if rate < low:
        return f"pass rate below {low:g}"
    if rate > high:
        return f"pass rate above {high:g}"
    if counts["dropped"]:
        return f"dropped: {counts['dropped']}"
    return "weight 0" if counts["weight"] == 0 else ""


def _row(problem: Problem, counts: dict[str, Any], recipe: Recipe, renderer: Renderer) -> dict[str, Any]:
    messages = recipe.student_domain(problem.domain).prompt.messages(problem.prompt)
    return {
        "problem_id": problem.id,
        "domain": problem.domain,
        "verifier": problem.verifier,
        "spec": canonical_json(problem.spec),
        "messages": json.dumps(messages),
        "prompt_token_ids": renderer.prompt(messages),
        "num_attempts": counts["num_attempts"],
        "num_passed": counts["num_passed"],
        "pass_rate": counts["pass_rate"],
    }
