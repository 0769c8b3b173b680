"""Write content-addressed files: the name is the SHA-256 of the bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from gradus.curricula.manifest import Manifest, Shard, canonical_bytes
from gradus.engine.parts import atomic_file, sync_folder

GROUP_ROWS = 8192


def write_shard(curricula: Path, schema: pa.Schema, rows: Iterable[Mapping[str, Any]]) -> Shard:
    """Write rows as `<sha256>.parquet`, GROUP_ROWS of them in memory at a time."""
    rest, num_rows = iter(rows), 0
    fresh = curricula / f".{os.getpid()}.shard.tmp"  # nobody knows its name before it is written
    try:
        with fresh.open("w+b") as file:
            with pq.ParquetWriter(file, schema, compression="zstd") as writer:
                while some := list(islice(rest, GROUP_ROWS)):
                    writer.write_table(pa.Table.from_pylist(some, schema=schema))
                    num_rows += len(some)
            file.flush()
            os.fsync(file.fileno())
            file.seek(0)
            shard = Shard(sha256=hashlib.file_digest(file, "sha256").hexdigest(), num_rows=num_rows)
        fresh.rename(curricula / f"{shard.sha256}.parquet")
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(curricula)
    return shard


def write_manifest(manifests: Path, manifest: Manifest) -> Path:
    """Write a manifest under its id."""
    path = manifests / f"{manifest.id}.json"
    with atomic_file(path) as file:
        file.write(canonical_bytes(dataclasses.asdict(manifest)))
    return path
