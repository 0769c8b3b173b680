"""What lies in a run's folder of checkpoints, and whether it can be read; no torch.

A checkpoint's files are known by their length and CRC-32: enough for what a full disk, a crash or a bad cable leaves
behind, not for somebody who means to deceive.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

FORMAT = 1
RECORD = "checkpoint.json"
BEST = "best.json"
CHUNK_BYTES = 1 << 24


def steps(folder: Path, *, stops: bool = True) -> list[int]:
    """Return the steps of which there is a checkpoint, the oldest first; stops: also where the run was stopped."""
    names = [*folder.glob("step-*"), *(folder.glob("stop-*") if stops else ())]
    return sorted(int(path.name[len("step-") :]) for path in names)


def path_of(folder: Path, step: int) -> Path:
    """Return where a step's checkpoint lies."""
    stop = folder / f"stop-{step}"
    return stop if stop.exists() else folder / f"step-{step}"


def drop(folder: Path, doomed: Iterable[int]) -> None:
    """Remove checkpoints: first out of sight, so that none is there by half."""
    for step in doomed:
        gone = folder / f".gone-{step}"
        path_of(folder, step).rename(gone)
        shutil.rmtree(gone)


def tidy(folder: Path, keep_after: str) -> None:
    """Leave of a finished run's checkpoints what is asked for: none, the last, or all."""
    if keep_after == "none":
        shutil.rmtree(folder, ignore_errors=True)
    elif keep_after == "last":
        drop(folder, steps(folder)[:-1])


def fingerprints(paths: Iterable[Path]) -> dict[str, list[int]]:
    """Return the length and CRC-32 of each file, by its name."""
    return {path.name: _fingerprint(path) for path in paths}


def _fingerprint(path: Path) -> list[int]:
    crc = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            crc = zlib.crc32(chunk, crc)
        return [file.tell(), crc]


def trouble(path: Path, *, rank: int, num_ranks: int) -> str:
    """Return why a checkpoint cannot be read, or nothing; each process looks at its part of the files."""
    try:
        record = read_json(path / RECORD)
    except ValueError:
        return f"{RECORD} is damaged"
    if record.get("format") != FORMAT:
        return f"{RECORD} is missing" if not record else f"format {record.get('format')}, not {FORMAT}"
    for name, fingerprint in sorted(record["files"].items())[rank::num_ranks]:
        if not (path / name).exists():
            return f"{name} is missing"
        if _fingerprint(path / name) != fingerprint:
            return f"{name} is damaged"
    return ""


def read_json(path: Path) -> dict[str, Any]:
    """Return what a file holds; of one that is not there, nothing."""
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    return found
