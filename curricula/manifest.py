"""The manifest: exactly what a run trains on, in which order, proven by hashes.

A workspace holds `manifests/<id>.json` and, beside it, `curricula/<sha256>.parquet`: every file a
manifest names is content-addressed, so manifests share what they have in common. A manifest's id is
the SHA-256 of its canonical JSON (canonical.py), which is what the file holds, byte for byte: `sha256sum` says it too.
Standard library and pyarrow only: a GPU machine needs no database. Whether the files hold what the manifest says of
them is for proof.py.

Shard rows are traces, rendered with the student's chat template and tokenized, each once:
  trace_id, problem_id, domain, kind, teacher: string · num_attempts, num_passed: int32 (the student's, at its problem)
  pass_rate: double or null · num_tokens: int32
  token_ids: list<int32> · loss_mask: list<bool>  (true: the model learns to say this token)
Packing rows are sequences, in training order: rows: list<int32>, indices into the stage's shards read one after
another; the traces of a sequence are laid side by side and never split. entry: int32, which of the schedule's
entries, in sorted order, the sequence holds · num_tokens: int32 · attention: int64, the sum of squared lengths.
RL rows are problems: problem_id, domain, verifier, spec (JSON), messages (JSON), role (active or reserve): string ·
prompt_token_ids: list<int32> · num_attempts, num_passed: int32 · pass_rate, in_band: double (the probability that the
rate lies in the band).
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from gradus import __version__
from gradus.config import build
from gradus.curricula.canonical import canonical_bytes, parse
from gradus.curricula.upgrade import OLDEST, added_columns, as_written, upgraded
from gradus.errors import ConfigError, DataError

FORMAT = 4
MOST_ROWS = 2**31 - 1
"""Of a stage's traces and of its sequences: packing rows are int32."""
MOST_TOKENS = 2**24
"""In one sequence: what a loader pads to must fit into memory."""
BATCH_ROWS = 512
"""Rows read at a time: of 64K tokens each, 160 MB."""

TRACE_SCHEMA = pa.schema(
    [
        ("trace_id", pa.string()),
        ("problem_id", pa.string()),
        ("domain", pa.string()),
        ("kind", pa.string()),
        ("teacher", pa.string()),
        ("num_attempts", pa.int32()),
        ("num_passed", pa.int32()),
        ("pass_rate", pa.float64()),
        ("num_tokens", pa.int32()),
        ("token_ids", pa.list_(pa.int32())),
        ("loss_mask", pa.list_(pa.bool_())),
    ]
)
PACKING_SCHEMA = pa.schema(
    [
        ("rows", pa.list_(pa.int32())),
        ("entry", pa.int32()),
        ("num_tokens", pa.int32()),
        ("attention", pa.int64()),
    ]
)
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
        ("role", pa.string()),
        ("in_band", pa.float64()),
    ]
)
SCHEMAS = {"traces": TRACE_SCHEMA, "packing": PACKING_SCHEMA, "rl": RL_SCHEMA}
NULLABLE = {"pass_rate"}


