"""Rows of a data set, one at a time: a JSONL or Parquet file, a folder, or a data set of the Hugging Face Hub.

Folders and the Hub are read by `datasets` as streams; a data set's splits follow each other, unless one is named. A
folder is read without a network. What is not a row, as a line that is not JSON, is given as the error that says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from gradus.engine.sources.base import parse_line, read_lines
from gradus.errors import DataError, MachineError

HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
BATCH_ROWS = 256
Numbered = Iterator[tuple[str, Mapping[str, Any] | DataError]]


@dataclass(frozen=True, slots=True)
class Rows:
    """A data set: what it is called, how many rows it has if that is known, and its rows with their places."""

    source: str
    total: int | None
    read: Callable[[], Numbered]
    """Reads from the start each time."""


def open_rows(where: str, *, config: str | None = None, split: str | None = None) -> Rows:
    """Open a file, a folder, or `owner/name` of the Hub; DataError says what is missing."""
    path = Path(where)
    if path.is_dir():
        return _from_datasets(where, path.resolve().name, config, split)
    if path.suffix == ".parquet" and path.exists():
        return _from_parquet(path)
    if not path.exists() and HUB_NAME.fullmatch(where) and path.suffix not in (".jsonl", ".parquet", ".json"):
        return _from_datasets(where, where, config, split)
    return Rows(path.name, None, lambda: _lines(path))


def _lines(path: Path) -> Numbered:
    for number, line in read_lines(path):
        where = f"line {number}"
        try:
            yield where, parse_line(line, f"{path}, {where}")
        except DataError as error:
            yield where, error


def _from_parquet(path: Path) -> Rows:
    try:
        with pq.ParquetFile(path) as file:
            total = file.metadata.num_rows
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors
        raise DataError(f"{path}: cannot be read: {error}") from None
    return Rows(path.name, total, lambda: _parquet(path))


def _parquet(path: Path) -> Numbered:
    number = 0
    # One row group at a time, not as many as fit into memory.
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for batch in file.iter_batches(BATCH_ROWS, use_threads=False):
            for row in batch.to_pylist():
                number += 1
                yield f"row {number}", row


def _from_datasets(where: str, name: str, config: str | None, split: str | None) -> Rows:
    found = _load(where, config, split)
    splits = found if isinstance(found, dict) else {split or "train": found}
    counts = [_num_rows(part, name) for name, part in splits.items()]
    total = sum(count for count in counts if count) if all(counts) else None
    return Rows(name, total, lambda: _chained(splits, where))


def _load(where: str, config: str | None, split: str | None) -> Any:
    try:
        import datasets  # takes two seconds
    except ImportError:
        raise MachineError("folders and the Hub are read by `datasets`: pip install datasets") from None
    try:
        return datasets.load_dataset(where, name=config, split=split, streaming=True)
    except Exception as error:  # the Hub's client and its parsers raise errors of a dozen libraries
        raise DataError(_said(where, error)) from None


def _chained(splits: Mapping[str, Any], where: str) -> Numbered:
    for split, rows in splits.items():
        try:
            for number, row in enumerate(rows, 1):
                yield f"{split}/{number}", row
        except (OSError, ValueError, RuntimeError) as error:
            raise DataError(_said(where, error)) from None


def _said(where: str, error: Exception) -> str:
    what = (
        f"{where}: cannot be read: {type(error).__name__}: {str(error).strip().splitlines()[0] if str(error) else ''}"
    )
    if Path(where).exists():
        return what
    return f"{what}. Without a network, name a folder that holds it (`hf download --repo-type dataset {where}`)"


def _num_rows(part: Any, split: str) -> int | None:
    known = (part.info.splits or {}).get(split)
    return known.num_examples if known else None
