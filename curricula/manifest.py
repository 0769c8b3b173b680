"""The manifest: exactly what a run trains on, in which order, proven by hashes.

A workspace holds `manifests/<id>.json` and, beside it, `curricula/<sha256>.parquet`: every file a
manifest names is content-addressed, so manifests share what they have in common. A manifest's id is
the SHA-256 of its canonical JSON. Standard library and pyarrow only: a GPU machine needs no database.

Shard rows are traces, rendered with the student's chat template and tokenized:
  trace_id, problem_id, domain, kind: string · pass_rate: double or null · num_tokens: int32
  token_ids: list<int32> · loss_mask: list<bool>  (true: the model learns to say this token)
Packing rows are sequences, in training order: rows: list<int32>, indices into the stage's shards
read one after another; the traces of a sequence are laid side by side and never split.
RL rows are problems: problem_id, domain, verifier, spec (JSON), messages (JSON): string ·
prompt_token_ids: list<int32> · num_attempts, num_passed: int32 · pass_rate: double.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from gradus.config import build
from gradus.errors import ConfigError, DataError

FORMAT = 2

TRACE_SCHEMA = pa.schema(
    [
        ("trace_id", pa.string()),
        ("problem_id", pa.string()),
        ("domain", pa.string()),
        ("kind", pa.string()),
        ("pass_rate", pa.float64()),
        ("num_tokens", pa.int32()),
        ("token_ids", pa.list_(pa.int32())),
        ("loss_mask", pa.list_(pa.bool_())),
    ]
)
PACKING_SCHEMA = pa.schema([("rows", pa.list_(pa.int32()))])
RL_SCHEMA = pa.schema(
    [
        ("problem_id", pa.string()),
        ("domain", pa.string()),
        ("verifier", pa.string()),
        ("spec", pa.string()),
        ("messages", pa.string()),
        ("prompt_token_ids", pa.list_(pa.int32())),
        ("num_attempts", pa.int32()),
        ("num_passed", pa.int32()),
        ("pass_rate", pa.float64()),
    ]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One content-addressed Parquet file, `curricula/<sha256>.parquet`."""

    sha256: str
    num_rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the curriculum. Lengths and budgets are in tokens."""

    name: str
    context_length: int
    token_budget: int
    mixture: dict[str, float]
    """Share of the tokens by component, `domain/kind`, as it came out."""
    num_traces: int
    num_tokens: int
    shards: tuple[Shard, ...]
    packing: Shard
    num_sequences: int
    utilisation: float
    """Tokens over sequences x context length."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RLSection:
    """Problems inside the pass-rate band, and how minibatches are made of them."""

    problems: Shard
    band: tuple[float, ...]
    quotas: dict[str, int]
    """Problems of each domain in every minibatch, exactly."""
    group_size: int
    sampling: dict[str, Any]
    """Sampling settings by domain, those the pass rates were measured with."""
    left_out: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """What rendered the traces; a trainer refuses another."""

    model_id: str
    fingerprint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curation:
    """What people had said of the store's records when the manifest was built."""

    until: str
    """When the last of it was said: the labels up to then give every reason."""
    num_excluded: int
    """Problems and traces that are left out."""
    num_weighed: int
    """Problems and traces whose weight is not 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """A curriculum. `id` is the SHA-256 of its canonical JSON."""

    format: int
    name: str
    gradus_version: str
    policy: str
    seed: int
    recipe: dict[str, Any]
    inputs: str
    """Hash of the traces and pass rates that the recipe chose from."""
    tokenizer: Tokenizer
    stages: tuple[Stage, ...]
    rl: RLSection | None = None
    curation: Curation | None = None
    dropped: dict[str, int]
    """Traces left out, by reason."""

    @property
    def id(self) -> str:
        return hashlib.sha256(canonical_bytes(dataclasses.asdict(self))).hexdigest()

    def files(self) -> dict[str, Shard]:
        """Return every file that the manifest names, by what it holds."""
        named = {f"stage {s.name}, shard {i}": shard for s in self.stages for i, shard in enumerate(s.shards)}
        named |= {f"stage {s.name}, packing": s.packing for s in self.stages}
        return named | ({"rl problems": self.rl.problems} if self.rl else {})


def canonical_bytes(data: Mapping[str, Any]) -> bytes:
    """Return JSON with sorted keys and no spaces, in UTF-8."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def tokenizer_fingerprint(folder: Path) -> str:
    """Return the SHA-256 of a model folder's tokenizer and chat template."""
    digest = hashlib.sha256((folder / "tokenizer.json").read_bytes())
    template = folder / "chat_template.jinja"
    if template.exists():
        digest.update(template.read_bytes())
    else:
        config = json.loads((folder / "tokenizer_config.json").read_text())
        digest.update(str(config.get("chat_template", "")).encode())
    return digest.hexdigest()


