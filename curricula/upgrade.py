"""Manifests of older formats: what this format added, and what an older file stands for.

A file keeps its id, which is the hash of what it holds: fields it did not have are filled when it is read
(`upgraded`) and left out when its id is computed (`as_written`). Fields that nothing in the file tells keep their
defaults, which say "not stated". Standard library only.

Formats: 2, from version 0.1 on: no schedule, entries, gates or bands; packing rows hold `rows` alone, trace rows no
teacher and no counts, RL rows no role. 3: no training. 4: all of manifest.py. Format 1 was never released.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

OLDEST = 2
_STAGE = ("policy", "schedule", "entries", "num_documents", "max_passes", "batch_sequences", "balance", "notes")
ADDED: dict[int, dict[str, tuple[str, ...]]] = {
    3: {
        "": ("gates", "bands", "earlier"),
        "tokenizer": ("template",),
        "stages": _STAGE,
        "rl": ("confidence", "reserve", "notes"),
    },
    4: {"stages": ("training",)},
}
"""By format, what it added to each part of a manifest."""
ADDED_COLUMNS: dict[int, dict[str, tuple[str, ...]]] = {
    3: {
        "traces": ("teacher", "num_attempts", "num_passed"),
        "packing": ("entry", "num_tokens", "attention"),
        "rl": ("role", "in_band"),
    }
}
"""By format, what it added to each kind of file."""


def upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest's data as the newest format would say it; its `format` stays what it was."""
    found = dict(data)
    if data["format"] < 3 and isinstance(stages := data.get("stages"), list):
        # Every trace stood in a stage once for each time that it was used.
        found["stages"] = [_once(stage) if isinstance(stage, dict) else stage for stage in stages]
    return found


def _once(stage: Mapping[str, Any]) -> dict[str, Any]:
    return {**stage, "num_documents": stage.get("num_traces")}


def as_written(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a manifest's data without what its format did not have."""
    found = dict(data)
    for added in (ADDED[number] for number in ADDED if number > data["format"]):
        for part, names in added.items():
            if not part:
                found = _without(found, names)
            elif isinstance(inner := found[part], Mapping):
                found[part] = _without(inner, names)
            elif inner is not None:
                found[part] = [_without(one, names) for one in inner]
    return found


def added_columns(kind: str, number: int) -> set[str]:
    """Return the columns of a kind of file that a format did not have."""
    return {name for later in ADDED_COLUMNS if later > number for name in ADDED_COLUMNS[later][kind]}


def _without(data: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if key not in names}
