"""The files of an export, written row by row: Parquet or JSON lines, each split in files of a few hundred megabytes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

FILE_BYTES = 256 << 20
BLOCK_BYTES = 1 << 20


class Writer(Protocol):
    """Writes rows to one open file."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None: ...

    def write(self, rows: Sequence[dict[str, Any]]) -> None: ...

    def close(self) -> None: ...


class ParquetRows:
    """One row group a call."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._schema = schema
        self._writer = pq.ParquetWriter(file, schema, compression="zstd")

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        self._writer.write_table(pa.Table.from_pylist(list(rows), schema=self._schema))

    def close(self) -> None:
        self._writer.close()


class JsonlRows:
    """One object a line, the columns in the schema's order."""

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._file, self._names = file, schema.names

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        for row in rows:
            line = json.dumps({name: row[name] for name in self._names}, ensure_ascii=False)
            self._file.write(line.encode() + b"\n")

    def close(self) -> None:
        pass


WRITERS: dict[str, type[Writer]] = {"parquet": ParquetRows, "jsonl": JsonlRows, "datasets": ParquetRows}
SUFFIXES = {"parquet": "parquet", "jsonl": "jsonl", "datasets": "parquet"}


class Files:
    """All files of one split: `<split>-00000.<suffix>` and so on, synced when they are closed."""

    def __init__(self, folder: Path, split: str, form: str, schema: pa.Schema) -> None:
        self.folder, self.split, self.form, self.schema = folder, split, form, schema
        self.paths: list[Path] = []
        self._file: BinaryIO | None = None

    def write(self, rows: Sequence[dict[str, Any]]) -> None:
        """Add rows; begin another file when this one is long enough."""
        if self._file is None:
            path = self.folder / f"{self.split}-{len(self.paths):05d}.{SUFFIXES[self.form]}"
            self.paths.append(path)
            self._file = path.open("wb")
            self._writer = WRITERS[self.form](self._file, self.schema)
        self._writer.write(rows)
        if self._file.tell() >= FILE_BYTES:
            self.close()

    def close(self) -> None:
        """End the file that is being written."""
        if self._file is not None:
            self._writer.close()
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._file = None


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()