def read(path: Path) -> Manifest:
    """Read a manifest and check that its content is what its name, or id, says."""
    try:
        data = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path}: no such manifest; `gradus curriculum build` makes one") from None
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise DataError(f"{path}: not a manifest of format {FORMAT}")
    try:
        manifest = build(Manifest, data, str(path))
    except ConfigError as error:
        raise DataError(f"not a manifest: {error}") from None
    if manifest.id != path.stem:
        raise DataError(f"{path}: content has hash {manifest.id[:12]}…: it was changed; build it again")
    return manifest


def shard_path(manifest_path: Path, shard: Shard) -> Path:
    """Return where a file of the manifest lies: in `curricula`, beside the manifest's folder."""
    return manifest_path.parent.parent / "curricula" / f"{shard.sha256}.parquet"


def read_shard(manifest_path: Path, shard: Shard) -> pa.Table:
    """Read one file after checking its hash; training never reads unproven bytes."""
    path = shard_path(manifest_path, shard)
    check_file(path, shard)
    return pq.read_table(path)


def check_file(path: Path, shard: Shard) -> None:
    """Raise DataError unless the file's bytes have the shard's hash."""
    if not path.exists():
        raise DataError(f"{path}: missing; build the curriculum again")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != shard.sha256:
        raise DataError(f"{path}: content has hash {found[:12]}…, the manifest says {shard.sha256[:12]}…")


def verify(path: Path) -> Manifest:
    """Check the manifest and every file it names: hashes, rows, lengths, packing. Raise DataError."""
    manifest = read(path)
    for what, shard in manifest.files().items():
        num_rows = read_shard(path, shard).num_rows
        if num_rows != shard.num_rows:
            raise DataError(f"{what}: {num_rows} rows, the manifest says {shard.num_rows}")
    for stage in manifest.stages:
        _verify_stage(path, stage)
    return manifest


def _verify_stage(path: Path, stage: Stage) -> None:
    lengths: list[int] = []
    for shard in stage.shards:
        lengths += _lengths(read_shard(path, shard), stage.name)
    sequences = read_shard(path, stage.packing)["rows"].to_pylist()
    found = {"num_traces": len(lengths), "num_tokens": sum(lengths), "num_sequences": len(sequences)}
    for name, count in found.items():
        if count != getattr(stage, name):
            raise DataError(f"stage {stage.name}: {name} is {count}, the manifest says {getattr(stage, name)}")
    _verify_packing(stage, lengths, sequences)


def _lengths(traces: pa.Table, stage: str) -> list[int]:
    """Return each trace's num_tokens, which is the length of its lists."""
    lengths = traces["num_tokens"]
    for name in ("token_ids", "loss_mask"):
        # A list that is null has no length, so it equals nothing.
        equal = pc.fill_null(pc.equal(pc.list_value_length(traces[name]), lengths), False)
        if (row := pc.index(equal, False).as_py()) >= 0:
            raise DataError(f"stage {stage}: {name} of row {row} does not hold num_tokens = {lengths[row]} tokens")
    return lengths.to_pylist()


def _verify_packing(stage: Stage, lengths: list[int], sequences: list[list[int]]) -> None:
    seen: set[int] = set()
    for number, rows in enumerate(sequences):
        twice = seen.intersection(rows) or len(set(rows)) < len(rows)
        if not rows or min(rows) < 0 or max(rows) >= len(lengths) or twice:
            raise DataError(f"stage {stage.name}: sequence {number} names rows that are not there or are used twice")
        seen.update(rows)
        if sum(lengths[row] for row in rows) > stage.context_length:
            raise DataError(f"stage {stage.name}: sequence {number} is longer than {stage.context_length} tokens")
    if len(seen) != len(lengths):
        raise DataError(f"stage {stage.name}: {len(lengths) - len(seen)} traces are in no sequence")
