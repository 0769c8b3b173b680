"""From verified traces and measured difficulty to a manifest; the same store and recipe, the same id."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gradus import __version__
from gradus.curricula import manifest as m
from gradus.curricula.chat import Renderer
from gradus.curricula.curated import curation
from gradus.curricula.gathering import Gathered, gather
from gradus.curricula.planning import StagePlan, plan_stages
from gradus.curricula.recipe import Recipe
from gradus.curricula.rendered import RenderedRows
from gradus.curricula.rl import rl_section
from gradus.curricula.sequences import Sequences
from gradus.curricula.shards import write_manifest, write_tables, write_traces
from gradus.engine.models import model_id, resolve_model
from gradus.engine.records import Trace, canonical_json
from gradus.engine.store import Store
from gradus.engine.workspace import Workspace
from gradus.errors import DataError


def build_manifest(workspace: Workspace, store: Store, recipe: Recipe, traces: Iterable[Trace]) -> Path:
    """Write the shards and the manifest of a recipe; return the manifest's path."""
    folder = resolve_model(recipe.student)
    student, renderer = model_id(folder), Renderer(folder, recipe.render)
    with closing(RenderedRows(workspace.curricula)) as rows:
        gathered, plans, left_out = plan_curriculum(store, recipe, traces, renderer, student, rows)
        for plan in plans:
            _check(plan)
        stages = tuple(_write_stage(workspace.curricula, plan, rows) for plan in plans)
    manifest = m.Manifest(
        format=m.FORMAT,
        name=recipe.name,
        gradus_version=__version__,
        policy=", ".join(f"{s.name}: {s.policy}" for s in recipe.stages),
        seed=recipe.seed,
        recipe=json.loads(canonical_json(asdict(recipe))),
        inputs=gathered.inputs,
        tokenizer=m.Tokenizer(model_id=student, fingerprint=renderer.fingerprint, template=renderer.template),
        stages=stages,
        rl=rl_section(workspace.curricula, store, recipe, renderer, student),
        curation=curation(store),
        dropped=dict(gathered.dropped + left_out),
        gates=gathered.gates,
        bands=gathered.bands,
        earlier=gathered.earlier,
    )
    return write_manifest(workspace.manifests, manifest)


def plan_curriculum(
    store: Store, recipe: Recipe, traces: Iterable[Trace], renderer: Renderer, student: str, rows: RenderedRows
) -> tuple[Gathered, list[StagePlan], Counter[str]]:
    """Return what there is, what each stage makes of it, and how many candidates are in no stage, by reason."""
    if not recipe.stages:
        raise DataError(f"recipe {recipe.name!r} has no [[stages]]")
    gathered = gather(store, recipe, traces, renderer, student, rows)
    plans, left_out = plan_stages(recipe.stages, gathered.candidates, recipe.seed)
    return gathered, plans, left_out


def _check(plan: StagePlan) -> None:
    """Raise DataError for a stage that can't be made as the recipe says."""
    config = plan.config
    if plan.sequences is None:
        raise DataError(
            f"stage {config.name!r}: no trace of {', '.join(config.mixture)} fits {config.context_length} tokens "
            f"and its budget of {config.token_budget}; sample and judge more, or change the stage"
        )
    if config.shortage == "refuse" and plan.lacking:
        raise DataError(
            f"stage {config.name!r}: {'; '.join(plan.lacking)}. Make more traces, or change its budget, mixture "
            "or shortage; `gradus curriculum build --dry-run` shows what is there"
        )


def _write_stage(curricula: Path, plan: StagePlan, rows: RenderedRows) -> m.Stage:
    config, traces, sequences = plan.config, plan.traces, plan.sequences
    assert sequences
    return m.Stage(
        name=config.name,
        context_length=config.context_length,
        token_budget=config.token_budget,
        mixture=_mixture(plan, sequences),
        num_traces=len(traces),
        num_tokens=plan.num_tokens,
        shards=write_traces(curricula, traces, rows.read),
        packing=write_tables(curricula, m.PACKING_SCHEMA, [packing_table(sequences)]),
        num_sequences=len(sequences),
        utilisation=round(plan.num_tokens / (len(sequences) * config.context_length), 6),
        policy=config.policy,
        schedule=sequences.schedule,
        entries=_entries(plan, sequences),
        num_documents=len(sequences.rows),
        max_passes=plan.chosen.max_uses,
        batch_sequences=config.batch_sequences,
        balance=sequences.balance,
        notes=plan.lacking,
        training=json.loads(canonical_json(config.training)),
    )


def packing_table(sequences: Sequences) -> pa.Table:
    """Return the rows of PACKING_SCHEMA."""
    rows = pa.ListArray.from_arrays(sequences.offsets.astype(np.int32), sequences.rows.astype(np.int32))
    columns = [rows, sequences.entry.astype(np.int32), sequences.num_tokens.astype(np.int32), sequences.attention]
    return pa.Table.from_arrays([pa.array(column) for column in columns], schema=m.PACKING_SCHEMA)


def _mixture(plan: StagePlan, sequences: Sequences) -> dict[str, float]:
    """Return each component's share of the tokens."""
    tokens = np.bincount(sequences.rows, minlength=len(plan.traces)) * plan.traces.num_tokens
    by_component = np.bincount(plan.traces.component, tokens, len(plan.traces.names))
    shares = zip(plan.traces.names, (by_component / plan.num_tokens).tolist(), strict=True)
    return {name: round(share, 6) for name, share in shares if share}


def _entries(plan: StagePlan, sequences: Sequences) -> dict[str, m.Entry]:
    names, documents = sequences.names, np.diff(sequences.offsets)
    columns: list[Any] = [
        np.bincount(sequences.entry, weights, len(names)).astype(np.int64).tolist()
        for weights in (None, sequences.num_tokens, documents)
    ]
    return {
        name: m.Entry(
            num_sequences=num_sequences,
            num_tokens=num_tokens,
            num_documents=num_documents,
            available_tokens=plan.chosen.shares[name].available_tokens,
        )
        for name, num_sequences, num_tokens, num_documents in zip(names, *columns, strict=True)
    }
