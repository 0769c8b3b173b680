"""A manifest's stages for other trainers: what the student reads, as tokens, in training order.

A folder per stage, and a card whose head names each as a configuration, so that `load_dataset(folder, "foundation")`
loads one. Packed, a row is a sequence: input_ids, labels (-100: not learnt, and each trace's first token), position_ids
from 0 in each trace, seq_lengths of its traces; nothing is padded. Unpacked, a row is a use of a trace: input_ids and
completion_mask (1: learnt), with its ids and the number of its sequence. Both in constant memory: a stage's tokens lie
in a file beside the export while it is written. All or nothing (engine/export/folder.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gradus.curricula import manifest as m
from gradus.curricula.stage_files import TOKENS, Sequences, sequence_batches, trace_batches
from gradus.engine.export.files import Files
from gradus.engine.export.folder import replacing, write_mark, write_text
from gradus.errors import DataError

IGNORED = -100
GROUP_TOKENS = 1 << 20
"""Written at a time."""
Row = dict[str, Any]

INTS = pa.list_(pa.int32())
NAMES = ("trace_id", "problem_id", "domain", "kind")
PACKED = pa.schema({"input_ids": INTS, "labels": INTS, "position_ids": INTS, "seq_lengths": INTS})
UNPACKED = pa.schema(
    {"input_ids": INTS, "completion_mask": pa.list_(pa.int8()), "sequence": pa.int32()}
    | dict.fromkeys(NAMES, pa.string())
)


def export_stages(path: Path, folder: Path, *, packed: bool) -> dict[str, Any]:
    """Write the folder; return its counts: documents are uses of traces, rows what was written of each stage."""
    manifest = m.read(path)
    if len({_name(stage) for stage in manifest.stages}) < len(manifest.stages):
        raise DataError(f"{path}: two stages' names differ only in signs that no folder has; rename one in the recipe")
    rows: dict[str, int] = {}
    with replacing(folder) as part:
        for stage in manifest.stages:
            (part / _name(stage)).mkdir()
            files = Files(part / _name(stage), "train", "parquet", PACKED if packed else UNPACKED)
            rows[stage.name] = _write(files, _rows(path, stage, part, packed=packed))
        write_text(part / "README.md", _card(folder.name, manifest, packed=packed))
        documents = sum(stage.num_documents for stage in manifest.stages)
        counts = {"in": documents, "kept": documents, "dropped": {}, "rows": rows}
        write_mark(part, {"what": "sequences" if packed else "documents", "manifest": manifest.id} | counts)
    return counts


def ids_in_training_order(path: Path, stage: m.Stage) -> Iterator[list[str]]:
    """Yield the trace of each place of each sequence, some thousand at a time."""
    schema = pa.schema([*TOKENS, m.TRACE_SCHEMA.field("trace_id")])
    lengths, ids = [np.zeros(0, np.int64)], [pa.array([], pa.string())]
    for batch in trace_batches(path, stage, schema):
        lengths.append(batch["num_tokens"].to_numpy().astype(np.int64))
        ids.append(batch["trace_id"])
    names = pa.chunked_array(ids).combine_chunks()
    for sequences in sequence_batches(path, stage, np.concatenate(lengths)):
        for some in np.array_split(sequences.rows, -(-len(sequences.rows) // 4096) or 1):
            yield names.take(pa.array(some)).to_pylist()


def _name(stage: m.Stage) -> str:
    """Return a stage's name as `datasets` and file systems take it."""
    return re.sub(r"\W", "_", stage.name)


def _rows(path: Path, stage: m.Stage, part: Path, *, packed: bool) -> Iterator[Row]:
    with _by_row(path, stage, part) as traces:
        lengths = traces["num_tokens"].to_numpy().astype(np.int64)
        done = 0
        for sequences in sequence_batches(path, stage, lengths):
            for i, documents in enumerate(_documents(traces, sequences)):
                if packed:
                    yield _packed(documents)
                else:
                    yield from (_unpacked(one, done + i) for one in documents)
            done += len(sequences.offsets) - 1


@contextmanager
def _by_row(path: Path, stage: m.Stage, part: Path) -> Iterator[pa.Table]:
    """Yield the stage's traces as a table whose rows lie in a file, so that any of them can be read in any order."""
    aside = part / ".traces.arrow"
    schema = pa.schema([*TOKENS, *(m.TRACE_SCHEMA.field(name) for name in NAMES)])
    try:
        with pa.OSFile(str(aside), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for batch in trace_batches(path, stage, schema):
                writer.write_batch(batch)
        with pa.memory_map(str(aside)) as source:
            yield pa.ipc.open_file(source).read_all()
    finally:
        aside.unlink(missing_ok=True)


def _documents(traces: pa.Table, sequences: Sequences) -> Iterator[list[Row]]:
    for first, last in zip(sequences.offsets[:-1], sequences.offsets[1:], strict=True):
        yield [_document(traces, int(row)) for row in sequences.rows[first:last]]


def _document(traces: pa.Table, row: int) -> Row:
    names: Row = {name: traces[name][row].as_py() for name in NAMES}
    token_ids = traces["token_ids"][row].values.to_numpy()
    return names | {"token_ids": token_ids, "learnt": traces["loss_mask"][row].values.to_numpy(zero_copy_only=False)}


def _packed(documents: list[Row]) -> Row:
    labels = [np.where(one["learnt"], one["token_ids"], IGNORED) for one in documents]
    for row in labels:
        row[0] = IGNORED  # nothing before it in its trace says it
    return {
        "input_ids": np.concatenate([one["token_ids"] for one in documents]),
        "labels": np.concatenate(labels).astype(np.int32),
        "position_ids": np.concatenate([np.arange(len(row), dtype=np.int32) for row in labels]),
        "seq_lengths": [len(row) for row in labels],
    }


def _unpacked(document: Row, sequence: int) -> Row:
    named = {name: document[name] for name in NAMES}
    mask = document["learnt"].astype(np.int8)
    return {"input_ids": document["token_ids"], "completion_mask": mask, "sequence": sequence} | named


def _write(files: Files, rows: Iterable[Row]) -> int:
    """Write rows in groups of some tokens; return how many there are."""
    group: list[Row] = []
    num_rows = num_tokens = 0
    for row in rows:
        group.append(row)
        num_rows, num_tokens = num_rows + 1, num_tokens + len(row["input_ids"])
        if num_tokens >= GROUP_TOKENS:
            files.write(group)
            group, num_tokens = [], 0
    if group:
        files.write(group)
    files.close()
    return num_rows


def _card(name: str, manifest: m.Manifest, *, packed: bool) -> str:
    configs = [
        f'  - config_name: "{_name(stage)}"\n    data_files: "{_name(stage)}/*.parquet"' for stage in manifest.stages
    ]
    shown = [(s.name, s.context_length, s.num_sequences, s.num_documents, s.num_tokens) for s in manifest.stages]
    stages = ["| {} | {} | {} | {} | {} |".format(*row) for row in shown]
    first = _name(manifest.stages[0]) if manifest.stages else "default"
    rows = "a packed sequence" if packed else "a trace"
    return f"""---
configs:
{chr(10).join(configs)}
---

# {name}

The stages of the Gradus manifest `{manifest.id}`, in training order: a row is {rows}. Tokens are those of
`{manifest.tokenizer.model_id}` (fingerprint `{manifest.tokenizer.fingerprint}`); do not shuffle, and train the stages
one after another.

| stage | context | sequences | documents | tokens |
|---|---|---|---|---|
{chr(10).join(stages)}

```python
from datasets import load_dataset

stage = load_dataset("path/to/{name}", "{first}", split="train")
```
"""
