"""Write content-addressed files: the name is the SHA-256 of the bytes.

Traces lie in shards by the order of their ids, cut after each trace whose own hash says so, SHARD_TOKENS apart in the
mean: a trace that comes, goes or changes touches the shard that it is in, and no other.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gradus.curricula.candidates import Candidates, Ints
from gradus.curricula.canonical import canonical_bytes
from gradus.curricula.chance import chances, shares
from gradus.curricula.manifest import TRACE_SCHEMA, Manifest, Shard
from gradus.engine.parts import atomic_file, sync_folder

GROUP_ROWS = 8192
GROUP_TOKENS = 1 << 22
"""In memory at a time."""
SHARD_TOKENS = 1 << 24


def write_traces(
    curricula: Path, traces: Candidates, read: Callable[[int], Mapping[str, Any]], *, shard_tokens: int = SHARD_TOKENS
) -> tuple[Shard, ...]:
    """Write the rows of traces, which are in the order of their ids, as shards."""

    def rows(some: Ints) -> Iterator[Mapping[str, Any]]:
        for place, num_attempts, num_passed in zip(*(c[some].tolist() for c in columns), strict=True):
            yield {**read(place), "num_attempts": num_attempts, "num_passed": num_passed}

    columns = traces.places, traces.num_attempts, traces.num_passed
    parts = np.split(np.arange(len(traces)), cuts(traces, shard_tokens))
    return tuple(write_shard(curricula, TRACE_SCHEMA, rows(some)) for some in parts if len(some))


def cuts(traces: Candidates, shard_tokens: int) -> Ints:
    """Return the rows before which a new shard begins; parts of one trace stay together."""
    chosen = shares(chances("shard", traces.trace_ids)) < traces.num_tokens / shard_tokens
    last = np.append(traces.trace_ids[1:] != traces.trace_ids[:-1], False)
    return np.flatnonzero(chosen & last) + 1


def write_shard(curricula: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> Shard:
    """Write rows as `<sha256>.parquet`, a group of them in memory at a time."""
    return write_tables(curricula, schema, (pa.Table.from_pylist(some, schema=schema) for some in _groups(rows)))


def write_tables(curricula: Path, schema: pa.Schema, tables: Iterable[pa.Table]) -> Shard:
    """Write tables one after another as `<sha256>.parquet`."""
    num_rows = 0
    fresh = curricula / f".{os.getpid()}.shard.tmp"  # nobody knows its name before it is written
    try:
        with fresh.open("w+b") as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                for table in tables:
                    writer.write_table(table)
                    num_rows += table.num_rows
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            shard = Shard(sha256=hashlib.file_digest(file, "sha256").hexdigest(), num_rows=num_rows)
        fresh.rename(curricula / f"{shard.sha256}.parquet")
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(curricula)
    return shard


def _groups(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    group: list[Mapping[str, Any]] = []
    num_tokens = 0
    for row in rows:
        group.append(row)
        num_tokens += row.get("num_tokens", 0)
        if len(group) >= GROUP_ROWS or num_tokens >= GROUP_TOKENS:
            yield group
            group, num_tokens = [], 0
    if group:
        yield group


def write_manifest(manifests: Path, manifest: Manifest) -> Path:
    """Write a manifest under its id."""
    path = manifests / f"{manifest.id}.json"
    with atomic_file(path) as file:
        file.write(canonical_bytes(dataclasses.asdict(manifest)))
    return path
