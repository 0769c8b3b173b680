"""Write content-addressed files: the name is the SHA-256 of the bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gradus.curricula.manifest import Manifest, Shard, canonical_bytes
from gradus.engine.parts import atomic_file


def write_shard(curricula: Path, table: pa.Table) -> Shard:
    """Write a table as `<sha256>.parquet`."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    data = buffer.getvalue()
    shard = Shard(sha256=hashlib.sha256(data).hexdigest(), num_rows=table.num_rows)
    with atomic_file(curricula / f"{shard.sha256}.parquet") as file:
        file.write(data)
    return shard


def write_manifest(manifests: Path, manifest: Manifest) -> Path:
    """Write a manifest under its id."""
    path = manifests / f"{manifest.id}.json"
    with atomic_file(path) as file:
        file.write(canonical_bytes(dataclasses.asdict(manifest)))
    return path
