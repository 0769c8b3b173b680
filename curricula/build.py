"""From verified traces and measured difficulty to a manifest; the same store and recipe, the same id."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa

from gradus import __version__
from gradus.curricula import manifest as m
from gradus.curricula.chat import Renderer
from gradus.curricula.mixture import interleave
from gradus.curricula.packing import pack
from gradus.curricula.policies.base import Candidate, policies
from gradus.curricula.recipe import Recipe, StageConfig
from gradus.curricula.rl import rl_section
from gradus.curricula.shards import write_manifest, write_shard
from gradus.engine.models import model_id, resolve_model
from gradus.engine.records import Trace, canonical_json, content_id
from gradus.engine.store import Store
from gradus.engine.workspace import Workspace
from gradus.errors import DataError


def build_manifest(workspace: Workspace, store: Store, recipe: Recipe, traces: Sequence[Trace]) -> Path:
    """Write the shards and the manifest of a recipe; return the manifest's path."""
    if not recipe.stages:
        raise DataError(f"recipe {recipe.name!r} has no [[stages]]")
    folder = resolve_model(recipe.student)
    student, renderer = model_id(folder), Renderer(folder)
    candidates = _candidates(store, traces, renderer, student)
    inputs = content_id([(c.trace.id, c.pass_rate) for c in candidates])
    dropped: Counter[str] = Counter()
    stages = []
    for config in recipe.stages:
        chosen = _choose(config, candidates, random.Random(f"{recipe.seed}/{config.name}"))
        used = {c.trace.id for c in chosen}
        candidates = [c for c in candidates if c.trace.id not in used]
        stages.append(_write_stage(workspace.curricula, config, chosen))
    longest = max(config.context_length for config in recipe.stages)
    for candidate in candidates:
        dropped["longer than every stage" if candidate.num_tokens > longest else "outside every budget or mixture"] += 1
    manifest = m.Manifest(
        format=m.FORMAT,
        name=recipe.name,
        gradus_version=__version__,
        policy=", ".join(f"{s.name}: {s.policy}" for s in recipe.stages),
        seed=recipe.seed,
        recipe=json.loads(canonical_json(asdict(recipe))),
        inputs=inputs,
        tokenizer=m.Tokenizer(model_id=student, fingerprint=renderer.fingerprint),
        stages=tuple(stages),
        rl=rl_section(workspace.curricula, store, recipe, renderer, student),
        dropped=dict(dropped),
    )
    return write_manifest(workspace.manifests, manifest)


def _candidates(store: Store, traces: Sequence[Trace], renderer: Renderer, student: str) -> list[Candidate]:
    query = (
        "SELECT problem_id, sum(num_passed) / sum(num_attempts) AS rate FROM difficulty WHERE model_id = $m GROUP BY 1"
    )
    rates = {row["problem_id"]: row["rate"] for row in store.rows(query, {"m": student})}
    candidates = []
    for trace in sorted(traces, key=lambda t: t.id):
        token_ids, loss_mask = renderer.trace(trace.messages, trace.learn)
        rate = rates.get(trace.problem_id)
        candidates.append(Candidate(trace=trace, token_ids=token_ids, loss_mask=loss_mask, pass_rate=rate))
    return candidates


def _choose(config: StageConfig, candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    fitting = [c for c in candidates if c.num_tokens <= config.context_length]
    chosen = interleave(policies[config.policy](fitting, rng), config.mixture, config.token_budget)
    if not chosen:
        raise DataError(
            f"stage {config.name!r}: no trace of {', '.join(config.mixture)} fits {config.context_length} tokens "
            f"and its budget of {config.token_budget}; sample and judge more, or change the stage"
        )
    return chosen


def _write_stage(curricula: Path, config: StageConfig, chosen: Sequence[Candidate]) -> m.Stage:
    sequences = pack([c.num_tokens for c in chosen], config.context_length)
    num_tokens = sum(c.num_tokens for c in chosen)
    by_component: Counter[str] = Counter()
    for candidate in chosen:
        by_component[candidate.component] += candidate.num_tokens
    return m.Stage(
        name=config.name,
        context_length=config.context_length,
        token_budget=config.token_budget,
        mixture={name: round(count / num_tokens, 6) for name, count in sorted(by_component.items())},
        num_traces=len(chosen),
        num_tokens=num_tokens,
        shards=(write_shard(curricula, pa.Table.from_pylist([_row(c) for c in chosen], schema=m.TRACE_SCHEMA)),),
        packing=write_shard(curricula, pa.Table.from_pydict({"rows": sequences}, schema=m.PACKING_SCHEMA)),
        num_sequences=len(sequences),
        utilisation=round(num_tokens / (len(sequences) * config.context_length), 6),
    )


def _row(candidate: Candidate) -> dict[str, object]:
    return {
        "trace_id": candidate.trace.id,
        "problem_id": candidate.trace.problem_id,
        "domain": candidate.trace.domain,
        "kind": candidate.trace.kind,
        "pass_rate": candidate.pass_rate,
        "num_tokens": candidate.num_tokens,
        "token_ids": candidate.token_ids,
        "loss_mask": candidate.loss_mask,
    }