def schema_of(kind: str, number: int) -> pa.Schema:
    """Return the columns that a format has in a kind of file: traces, packing or rl."""
    return pa.schema([field for field in SCHEMAS[kind] if field.name not in added_columns(kind, number)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One content-addressed Parquet file, `curricula/<sha256>.parquet`."""

    sha256: str
    num_rows: int

    def __post_init__(self) -> None:
        _require(bool(re.fullmatch("[0-9a-f]{64}", self.sha256)), f"sha256 is no hash: {self.sha256!r:.80}")
        _require(0 <= self.num_rows <= MOST_ROWS, f"num_rows is {self.num_rows}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Shares of a stage's sequences by mixture entry: every prefix keeps to them within one sequence an entry."""

    kind: Literal["constant", "linear", "cosine"]
    start: dict[str, float]
    end: dict[str, float]
    """Both sum to 1, and are what supply allowed; equal where kind is `constant`."""

    def __post_init__(self) -> None:
        for shares in (self.start, self.end):
            ok = all(share >= 0 for share in shares.values()) and abs(sum(shares.values()) - 1) < 1e-6
            _require(ok, f"the schedule's shares are not of 1: {shares!r:.200}")
        _require(self.start.keys() == self.end.keys(), "the schedule's start and end name different entries")
        _require(self.kind != "constant" or self.start == self.end, "the schedule is constant, but start is not end")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a stage holds of one mixture entry."""

    num_sequences: int
    num_tokens: int
    num_documents: int
    available_tokens: int
    """Of the candidates that fitted, used or not."""

    def __post_init__(self) -> None:
        _not_negative(self, "num_sequences", "num_tokens", "num_documents", "available_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of the curriculum. Lengths and budgets are in tokens."""

    name: str
    context_length: int
    token_budget: int
    mixture: dict[str, float]
    """Share of the tokens by component, `domain/kind`, as it came out."""
    num_traces: int
    """Different ones; every one is used 1 to max_passes times."""
    num_tokens: int
    """Of all uses."""
    shards: tuple[Shard, ...]
    packing: Shard
    num_sequences: int
    utilisation: float
    """Tokens over sequences x context length."""
    policy: str = ""
    schedule: Schedule | None = None
    """None: not stated, as in format 2."""
    entries: dict[str, Entry] = field(default_factory=dict)
    num_documents: int = 0
    """Uses of traces."""
    max_passes: int = 1
    batch_sequences: int | None = None
    """Sequences of the global batch that the order is balanced for."""
    balance: dict[str, float] = field(default_factory=dict)
    """By the number of ranks: the greatest, over batches, of a rank's attention cost over the mean of all ranks."""
    notes: tuple[str, ...] = ()
    """What fell short of the recipe, in words."""
    training: dict[str, Any] = field(default_factory=dict)
    """What the trainer is told for this stage: trainer/config.py's StageSettings, as far as the recipe says them."""

    def __post_init__(self) -> None:
        _require(self.name.isprintable() and 0 < len(self.name) <= 100, f"its name is {self.name!r:.100}")
        _not_negative(self, "token_budget", "num_traces", "num_tokens", "num_sequences", "num_documents")
        _require(1 <= self.context_length <= MOST_TOKENS, f"context_length is {self.context_length}")
        _require(1 <= self.max_passes <= MOST_ROWS, f"max_passes is {self.max_passes}")
        _require(self.batch_sequences is None or self.batch_sequences >= 1, f"batch_sequences: {self.batch_sequences}")
        _require(max(self.num_traces, self.num_sequences) <= MOST_ROWS, f"more than {MOST_ROWS} traces or sequences")
        named = self.schedule.start.keys() if self.schedule else set()
        _require(self.entries.keys() == named, "the entries are not those of the schedule")


@dataclass(frozen=True, slots=True, kw_only=True)
class RLSection:
    """Problems inside the pass-rate band, and how minibatches are made of them."""

    problems: Shard
    band: tuple[float, ...]
    quotas: dict[str, int]
    """Problems of each domain in every minibatch, exactly."""
    group_size: int
    sampling: dict[str, dict[str, Any]]
    """Sampling settings by domain, those the pass rates were measured with."""
    left_out: dict[str, int]
    confidence: float = 0.0
    """The least probability of lying in the band with which a problem is taken."""
    reserve: dict[str, int] = field(default_factory=dict)
    """By domain, problems kept for refilling while training goes on: rows whose role is `reserve`."""
    notes: tuple[str, ...] = ()
    """What fell short of the recipe, in words."""

    def __post_init__(self) -> None:
        ok = len(self.band) == 2 and 0 <= self.band[0] < self.band[1] <= 1
        _require(ok, f"band must be two rising numbers in [0, 1], not {list(self.band)!r:.60}")
        _require(0 <= self.confidence <= 1, f"confidence is {self.confidence}")
        _require(self.group_size >= 1, f"group_size is {self.group_size}")
        for counts in (self.quotas, self.reserve, self.left_out):
            _require(all(count >= 0 for count in counts.values()), f"a count is negative: {counts!r:.200}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokenizer:
    """What rendered the traces; a trainer refuses another."""

    model_id: str
    fingerprint: str
    template: str = ""
    """The chat template's own hash."""


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
class Gate:
    """What a measurement said of one teacher's traces of a domain for this student, and what followed."""

    teacher: str
    domain: str
    metric: str
    value: float | None
    """None: not measured."""
    low: float | None
    high: float | None
    num_traces: int
    action: Literal["keep", "weigh", "exclude"]
    weight: float
    reason: str


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
    gates: tuple[Gate, ...] = ()
    bands: dict[str, tuple[float, ...]] = field(default_factory=dict)
    """By name, the least and greatest pass rate of a difficulty band."""
    earlier: str = ""
    """The older model whose pass rates show what regressed."""

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        _require(len(set(names)) == len(names), f"two stages have one name: {names!r:.200}")
        _require(all(len(band) == 2 for band in self.bands.values()), "a difficulty band is not two numbers")

    @property
    def id(self) -> str:
        return hashlib.sha256(canonical_bytes(as_written(dataclasses.asdict(self)))).hexdigest()

    def files(self) -> dict[str, Shard]:
        """Return every file that the manifest names, by what it holds."""
        named = {f"stage {s.name}, shard {i}": shard for s in self.stages for i, shard in enumerate(s.shards)}
        named |= {f"stage {s.name}, packing": s.packing for s in self.stages}
        return named | ({"rl problems": self.rl.problems} if self.rl else {})


def _require(ok: bool, said: str) -> None:
    if not ok:
        raise ValueError(said)


def _not_negative(record: Any, *names: str) -> None:
    for name in names:
        _require(getattr(record, name) >= 0, f"{name} is {getattr(record, name)}")


def read(path: Path) -> Manifest:
    """Read a manifest and check that its content is what its name, or id, says."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such manifest; `gradus curriculum build` makes one") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        manifest = build(Manifest, upgraded(_parse(path, raw)), str(path))
    except ConfigError as error:
        # A name in it may hold anything.
        raise DataError(f"not a manifest: {' '.join(str(error).split()):.500}") from None
    found = hashlib.sha256(raw).hexdigest()
    if found != path.stem:
        raise DataError(f"{path}: content has hash {found[:12]}…: it was changed; build it again")
    if manifest.id != found:
        raise DataError(f"{path}: not in canonical form, so its hash is not its content's; build it again")
    return manifest


def _parse(path: Path, raw: bytes) -> dict[str, Any]:
    """Return a manifest's JSON, of a format that is known."""
    try:
        data = parse(raw)
    except ValueError as error:
        raise DataError(f"{path}: not JSON: {error}") from None
    number = data.get("format") if isinstance(data, dict) else None
    if type(number) is not int or number < OLDEST:
        raise DataError(f"{path}: not a manifest of format {OLDEST} to {FORMAT}")
    if number > FORMAT:
        raise DataError(
            f"{path}: a manifest of format {number}, written by Gradus {data.get('gradus_version')!s:.20}; "
            f"this one, {__version__}, reads {OLDEST} to {FORMAT}: update it to that version"
        )
    return data


def shard_path(manifest_path: Path, shard: Shard) -> Path:
    """Return where a file of the manifest lies: in `curricula`, beside the manifest's folder."""
    return manifest_path.parent.parent / "curricula" / f"{shard.sha256}.parquet"


def read_shard(manifest_path: Path, shard: Shard) -> pa.Table:
    """Read one file after checking its hash and rows; training never reads unproven bytes."""
    with open_shard(manifest_path, shard) as file:
        return file.read()


@contextmanager
def open_shard(manifest_path: Path, shard: Shard) -> Iterator[pq.ParquetFile]:
    """Open one file after checking its hash and rows; what cannot be read inside is a DataError."""
    path = shard_path(manifest_path, shard)
    try:
        check_file(path, shard)
        with pq.ParquetFile(path, memory_map=True) as file:
            if file.metadata.num_rows != shard.num_rows:
                raise DataError(f"{path}: {file.metadata.num_rows} rows, the manifest says {shard.num_rows}")
            yield file
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {str(error).partition(chr(10))[0]:.200}") from None


def read_batches(
    manifest_path: Path, shard: Shard, schema: pa.Schema, *, num_rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """Yield a file's columns of schema, of these types and without nulls, in constant memory."""
    with open_shard(manifest_path, shard) as file:
        path, found = shard_path(manifest_path, shard), file.schema_arrow
        for wanted in schema:
            if found.names.count(wanted.name) != 1 or found.field(wanted.name).type != wanted.type:
                raise DataError(f"{path}: has no column {wanted.name} of type {wanted.type}")
        for batch in file.iter_batches(num_rows, columns=schema.names):
            batch = batch.select(schema.names)
            batch.validate(full=True)
            for name in schema.names:
                if name not in NULLABLE and _has_null(batch[name]):
                    raise DataError(f"{path}: {name} holds a null")
            yield batch


def _has_null(column: pa.Array) -> bool:
    inside = pa.types.is_list(column.type) and column.flatten().null_count
    return bool(column.null_count or inside)


def check_file(path: Path, shard: Shard) -> None:
    """Raise DataError unless the file's bytes have the shard's hash."""
    if not path.is_file():
        raise DataError(f"{path}: missing; build the curriculum again")
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != shard.sha256:
        raise DataError(f"{path}: content has hash {found[:12]}…, the manifest says {shard.sha256[:12]}…")
