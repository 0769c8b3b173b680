"""Prove that a stage's files hold what the manifest says of them.

Traces are in the order of their ids; each has the tokens it says, is whole, and is used 1 to max_passes times. No
sequence is longer than the context, and each holds traces of its entry alone; every prefix keeps to the schedule within
one sequence an entry. Counts, shares, the budget, the sums of attention and how evenly ranks share it are right.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gradus.curricula.balance import greatest_imbalance
from gradus.curricula.manifest import Manifest, Stage, schema_of
from gradus.curricula.mixture import best_fit
from gradus.curricula.posterior import band_names, band_of
from gradus.curricula.schedule import cumulative
from gradus.curricula.stage_files import Ints, Sequences, sequence_batches, trace_batches
from gradus.errors import DataError

ROUNDED = 1e-6
"""Shares are written with six decimals."""
BUDGET = 1000
"""A budget is met within one of so many parts, or half a trace."""


@dataclass(frozen=True, slots=True)
class Traces:
    """A stage's traces in the order of its shards."""

    lengths: Ints
    component: Ints
    """Index into names."""
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Packed:
    """A stage's sequences in training order, and what they make of its traces."""

    uses: Ints
    """Of each trace."""
    tokens: Ints
    documents: Ints
    attention: Ints
    entry: Ints
    held: frozenset[tuple[int, int]]
    """(entry, component) wherever a sequence of the one holds a trace of the other."""


def prove_stage(path: Path, manifest: Manifest, stage: Stage) -> None:
    """Raise DataError unless everything that the manifest says of the stage is so."""
    if manifest.format > 2 and not stage.schedule:
        raise DataError(f"stage {stage.name}: the schedule is not stated")
    traces = _read_traces(path, manifest, stage)
    packed = _read_packing(path, stage, traces, schema_of("packing", manifest.format))
    for wrong in _wrong(stage, traces, packed):
        raise DataError(f"stage {stage.name}: {' '.join(wrong.split()):.500}")


def _read_traces(path: Path, manifest: Manifest, stage: Stage) -> Traces:
    names: dict[str, int] = {}
    lengths, components = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    last = pa.array([], pa.string())
    for batch in trace_batches(path, stage, schema_of("traces", manifest.format)):
        ids = pa.concat_arrays([last, batch["trace_id"]])
        if manifest.format > 2 and not pc.all(pc.less_equal(ids[:-1], ids[1:])).as_py():
            raise DataError(f"stage {stage.name}: its traces are not in the order of their ids; shards are exchanged")
        last = ids[-1:]
        lengths.append(batch["num_tokens"].to_numpy().astype(np.int64))
        found = _components(batch, manifest.bands).dictionary_encode()
        codes = np.array([names.setdefault(name, len(names)) for name in found.dictionary.to_pylist()], np.int64)
        components.append(codes[found.indices.to_numpy()])
    return Traces(np.concatenate(lengths), np.concatenate(components), tuple(names))


def _components(batch: pa.RecordBatch, bands: Mapping[str, Sequence[float]]) -> pa.Array:
    """Return `domain/kind/teacher/band` of each trace; format 2 knew the first two."""
    if "teacher" not in batch.schema.names:
        return pc.binary_join_element_wise(batch["domain"], batch["kind"], "/")
    passed, tried = batch["num_passed"].to_numpy(), batch["num_attempts"].to_numpy()
    if len(wrong := np.flatnonzero((passed < 0) | (passed > tried))):
        raise DataError(f"{passed[wrong[0]]} of {tried[wrong[0]]} attempts passed at the problem of a trace")
    places = band_of(passed, tried, dict(sorted(bands.items())))
    names = pa.array(band_names(dict(sorted(bands.items()))))
    return pc.binary_join_element_wise(
        batch["domain"], batch["kind"], batch["teacher"], names.take(pa.array(places)), "/"
    )


def _read_packing(path: Path, stage: Stage, traces: Traces, schema: pa.Schema) -> Packed:
    uses, squares = np.zeros(len(traces.lengths), np.int64), traces.lengths**2
    columns: list[tuple[Ints, ...]] = [(np.zeros(0, np.int64),) * 4]
    held: set[tuple[int, int]] = set()
    for sequences in sequence_batches(path, stage, traces.lengths, schema):
        np.add.at(uses, sequences.rows, 1)
        documents = np.diff(sequences.offsets)
        found = {"num_tokens": sequences.sums(traces.lengths), "attention": sequences.sums(squares)}
        entry = np.zeros(len(documents), np.int64)
        if stage.schedule:
            _check_stated(stage, sequences, found)
            entry = sequences.batch["entry"].to_numpy().astype(np.int64)
            pairs = np.unique(np.repeat(entry, documents) * len(traces.names) + traces.component[sequences.rows])
            held |= {divmod(pair, len(traces.names)) for pair in pairs.tolist()}
        columns.append((found["num_tokens"], documents, found["attention"], entry))
    tokens, documents, attention, entry = (np.concatenate(column) for column in zip(*columns, strict=True))
    return Packed(uses, tokens, documents, attention, entry, frozenset(held))


