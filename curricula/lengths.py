"""How long a manifest's traces are, and how well its sequences are filled. Needs numpy and pyarrow alone.

Bins are equal parts of a stage's context length, so that stages of any length look alike. Waste is what packing leaves
empty: 1 - tokens / (sequences x context length).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from gradus.curricula.manifest import Manifest, Stage, shard_path

BINS = 24
QUANTILES = {"p10": 0.1, "p50": 0.5, "p90": 0.9, "max": 1.0}


def stage_lengths(path: Path, manifest: Manifest) -> list[dict[str, Any]]:
    """Return for every stage its lengths, and how full its sequences are, as counts by bin."""
    return [_stage(path, stage) for stage in manifest.stages]


def _stage(path: Path, stage: Stage) -> dict[str, Any]:
    lengths = np.concatenate([_column(shard_path(path, shard), "num_tokens") for shard in stage.shards])
    packing = pq.read_table(shard_path(path, stage.packing))["rows"].combine_chunks()
    starts = packing.offsets.to_numpy()[:-1]
    filled = np.add.reduceat(lengths[packing.values.to_numpy()], starts) if len(starts) else lengths[:0]
    return {
        "name": stage.name,
        "context_length": stage.context_length,
        "token_budget": stage.token_budget,
        "num_traces": stage.num_traces,
        "num_tokens": stage.num_tokens,
        "num_sequences": stage.num_sequences,
        "waste": 1 - stage.utilisation,
        "mixture": stage.mixture,
        "quantiles": {name: int(np.quantile(lengths, q, method="inverted_cdf")) for name, q in QUANTILES.items()},
        "lengths": _counts(lengths, stage.context_length),
        "fill": _counts(filled, stage.context_length),
    }


def _column(path: Path, name: str) -> npt.NDArray[np.int64]:
    return np.asarray(pq.read_table(path, columns=[name])[name].to_numpy(), dtype=np.int64)


def _counts(values: npt.NDArray[np.int64], top: int) -> list[int]:
    """Count values by bin; a bin does not hold its lower end, so that a full sequence is in the last."""
    places = np.clip(np.ceil(values * BINS / top).astype(np.int64) - 1, 0, BINS - 1)
    return np.bincount(places, minlength=BINS).tolist()
