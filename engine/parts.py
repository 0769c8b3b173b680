"""Immutable Parquet parts: `parts/<table>/<run>/<rank>-<n>.parquet`, the truth of a workspace.

A part appears whole or not at all: written under a temporary name, synced, renamed. Whoever is killed
loses only what no part holds yet.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from gradus.engine.records import (
    Attempt,
    Drop,
    FailureKind,
    JudgedAttempt,
    Label,
    Origin,
    Prior,
    Problem,
    Revision,
    Trace,
    TraceFit,
    TraceShape,
    Variant,
    canonical_json,
)

text, texts = pa.string(), pa.list_(pa.string())
SCHEMAS = {
    "problems": pa.schema(
        {"id": text, "prompt": text, "domain": text, "verifier": text, "spec": text, "source": text}
        | {"parents": texts, "tags": texts}
    ),
    "attempts": pa.schema(
        {"id": text, "problem_id": text, "model_id": text, "policy_version": text, "sampler": text}
        | {"index": pa.int32(), "seed": pa.int64(), "sampling": text, "messages": text, "answer": text}
        | {"token_ids": pa.list_(pa.int32()), "token_logprobs": pa.list_(pa.float32())}
        | {"tokens_in": pa.int32(), "tokens_out": pa.int32(), "seconds": pa.float64()}
        | {"finish_reason": text, "failed_attempt_id": text}
    ),
    "verdicts": pa.schema(
        {"attempt_id": text, "verifier": text, "version": text, "outcome": text}
        | {"score": pa.float64(), "reason": text, "seconds": pa.float64()}
    ),
    "traces": pa.schema(
        {"id": text, "kind": text, "domain": text, "messages": text, "learn": pa.list_(pa.bool_())}
        | {"problem_id": text, "attempt_id": text, "failed_attempt_id": text, "teacher": text}
    ),
    "drops": pa.schema({"record_id": text, "step": text, "reason": text}),
    "origins": pa.schema({"record_id": text, "source": text, "row": text, "licence": text}),
    "priors": pa.schema({"problem_id": text, "model_id": text, "pass_rate": pa.float64(), "source": text}),
    "failure_kinds": pa.schema(
        {"attempt_id": text, "version": pa.int32(), "verdict": text, "kinds": texts, "detail": text}
    ),
    "revisions": pa.schema(
        {"attempt_id": text, "version": pa.int32(), "step": pa.int32(), "kept": pa.int32(), "shown": pa.int32()}
        | {"why": text, "text": text, "fault": text}
    ),
    "fits": pa.schema(
        {"trace_id": text, "model_id": text, "definition": text, "scorer": text, "num_tokens": pa.int32()}
        | {"num_steps": pa.int32(), "nll": pa.float64(), "rank": pa.float64(), "local_nll": pa.float64()}
    ),
    "shapes": pa.schema(
        {"trace_id": text, "version": pa.int32()}
        | {f"num_{what}": pa.int32() for what in ("steps", "numbered", "checks", "restarts", "words", "chars")}
        | {"reasoning_share": pa.float64()}
        | {f"num_{what}": pa.int32() for what in ("equations", "holding", "failed")}
    ),
    "variants": pa.schema(
        {"id": text, "way": text, "group": text, "parents": texts, "prompt": text, "problem_id": text, "reason": text}
        | {"num_solutions": pa.int32(), "num_agreed": pa.int32(), "share": pa.float64()}
    ),
    "labels": pa.schema(
        {"id": text, "record_id": text, "kind": text, "action": text, "value": text}
        | {"actor": text, "reason": text, "at": text}
    ),
}
TABLES = {Problem: "problems", Attempt: "attempts", JudgedAttempt: "verdicts", Trace: "traces", Drop: "drops"}
TABLES |= {Origin: "origins", Prior: "priors", TraceFit: "fits", Variant: "variants", TraceShape: "shapes"}
KEYS = {
    "verdicts": ("attempt_id", "verifier", "version"),
    "drops": ("record_id", "step"),
    "origins": ("record_id", "source"),
    "priors": ("problem_id", "model_id"),
    "fits": ("trace_id", "model_id", "definition"),
    "shapes": ("trace_id", "version"),
    "failure_kinds": ("attempt_id", "version", "verdict"),
    "revisions": ("attempt_id", "version"),
}
TABLES |= {FailureKind: "failure_kinds", Revision: "revisions", Label: "labels"}
AS_JSON = ("spec", "sampling", "messages")

Record = (
    Problem | Attempt | JudgedAttempt | Trace | Drop | Origin | Prior
    | TraceFit | Variant | FailureKind | Revision | TraceShape | Label
)  # fmt: skip


def key_of(table: str) -> tuple[str, ...]:
    """Return the columns of which no two records of a table are equal."""
    return KEYS.get(table, ("id",))


def to_row(record: Record) -> dict[str, Any]:
    """Return a record as a row of its table."""
    # Not asdict, which copies every message.
    row = {field.name: getattr(record, field.name) for field in dataclasses.fields(record)}
    for name in AS_JSON:
        if name in row:
            row[name] = canonical_json(row[name])
    if isinstance(record, Problem | Attempt | Trace | Label):
        row["id"] = record.id
    if isinstance(record, Attempt):
        row |= {"answer": record.answer, "tokens_out": len(record.token_ids) or record.tokens_out}
    return row


def write_part(parts: Path, run: str, records: Sequence[Record], *, rank: int = 0) -> Path | None:
    """Write one part of records of one kind, and return it; None for no records."""
    if not records:
        return None
    table = TABLES[type(records[0])]
    folder = parts / table / run
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(p.stem.split("-")[1]) for p in folder.glob(f"{rank}-*.parquet")), default=-1)
    path = folder / f"{rank}-{number}.parquet"
    rows = pa.Table.from_pylist([to_row(record) for record in records], schema=SCHEMAS[table])
    write_atomically(path, rows)
    return path


def write_atomically(path: Path, table: pa.Table) -> None:
    """Write a Parquet file that is there whole, synced, or not at all."""
    with atomic_file(path) as file:
        pq.write_table(table, file, compression="zstd")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Open a file for writing that appears under its name when the block ends well: whole, synced, or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except OSError as error:
        error.filename = error.filename or str(path)  # a full disk does not say which file it has no room for
        raise
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def write_json(path: Path, data: Any) -> None:
    """Write a JSON file that is there whole, synced, or not at all."""
    with atomic_file(path) as file:
        file.write(json.dumps(data).encode())


def sync_folder(folder: Path) -> None:
    """Make a rename inside folder survive a power loss."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def list_parts(parts: Path) -> Iterable[tuple[str, Path]]:
    """Yield (table, path) of every part, in a stable order."""
    for table in SCHEMAS:
        for path in sorted((parts / table).rglob("*.parquet")):
            if not path.name.startswith("."):
                yield table, path
