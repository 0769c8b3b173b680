"""How fast a manifest is proven and read, and in how much memory.

    python benchmarks/bench_manifest.py [--tokens 25 100 400]

A stage of 16K sequences whose traces have log-normal lengths (median 2000) and Zipf-like token ids, in shards as the
product writes them; the sizes are millions of tokens. What is measured, each in a process of its own, whose greatest
resident memory counts (what imports take is told as `start MB`):
  hash      SHA-256 of every file: what any proof costs at least
  verify    `verify`: hashes, and every row, length, sequence, schedule and sum
  load      a stage read for training, checked as far as a batch needs it
  iterate   then every batch of `ManifestDataset` (one process, no workers), tokens and padding collated
MB are those of the files, compressed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gradus.curricula import manifest as m
from gradus.curricula.balance import attention_cost
from gradus.curricula.packing import pack
from gradus.curricula.posterior import band_names, band_of
from gradus.curricula.shards import SHARD_TOKENS, write_manifest, write_tables

CONTEXT = 16384
BANDS = {"easy": (0.7, 1.0), "hard": (0.0, 0.3), "medium": (0.3, 0.7)}
ROWS = 512


def make(root: Path, num_tokens: int) -> Path:
    """Write a manifest of a stage of about num_tokens; return its path."""
    for name in ("manifests", "curricula"):
        (root / name).mkdir()
    rng = np.random.default_rng(0)
    lengths = np.clip(rng.lognormal(np.log(2000), 1.0, num_tokens // 1000), 200, CONTEXT).astype(np.int64)
    lengths = lengths[: np.searchsorted(np.cumsum(lengths), num_tokens) + 1]
    ends = np.flatnonzero(np.diff(np.cumsum(lengths) // SHARD_TOKENS)) + 1
    parts = np.split(np.arange(len(lengths)), ends)
    shards = tuple(write_tables(root / "curricula", m.TRACE_SCHEMA, tables(part, lengths, rng)) for part in parts)
    packing = pack(lengths, CONTEXT)
    columns = [
        pa.ListArray.from_arrays(packing.offsets.astype(np.int32), packing.rows.astype(np.int32)),
        np.zeros(len(packing), np.int32),
        np.add.reduceat(lengths[packing.rows], packing.offsets[:-1]).astype(np.int32),
        attention_cost(lengths[packing.rows], packing.offsets),
    ]
    table = pa.Table.from_arrays([pa.array(column) for column in columns], schema=m.PACKING_SCHEMA)
    total, band = int(lengths.sum()), band_names(BANDS)[int(band_of(4, 8, BANDS))]
    entry = m.Entry(num_sequences=len(packing), num_tokens=total, num_documents=len(lengths), available_tokens=total)
    stage = m.Stage(
        name="one",
        context_length=CONTEXT,
        token_budget=total,
        mixture={f"math/cot/teacher/{band}": 1.0},
        num_traces=len(lengths),
        num_tokens=total,
        shards=shards,
        packing=write_tables(root / "curricula", m.PACKING_SCHEMA, [table]),
        num_sequences=len(packing),
        utilisation=total / (len(packing) * CONTEXT),
        policy="uniform",
        schedule=m.Schedule(kind="constant", start={"*": 1.0}, end={"*": 1.0}),
        entries={"*": entry},
        num_documents=len(lengths),
    )
    manifest = m.Manifest(
        format=m.FORMAT,
        name="made",
        gradus_version="0",
        policy="one: uniform",
        seed=0,
        recipe={},
        inputs="",
        tokenizer=m.Tokenizer(model_id="none", fingerprint="0"),
        stages=(stage,),
        dropped={},
        bands=BANDS,
    )
    return write_manifest(root / "manifests", manifest)


def tables(rows: np.ndarray, lengths: np.ndarray, rng: np.random.Generator) -> Iterator[pa.Table]:
    """Yield a shard's traces, some at a time."""
    for start in range(0, len(rows), ROWS):
        some = rows[start : start + ROWS]
        offsets = np.concatenate([[0], np.cumsum(lengths[some])]).astype(np.int32)
        tokens = np.minimum(rng.zipf(1.2, offsets[-1]), 49_151).astype(np.int32)
        fixed: dict[str, Any] = {"domain": "math", "kind": "cot", "teacher": "teacher", "pass_rate": 0.5}
        columns = {name: pa.array([value] * len(some)) for name, value in fixed.items()} | {
            "trace_id": pa.array([f"{row:064x}" for row in some]),
            "problem_id": pa.array([f"{row:064x}" for row in some]),
            "num_attempts": pa.array(np.full(len(some), 8, np.int32)),
            "num_passed": pa.array(np.full(len(some), 4, np.int32)),
            "num_tokens": pa.array(lengths[some].astype(np.int32)),
            "token_ids": pa.ListArray.from_arrays(offsets, tokens),
            "loss_mask": pa.ListArray.from_arrays(offsets, pa.array(np.arange(offsets[-1]) % 7 > 0)),
        }
        yield pa.Table.from_arrays([columns[name] for name in m.TRACE_SCHEMA.names], schema=m.TRACE_SCHEMA)


def measure(what: str, path: Path) -> dict[str, Any]:
    """Do one thing in this process; return its seconds and memory."""
    from gradus.curricula.verify import verify

    if what in ("iterate", "load"):
        from gradus.trainer.data import StageData
        from gradus.trainer.dataset import ManifestDataset
    manifest, start_mb = m.read(path), peak_mb()
    files = [m.shard_path(path, shard) for shard in manifest.files().values()]
    start = time.perf_counter()
    if what == "hash":
        for file in files:
            with file.open("rb") as opened:
                hashlib.file_digest(opened, "sha256")
    elif what == "verify":
        verify(path)
    elif what == "load":
        StageData(path, manifest.stages[0])
    else:
        seen = sum(int((item["document_ids"] >= 0).sum()) for item in ManifestDataset(path))
        assert seen == manifest.stages[0].num_tokens
    seconds = time.perf_counter() - start
    return {
        "what": what,
        "million tokens": round(manifest.stages[0].num_tokens / 1e6, 1),
        "MB": round(sum(file.stat().st_size for file in files) / 1e6, 1),
        "seconds": round(seconds, 3),
        "MB/s": round(sum(file.stat().st_size for file in files) / 1e6 / seconds, 1),
        "million tokens/s": round(manifest.stages[0].num_tokens / 1e6 / seconds, 1),
        "start MB": round(start_mb),
        "peak MB": round(peak_mb()),
    }


def peak_mb() -> float:
    """Return what was resident at most since this program began; ru_maxrss would count its parent's too."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tokens", type=int, nargs="+", default=[25, 100, 400], help="millions")
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(arguments.one[0], Path(arguments.one[1]))))
        return
    import torch  # not above: what is measured counts its memory
    from common import about

    for size in arguments.tokens:
        with tempfile.TemporaryDirectory() as root:
            path = make(Path(root), size * 1_000_000)
            for what in ("hash", "verify", "load", "iterate"):
                command = [sys.executable, __file__, "--one", what, str(path)]
                done = subprocess.run(command, check=True, capture_output=True, text=True)
                print(json.dumps(json.loads(done.stdout) | about(torch.device("cpu"))), flush=True)


if __name__ == "__main__":
    main()
