"""From verified traces and measured difficulty to a manifest; the same store and recipe, the same id."""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gradus import __version__
from gradus.curricula import manifest as m
from gradus.curricula.chat import Renderer, Sample
from gradus.curricula.curated import Weights, curation
from gradus.curricula.mixture import interleave
from gradus.curricula.packing import pack
from gradus.curricula.policies.base import Candidate, policies
from gradus.curricula.recipe import Recipe, StageConfig
from gradus.curricula.rendered import RenderedRows
from gradus.curricula.rl import rl_section
from gradus.curricula.shards import write_manifest, write_shard
from gradus.engine.models import model_id, resolve_model
from gradus.engine.records import Trace, canonical_json, content_id
from gradus.engine.store import Store
from gradus.engine.workspace import Workspace
from gradus.errors import DataError


def build_manifest(workspace: Workspace, store: Store, recipe: Recipe, traces: Iterable[Trace]) -> Path:
    """Write the shards and the manifest of a recipe; return the manifest's path."""
    if not recipe.stages:
        raise DataError(f"recipe {recipe.name!r} has no [[stages]]")
    folder = resolve_model(recipe.student)
    student, renderer = model_id(folder), Renderer(folder, recipe.thought)
    dropped: Counter[str] = Counter()
    stages = []
    with closing(RenderedRows(workspace.curricula)) as rows:
        weights = Weights(store, recipe.seed)
        candidates = _candidates(_pass_rates(store, student), weights, _rendered(traces, renderer, dropped), rows)
        inputs = content_id([(c.trace_id, c.pass_rate) for c in candidates])
        for config in recipe.stages:
            chosen = _choose(config, candidates, random.Random(f"{recipe.seed}/{config.name}"))
            used = {c.place for c in chosen}
            candidates = [c for c in candidates if c.place not in used]
            stages.append(_write_stage(workspace.curricula, config, chosen, rows))
    longest = max(config.context_length for config in recipe.stages)
    dropped += weights.dropped
    for candidate in {c.place: c for c in candidates}.values():
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
        curation=curation(store),
        dropped=dict(dropped),
    )
    return write_manifest(workspace.manifests, manifest)


def _pass_rates(store: Store, student: str) -> dict[str, float]:
    return {row["problem_id"]: row["pass_rate"] for row in store.stream("pass_counts", {"model": student})}


def _rendered(traces: Iterable[Trace], renderer: Renderer, dropped: Counter[str]) -> Iterator[tuple[Trace, Sample]]:
    for trace in traces:
        try:
            yield from ((trace, sample) for sample in renderer.samples(trace.messages, trace.learn))
        except DataError as error:
            dropped[str(error)] += 1


def _candidates(
    rates: Mapping[str, float],
    weights: Weights,
    rendered: Iterable[tuple[Trace, Sample]],
    rows: RenderedRows,
) -> list[Candidate]:
    """Write rendered traces into rows, and return what is needed to choose among them, in the order of their ids."""
    candidates = []
    for trace, (token_ids, loss_mask) in rendered:
        copies = weights.copies(trace)
        if not copies:
            continue
        rate = rates.get(trace.problem_id)
        candidate = Candidate(
            trace_id=trace.id,
            component=sys.intern(f"{trace.domain}/{trace.kind}"),
            num_tokens=len(token_ids),
            pass_rate=rate,
            place=rows.add(_row(trace, rate, token_ids, loss_mask)),
        )
        candidates += [candidate] * copies
    return sorted(candidates, key=lambda candidate: candidate.trace_id)


def _choose(config: StageConfig, candidates: Sequence[Candidate], rng: random.Random) -> list[Candidate]:
    fitting = [c for c in candidates if c.num_tokens <= config.context_length]
    chosen = interleave(policies[config.policy](fitting, rng), config.mixture, config.token_budget)
    if not chosen:
        raise DataError(
            f"stage {config.name!r}: no trace of {', '.join(config.mixture)} fits {config.context_length} tokens "
            f"and its budget of {config.token_budget}; sample and judge more, or change the stage"
        )
    return chosen


def _write_stage(curricula: Path, config: StageConfig, chosen: Sequence[Candidate], rows: RenderedRows) -> m.Stage:
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
        shards=(write_shard(curricula, m.TRACE_SCHEMA, (rows.read(c.place) for c in chosen)),),
        packing=write_shard(curricula, m.PACKING_SCHEMA, ({"rows": rows} for rows in sequences)),
        num_sequences=len(sequences),
        utilisation=round(num_tokens / (len(sequences) * config.context_length), 6),
    )


def _row(trace: Trace, pass_rate: float | None, token_ids: Sequence[int], loss_mask: Sequence[bool]) -> dict[str, Any]:
    return {
        "trace_id": trace.id,
        "problem_id": trace.problem_id,
        "domain": trace.domain,
        "kind": trace.kind,
        "pass_rate": pass_rate,
        "num_tokens": len(token_ids),
        "token_ids": token_ids,
        "loss_mask": loss_mask,
    }