def _check_stated(stage: Stage, sequences: Sequences, found: dict[str, Ints]) -> None:
    for name, values in found.items():
        stated = sequences.batch[name].to_numpy()
        if len(wrong := np.flatnonzero(stated != values)):
            first = wrong[0]
            raise DataError(f"stage {stage.name}: a sequence has {name} {values[first]}, not {stated[first]}")


def _wrong(stage: Stage, traces: Traces, packed: Packed) -> Iterator[str]:
    """Yield what is not as the manifest says, in words."""
    yield from _wrong_counts(stage, traces, packed)
    yield from _wrong_budget(stage, traces)
    yield from _wrong_mixture(stage, traces, packed)
    if stage.schedule:
        yield from _wrong_entries(stage, packed)
        yield from _wrong_order(stage, packed)
        yield from _mixed(sorted(stage.entries), traces, packed)
        yield from _wrong_balance(stage, packed)


def _wrong_counts(stage: Stage, traces: Traces, packed: Packed) -> Iterator[str]:
    if len(unused := np.flatnonzero(packed.uses == 0)):
        yield f"{len(unused)} traces are in no sequence"
    if len(often := np.flatnonzero(packed.uses > stage.max_passes)):
        yield f"trace {often[0]} is used {packed.uses[often[0]]} times, the manifest allows {stage.max_passes}"
    found = {
        "num_traces": len(traces.lengths),
        "num_documents": packed.documents.sum(),
        "num_tokens": packed.tokens.sum(),
        "num_sequences": len(packed.tokens),
    }
    for name, count in found.items():
        if count != getattr(stage, name):
            yield f"{name} is {count}, the manifest says {getattr(stage, name)}"
    full = packed.tokens.sum() / max(1, len(packed.tokens) * stage.context_length)
    if abs(full - stage.utilisation) > ROUNDED:
        yield f"utilisation is {full:.6f}, the manifest says {stage.utilisation}"


def _wrong_budget(stage: Stage, traces: Traces) -> Iterator[str]:
    shortest = int(traces.lengths.min()) if len(traces.lengths) else 0
    slack = max(stage.token_budget // BUDGET, (shortest + 1) // 2)
    if stage.num_tokens > stage.token_budget + slack:
        yield f"{stage.num_tokens} tokens are more than its budget of {stage.token_budget}"
    if stage.schedule and stage.num_tokens < stage.token_budget - slack and not stage.notes:
        yield f"{stage.num_tokens} tokens are less than its budget of {stage.token_budget}, and no note says why"


def _wrong_mixture(stage: Stage, traces: Traces, packed: Packed) -> Iterator[str]:
    weights = packed.uses * traces.lengths
    sums = np.bincount(traces.component, weights=weights, minlength=len(traces.names))
    found = dict(zip(traces.names, (sums / max(1, weights.sum())).tolist(), strict=True))
    for name in sorted(found.keys() | stage.mixture.keys()):
        if abs(found.get(name, 0.0) - stage.mixture.get(name, 0.0)) > ROUNDED:
            yield f"{found.get(name, 0.0):.6f} of its tokens are {name}, the manifest says {stage.mixture.get(name, 0)}"


def _wrong_entries(stage: Stage, packed: Packed) -> Iterator[str]:
    names = sorted(stage.entries)
    if len(packed.entry) and not 0 <= packed.entry.min() <= packed.entry.max() < len(names):
        yield f"a sequence is of entry {packed.entry.max()}; there are {len(names)}"
        return
    columns = {"num_tokens": packed.tokens, "num_documents": packed.documents, "num_sequences": None}
    for what, column in columns.items():
        sums = np.bincount(packed.entry, weights=column, minlength=len(names))
        for name, found in zip(names, sums, strict=True):
            if found != (said := getattr(stage.entries[name], what)):
                yield f"{what} of entry {name} is {found:.0f}, the manifest says {said}"


def _wrong_order(stage: Stage, packed: Packed) -> Iterator[str]:
    assert stage.schedule
    for place, name in enumerate(sorted(stage.entries)):
        wanted = cumulative(stage.schedule, name, len(packed.entry))[1:]
        apart = np.abs(np.cumsum(packed.entry == place) - wanted)
        if len(far := np.flatnonzero(apart >= 1)):
            yield f"the first {far[0] + 1} sequences are {apart[far[0]]:.2f} off the schedule in entry {name}"


def _mixed(names: list[str], traces: Traces, packed: Packed) -> Iterator[str]:
    for place, code in sorted(packed.held):
        if best_fit(traces.names[code], names) != names[place]:
            yield f"a sequence of entry {names[place]} holds a trace of {traces.names[code]}"


def _wrong_balance(stage: Stage, packed: Packed) -> Iterator[str]:
    if stage.balance and not stage.batch_sequences:
        yield "its balance is stated, but not over how many sequences"
        return
    for name, said in stage.balance.items():
        if not re.fullmatch("[1-9][0-9]{0,6}", name):
            yield f"its balance is over {name!r:.40} ranks, of {stage.batch_sequences} sequences"
            return
        found = greatest_imbalance(packed.attention, batch_sequences=stage.batch_sequences or 1, ranks=int(name))
        if abs(found - said) > ROUNDED:
            yield f"its balance over {name} ranks is {found:.6f}, the manifest says {said}"
