"""How a stage runs: which entries its sequences come from as training goes on, and how hard they are.

The stage is cut into parts of equally many sequences, each long enough to hold every entry. Manifests of format 2 state
no schedule: their traces are counted by `domain/kind` instead.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from gradus.curricula.manifest import Manifest, Stage, shard_path
from gradus.curricula.posterior import band_names, band_of
from gradus.curricula.schedule import cumulative

MOST_PARTS = 48
PER_ENTRY = 4
"""Sequences that a part has, at least, for each entry."""

Ints = npt.NDArray[np.int64]


def courses(path: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Return for every stage its mixture over time, as it is and as it was scheduled, and its difficulty."""
    return [_course(path, manifest, stage) for stage in manifest.stages]


def _course(path: Path, manifest: Manifest, stage: Stage) -> dict[str, Any]:
    traces = _traces(path, stage)
    packing = pq.read_table(shard_path(path, stage.packing)).combine_chunks()
    lists = packing["rows"].combine_chunks()
    rows, sizes = lists.values.to_numpy(), lists.value_lengths().to_numpy()
    num_parts = max(1, min(MOST_PARTS, len(packing) // (PER_ENTRY * len(stage.entries or stage.mixture))))
    upto = np.arange(1, num_parts + 1) * len(packing) // num_parts
    names, entry = _entries(stage, packing, traces["component"][rows])
    part = np.searchsorted(upto, np.repeat(np.arange(len(packing)), sizes), side="right")
    tokens = np.zeros((len(names), num_parts), np.int64)
    np.add.at(tokens, (np.repeat(entry, sizes) if stage.schedule else entry, part), traces["num_tokens"][rows])
    return {
        "name": stage.name,
        "policy": stage.policy,
        "num_sequences": len(packing),
        "upto": upto.tolist(),
        "tokens": dict(zip(names, tokens.tolist(), strict=True)),
        "scheduled": _scheduled(stage, upto),
        "difficulty": _difficulty(manifest, traces, np.bincount(rows, minlength=len(traces["num_tokens"]))),
    }


def _traces(path: Path, stage: Stage) -> dict[str, Any]:
    """Return the columns of the stage's traces that are counted; never their tokens."""
    paths = [shard_path(path, shard) for shard in stage.shards]
    known = pq.read_schema(paths[0]).names
    columns = [name for name in ("domain", "kind", "num_tokens", "num_attempts", "num_passed") if name in known]
    tables = [pq.read_table(one, columns=columns) for one in paths]
    found: dict[str, Any] = {name: np.concatenate([table[name].to_numpy() for table in tables]) for name in columns}
    found["component"] = np.char.add(np.char.add(found["domain"].astype(str), "/"), found["kind"].astype(str))
    return found


def _entries(stage: Stage, packing: Any, components: npt.NDArray[np.str_]) -> tuple[list[str], Ints]:
    """Return the names of what is counted, and which each sequence is, or, without a schedule, each document."""
    if stage.schedule:
        return sorted(stage.schedule.start), packing["entry"].to_numpy()
    names, places = np.unique(components, return_inverse=True)
    return names.tolist(), places


def _scheduled(stage: Stage, upto: Ints) -> dict[str, list[float]]:
    """Return each entry's share of every part's sequences by the schedule."""
    if not stage.schedule:
        return {}
    parts = np.diff(upto, prepend=0)
    return {
        name: (np.diff(cumulative(stage.schedule, name, int(upto[-1]))[upto], prepend=0) / parts).round(6).tolist()
        for name in sorted(stage.schedule.start)
    }


def _difficulty(manifest: Manifest, traces: dict[str, Any], uses: Ints) -> list[dict[str, Any]]:
    """Return traces, and tokens of all their uses, by domain and difficulty band, the hardest first."""
    if "num_attempts" not in traces:
        return []
    bands = dict(sorted(manifest.bands.items(), key=lambda named: named[1]))
    names = np.array(band_names(bands))
    band = names[band_of(traces["num_passed"], traces["num_attempts"], bands)]
    found = []
    for domain in sorted(set(traces["domain"])):
        for name in names:
            here = (traces["domain"] == domain) & (band == name)
            if here.any():
                counts = {"traces": int(here.sum()), "tokens": int((traces["num_tokens"] * uses)[here].sum())}
                found.append({"domain": str(domain), "band": str(name), **counts})
    return found
