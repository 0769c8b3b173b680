"""Write content-addressed files: the name is the SHA-256 of the bytes."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from gradus.curricula.manifest import Manifest, Shard, canonical_bytes
from gradus.engine.parts import sync_folder


def write_shard(curricula: Path, table: pa.Table) -> Shard:
    """Write a table as `<sha256>.parquet`."""
    buffer = io.BytesIO()
    pq.write_table(table, buffer, compression="zstd")
    data = buffer.getvalue()
    shard = Shard(sha256=hashlib.sha256(data).hexdigest(), num_rows=table.num_rows)
    write_bytes(curricula / f"{shard.sha256}.parquet", data)
    return shard


def write_manifest(manifests: Path, manifest: Manifest) -> Path:
    """Write a manifest under its id."""
    path = manifests / f"{manifest.id}.json"
    write_bytes(path, canonical_bytes(dataclasses.asdict(manifest)))
    return path


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file that is there whole, synced, or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)
