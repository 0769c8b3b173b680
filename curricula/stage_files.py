"""A stage's files, checked while they are read: what comes out of here can be trained on as it is.

Traces: the columns have their types and no nulls, every trace has the tokens that it says, and no token is negative.
Sequences: every row is one of the stage's traces, none is empty, none is longer than the context. Memory does not grow
with the tokens, only by the length of each trace. Numpy and pyarrow only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from gradus.curricula.manifest import PACKING_SCHEMA, TRACE_SCHEMA, Stage, read_batches
from gradus.errors import DataError

Ints = npt.NDArray[np.int64]
TOKENS = pa.schema([TRACE_SCHEMA.field(name) for name in ("num_tokens", "token_ids", "loss_mask")])
ROWS = pa.schema([PACKING_SCHEMA.field("rows")])
SEQUENCE_ROWS = 1 << 16


@dataclass(frozen=True, slots=True)
class Sequences:
    """Some of a stage's sequences, one after another: sequence i holds rows[offsets[i] : offsets[i + 1]]."""

    rows: Ints
    offsets: Ints
    batch: pa.RecordBatch

    def sums(self, values: Ints) -> Ints:
        """Return the sum over each sequence of what each trace has."""
        return np.add.reduceat(values[self.rows], self.offsets[:-1]) if len(self.rows) else values[:0]


def trace_batches(manifest_path: Path, stage: Stage, schema: pa.Schema = TOKENS) -> Iterator[pa.RecordBatch]:
    """Yield the traces of a stage in the order of its shards; schema holds at least TOKENS."""
    for shard in stage.shards:
        for batch in read_batches(manifest_path, shard, schema):
            _check_tokens(stage, batch)
            yield batch


def _check_tokens(stage: Stage, batch: pa.RecordBatch) -> None:
    lengths = batch["num_tokens"].to_numpy()
    for name in ("token_ids", "loss_mask"):
        wrong = np.flatnonzero(batch[name].value_lengths().to_numpy() != lengths)
        if len(wrong):
            trace = f"a trace of num_tokens = {lengths[wrong[0]]}"
            raise DataError(f"stage {stage.name}: {name} of {trace} does not hold so many tokens")
    if len(lengths) and lengths.min() < 1:
        raise DataError(f"stage {stage.name}: a trace holds no tokens")
    token_ids = batch["token_ids"].flatten().to_numpy()
    if len(token_ids) and token_ids.min() < 0:
        raise DataError(f"stage {stage.name}: a token id is {token_ids.min()}")


def sequence_batches(manifest_path: Path, stage: Stage, lengths: Ints, schema: pa.Schema = ROWS) -> Iterator[Sequences]:
    """Yield the sequences of a stage in training order; lengths are those of its traces."""
    done = 0
    for batch in read_batches(manifest_path, stage.packing, schema, num_rows=SEQUENCE_ROWS):
        counts = batch["rows"].value_lengths().to_numpy()
        offsets = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        sequences = Sequences(batch["rows"].flatten().to_numpy().astype(np.int64), offsets, batch)
        _check_sequences(stage, sequences, lengths, done)
        done += len(counts)
        yield sequences


def _check_sequences(stage: Stage, sequences: Sequences, lengths: Ints, done: int) -> None:
    """Raise DataError for what cannot be trained on; done is how many sequences came before."""
    rows, offsets = sequences.rows, sequences.offsets
    if len(empty := np.flatnonzero(np.diff(offsets) == 0)):
        raise DataError(f"stage {stage.name}: sequence {done + empty[0]} is empty")
    if len(wrong := np.flatnonzero((rows < 0) | (rows >= len(lengths)))):
        number = done + np.searchsorted(offsets, wrong[0], side="right") - 1
        raise DataError(f"stage {stage.name}: sequence {number} names row {rows[wrong[0]]} of {len(lengths)}")
    if len(longer := np.flatnonzero(sequences.sums(lengths) > stage.context_length)):
        raise DataError(f"stage {stage.name}: sequence {done + longer[0]} is longer than {stage.context_length} tokens")
