"""The RL section: problems that the student sometimes solves, active or in reserve, and why all others are left out.

A problem's pass rate is known by the posterior of posterior.py, so 1 of 4 is no certain 1/4. It is *active* if the rate
lies in the band with the recipe's confidence at least; of a domain for which `active` names a number, the surest ones
are, and a hash of seed and id decides among equals. The others wait in *reserve*, and so do those that lie in the band
with a probability of at least `reserve`; the trainer lets them in for problems that turn out too easy or too hard.
Every problem of the store is active, in reserve, or counted under one reason. Not covered: how sure the band is for a
student that has been trained since; `gradus sample --rescore` measures again.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gradus.curricula import posterior
from gradus.curricula.chance import chances
from gradus.curricula.chat import Renderer
from gradus.curricula.manifest import RL_SCHEMA, RLSection
from gradus.curricula.recipe import Recipe, RLConfig
from gradus.curricula.shards import write_shard
from gradus.engine.records import HELDOUT, Problem, canonical_json
from gradus.engine.store import SQL, Store, to_problem

Role = Literal["active", "reserve"]
KEPT = ("id", "domain", "num_attempts", "num_passed", "pass_rate", "in_band")


@dataclass(frozen=True, slots=True)
class RLPlan:
    """Who is in, by id, with what was measured, and how many are left out for which reason."""

    config: RLConfig
    found: dict[str, dict[str, Any]]
    left_out: dict[str, int]

    def num(self, role: Role) -> dict[str, int]:
        """Return how many problems of each domain have a role."""
        return dict(sorted(Counter(row["domain"] for row in self.found.values() if row["role"] == role).items()))

    @property
    def quotas(self) -> dict[str, int]:
        """What every minibatch can meet without a problem twice."""
        active = self.num("active")
        quotas = {domain: min(quota, active.get(domain, 0)) for domain, quota in self.config.quotas.items()}
        return {domain: quota for domain, quota in quotas.items() if quota}

    @property
    def notes(self) -> tuple[str, ...]:
        """What the quotas are short of the recipe's, in words."""
        return tuple(
            f"quota of {domain}: {self.quotas.get(domain, 0)} instead of {quota}, for no more problems are active"
            for domain, quota in self.config.quotas.items()
            if self.quotas.get(domain, 0) < quota
        )


def rl_section(curricula: Path, store: Store, recipe: Recipe, renderer: Renderer, student: str) -> RLSection:
    """Write the active and reserve problems, in the order of their ids."""
    plan = plan_rl(store, recipe, student)
    domains = sorted({row["domain"] for row in plan.found.values()})
    return RLSection(
        problems=write_shard(curricula, RL_SCHEMA, _rows(store, recipe, renderer, plan.found)),
        band=recipe.rl.band,
        confidence=recipe.rl.confidence,
        quotas=plan.quotas,
        group_size=recipe.rl.group_size,
        reserve=plan.num("reserve"),
        sampling={name: asdict(recipe.student_domain(name).sampling) for name in domains},
        left_out=plan.left_out,
        notes=plan.notes,
    )


def plan_rl(store: Store, recipe: Recipe, student: str) -> RLPlan:
    """Return which problems are active and in reserve, and why the others are not."""
    found: dict[str, dict[str, Any]] = {}
    left_out = Counter[str]()
    for row in _measured(store, recipe.rl, student):
        if reason := _left_out(row, recipe.rl):
            left_out[reason] += 1
        else:
            role: Role = "active" if row["in_band"] >= recipe.rl.confidence else "reserve"
            found[row["id"]] = {name: row[name] for name in KEPT} | {"role": role}
    for domain, num in recipe.rl.active.items():
        rows = [row for row in found.values() if row["domain"] == domain and row["role"] == "active"]
        luck = chances(f"{recipe.seed}/rl", np.array([row["id"] for row in rows], "S64")).tolist()
        by_surety = sorted(zip(rows, luck, strict=True), key=lambda one: (-one[0]["in_band"], one[1]))
        for row, _ in by_surety[num:]:
            row["role"] = "reserve"
    return RLPlan(recipe.rl, found, dict(left_out))


def _measured(store: Store, config: RLConfig, student: str) -> Iterator[dict[str, Any]]:
    """Yield every problem, with what the student's attempts say of it, and the step that dropped it if one did."""
    counts = (SQL / "pass_counts.sql").read_text()
    query = f"""SELECT problems.id, problems.domain, list_contains(tags, $heldout) AS heldout,
                       num_attempts::BIGINT AS num_attempts, num_passed::BIGINT AS num_passed, pass_rate,
                       why.dropped, coalesce(said.weight, 1) AS weight
                FROM problems
                LEFT JOIN ({counts}) AS counts ON counts.problem_id = problems.id
                LEFT JOIN (SELECT record_id, min(step) AS dropped FROM dropped GROUP BY ALL) AS why
                    ON why.record_id = problems.id
                LEFT JOIN curated AS said ON said.record_id = problems.id
                ORDER BY problems.id"""
    for rows in store.batches(query, {"model": student, "heldout": HELDOUT}):
        passed, attempts = (np.array([row[name] or 0 for row in rows]) for name in ("num_passed", "num_attempts"))
        in_band = posterior.inside(passed, attempts, *config.band).round(posterior.DIGITS).tolist()
        too_low = posterior.below(passed, attempts, config.band[0]).round(posterior.DIGITS).tolist()
        yield from (row | {"in_band": i, "too_low": t} for row, i, t in zip(rows, in_band, too_low, strict=True))


def _left_out(row: Mapping[str, Any], config: RLConfig) -> str:
    """Return why a problem is left out; empty if it is in."""
    if row["heldout"]:
        return "held out for evaluation"
    if row["domain"] not in config.quotas:
        return f"no quota for {row['domain']}"
    if row["num_attempts"] is None:
        return "pass rate not measured"
    if row["in_band"] < (least := config.confidence if config.reserve is None else config.reserve):
        return _outside(row, config.band, least)
    if row["dropped"]:
        return f"dropped: {row['dropped']}"
    return "weight 0" if row["weight"] == 0 else ""


def _outside(row: Mapping[str, Any], band: tuple[float, ...], least: float) -> str:
    """Name the likeliest of three: below the band, above it, or in it after all, though not surely enough."""
    too_low, too_high = row["too_low"], 1 - row["in_band"] - row["too_low"]
    if row["in_band"] >= max(too_low, too_high):
        return f"pass rate in the band, but with a probability below {least:g}"
    return f"pass rate probably below {band[0]:g}" if too_low > too_high else f"pass rate probably above {band[1]:g}"


def _rows(
    store: Store, recipe: Recipe, renderer: Renderer, found: Mapping[str, Mapping[str, Any]]
) -> Iterator[dict[str, Any]]:
    query = "SELECT * FROM problems WHERE id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY id"
    for rows in store.batches(query, {"ids": list(found)}):
        yield from (_row(to_problem(row), found[row["id"]], recipe, renderer) for row in rows)


def _row(problem: Problem, measured: Mapping[str, Any], recipe: Recipe, renderer: Renderer) -> dict[str, Any]:
    messages = recipe.student_domain(problem.domain).prompt.messages(problem.prompt)
    return {
        "problem_id": problem.id,
        "domain": problem.domain,
        "verifier": problem.verifier,
        "spec": canonical_json(problem.spec),
        "messages": json.dumps(messages),
        "prompt_token_ids": renderer.prompt(messages),
        "num_attempts": measured["num_attempts"],
        "num_passed": measured["num_passed"],
        "pass_rate": measured["pass_rate"],
        "role": measured["role"],
        "in_band": measured["in_band"],
    }
