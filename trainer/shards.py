"""Weights in safetensors files, as a Hugging Face folder holds them: where each is, and how a large model is cut."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open

from gradus.errors import DataError

INDEX = "model.safetensors.index.json"
SHARD_BYTES = 5 * 10**9


def weight_files(folder: Path) -> dict[str, Path]:
    """Return the file of every weight: as the index says, or of all *.safetensors where there is none."""
    index = folder / INDEX
    if index.exists():
        found = {name: folder / file for name, file in json.loads(index.read_text())["weight_map"].items()}
    else:
        found = {name: path for path in sorted(folder.glob("*.safetensors")) for name in _names(path)}
    if not found:
        raise DataError(f"{folder}: no *.safetensors")
    if missing := sorted({path.name for path in found.values() if not path.exists()}):
        raise DataError(f"{index}: names {', '.join(missing)}, which is not there; fetch the model again")
    return found


def plan_shards(sizes: Mapping[str, int], limit: int = SHARD_BYTES) -> dict[str, list[str]]:
    """Cut weights, by their bytes, into files of at most limit, in order; return the names in each file."""
    shards: list[list[str]] = []
    room = 0
    for name, size in sizes.items():
        if not shards or size > room:
            shards.append([])
            room = limit
        shards[-1].append(name)
        room -= size
    if len(shards) == 1:
        return {"model.safetensors": shards[0]}
    return {f"model-{n:05}-of-{len(shards):05}.safetensors": names for n, names in enumerate(shards, 1)}


def write_index(folder: Path, shards: Mapping[str, list[str]], sizes: Mapping[str, int]) -> None:
    """Write where each weight is; a single file needs none."""
    if len(shards) > 1:
        files = {name: file for file, names in shards.items() for name in names}
        index = {"metadata": {"total_size": sum(sizes.values())}, "weight_map": files}
        (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")


def _names(path: Path) -> list[str]:
    with safe_open(path, framework="pt") as file:
        return list(file.keys())
