"""The RL section: problems the student sometimes solves, with the reasons of all that are left out."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyarrow as pa

from gradus.curricula.chat import Renderer
from gradus.curricula.manifest import RL_SCHEMA, RLSection
from gradus.curricula.recipe import Recipe
from gradus.curricula.shards import write_shard
from gradus.engine.records import HELDOUT, Problem, canonical_json
from gradus.engine.store import Store


def rl_section(curricula: Path, store: Store, recipe: Recipe, renderer: Renderer, student: str) -> RLSection:
    """Write the problems inside the band, in the order of their ids."""
    counts = {row["problem_id"]: row for row in store.named("pass_counts", {"model": student})}
    dropped = {row["record_id"]: row["step"] for row in store.rows("SELECT record_id, step FROM dropped")}
    low, high = recipe.rl.band
    rows, left_out = [], Counter[str]()
    for problem in store.problems():
        reason = _left_out(problem, counts.get(problem.id), recipe, (low, high))
        if not reason and problem.id in dropped:
            reason = f"dropped: {dropped[problem.id]}"
        if reason:
            left_out[reason] += 1
        else:
            rows.append(_row(problem, counts[problem.id], recipe, renderer))
    domains = sorted({row["domain"] for row in rows})
    return RLSection(
        problems=write_shard(curricula, pa.Table.from_pylist(rows, schema=RL_SCHEMA)),
        band=(low, high),
        quotas={name: count for name, count in recipe.rl.quotas.items() if name in domains},
        group_size=recipe.rl.group_size,
        sampling={name: asdict(recipe.student_domain(name).sampling) for name in domains},
        left_out=dict(left_out),
    )


def _left_out(problem: Problem, counts: dict[str, Any] | None, recipe: Recipe, band: tuple[float, float]) -> str:
    """Return why a problem is left out; empty if it is in."""
    if HELDOUT in problem.tags:
        return "held out for evaluation"
    if problem.domain not in recipe.rl.quotas:
        return f"no quota for {problem.domain}"
    if counts is None:
        return "pass rate not measured"
    rate = counts["num_passed"] / counts["num_attempts"]
    if rate < band[0]:
        return f"pass rate below {band[0]:g}"
    return f"pass rate above {band[1]:g}" if rate > band[1] else ""


def _row(problem: Problem, counts: dict[str, Any], recipe: Recipe, renderer: Renderer) -> dict[str, Any]:
    messages = recipe.student_domain(problem.domain).prompt.messages(problem)
    return {
        "problem_id": problem.id,
        "domain": problem.domain,
        "verifier": problem.verifier,
        "spec": canonical_json(problem.spec),
        "messages": json.dumps(messages),
        "prompt_token_ids": renderer.prompt(messages),
        "num_attempts": counts["num_attempts"],
        "num_passed": counts["num_passed"],
        "pass_rate": counts["num_passed"] / counts["num_attempts"],
    }
