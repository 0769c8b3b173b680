"""One of two manifests that are compared: how often it uses each trace, and what was said of records when it was built.

A use is a place in a sequence: a trace lies in the shards once, however often it is trained on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gradus.curricula import manifest as m
from gradus.curricula.posterior import band_names, band_of
from gradus.curricula.stage_files import ROWS, SEQUENCE_ROWS
from gradus.engine.store import Store
from gradus.errors import DataError

WANTED = ("trace_id", "problem_id", "domain", "teacher", "num_attempts", "num_passed", "pass_rate", "num_tokens")


@dataclass(frozen=True, slots=True)
class Drawn:
    """A trace in a manifest: how often in which stage, or a problem of the RL section."""

    problem_id: str
    domain: str
    teacher: str
    num_tokens: int
    measured: tuple[int | None, int | None, float | None]
    """The student's passes and attempts at the problem, and its pass rate; format 2 says of traces only the rate."""
    stages: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two manifests, and what was said of records when it was built."""

    manifest: m.Manifest
    traces: dict[str, Drawn]
    problems: dict[str, Drawn]
    said: dict[str, dict[str, Any]]

    def band(self, drawn: Drawn) -> str:
        """Return the difficulty band of a record's problem; empty where the manifest does not tell."""
        num_passed, num_attempts, _ = drawn.measured
        if num_attempts is None or not self.manifest.bands:
            return ""
        bands = dict(sorted(self.manifest.bands.items()))
        return band_names(bands)[int(band_of(num_passed or 0, num_attempts, bands))]


def read_side(store: Store, path: Path) -> Side:
    """Read a manifest's traces and problems from its files, which are checked by their hashes."""
    manifest = m.read(path)
    traces: dict[str, Drawn] = {}
    for stage in manifest.stages:
        rows = (row for shard in stage.shards for row in _rows(path, shard, m.schema_of("traces", manifest.format)))
        for row, uses in zip(rows, _uses(path, stage), strict=True):
            drawn = traces.setdefault(row["trace_id"], _drawn(row))
            if uses:
                drawn.stages[stage.name] += uses
    problems = {}
    if manifest.rl:
        for row in _rows(path, manifest.rl.problems, m.schema_of("rl", manifest.format)):
            problems[row["problem_id"]] = _drawn(row)
            problems[row["problem_id"]].stages[row.get("role", "active")] += 1
    until = manifest.curation.until if manifest.curation else ""
    said = store.rows("FROM curated_until($until)", {"until": until})
    return Side(manifest, traces, problems, {row["record_id"]: row for row in said})


def _drawn(row: dict[str, Any]) -> Drawn:
    measured = row.get("num_passed"), row.get("num_attempts"), row["pass_rate"]
    return Drawn(row["problem_id"], row["domain"], row.get("teacher", ""), row.get("num_tokens", 0), measured)


def _uses(path: Path, stage: m.Stage) -> list[int]:
    """Return how often each row of the stage's shards stands in its sequences."""
    total = sum(shard.num_rows for shard in stage.shards)
    uses = np.zeros(total, np.int64)
    for batch in m.read_batches(path, stage.packing, ROWS, num_rows=SEQUENCE_ROWS):
        rows = batch["rows"].flatten().to_numpy()
        if len(rows) and not 0 <= rows.min() <= rows.max() < total:
            raise DataError(f"stage {stage.name}: a sequence names a row that is not there")
        np.add.at(uses, rows, 1)
    return uses.tolist()


def _rows(path: Path, shard: m.Shard, schema: pa.Schema) -> Iterator[dict[str, Any]]:
    wanted = pa.schema([column for column in schema if column.name in WANTED or column.name == "role"])
    for batch in m.read_batches(path, shard, wanted, num_rows=SEQUENCE_ROWS):
        yield from batch.to_pylist()
