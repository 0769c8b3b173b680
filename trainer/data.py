"""A manifest's stages as batches: which sequences a step takes, and this process's share of them.

A batch is a function of the step alone, so the number of the last finished step is the loader's
whole state: a resumed run goes on at the very next sequence, on any number of processes. They share
a step so that attention costs all about the same: each takes equally many sequences, of equal cost.
One stage's tokens are in memory at a time; hashes and packing are checked when it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from gradus.curricula.balance import share_out
from gradus.curricula.manifest import TRACE_SCHEMA, Manifest, Stage, schema_of
from gradus.curricula.stage_files import TOKENS, sequence_batches, trace_batches
from gradus.trainer.batch import Batch, Document, collate, num_tokens
from gradus.trainer.config import SFTConfig
from gradus.trainer.stages import StagePlan, plan_stages

if TYPE_CHECKING:  # torchtitan, which other people's loops over StageData do without
    from gradus.trainer.parallel import Layout

TOLD = ("trace_id", "problem_id", "domain", "kind", "teacher", "num_tokens")
"""What is told of a trace beside its tokens, where the manifest's format has it."""


class StageData:
    """The packed sequences of one stage, in training order."""

    def __init__(self, manifest_path: Path, stage: Stage, schema: pa.Schema = TOKENS) -> None:
        """Read them; schema names the columns of traces that are kept: TOKENS, and more."""
        self.name, self.context_length = stage.name, stage.context_length
        # In the batches it was read in: one array of lists has room for 2^31 tokens.
        self.traces = pa.Table.from_batches(trace_batches(manifest_path, stage, schema), schema)
        lengths = self.traces["num_tokens"].to_numpy().astype(np.int64)
        packed = list(sequence_batches(manifest_path, stage, lengths))
        self.sequences: list[list[int]] = [rows for part in packed for rows in part.batch["rows"].to_pylist()]
        """Of each sequence the rows of its traces."""
        self.costs = np.concatenate([np.empty(0, np.int64), *(part.sums(lengths**2) for part in packed)])
        """Each sequence's attention, as balance.py counts it."""

    def __len__(self) -> int:
        return len(self.sequences)

    def __getitem__(self, number: int) -> list[Document]:
        return [self._document(row) for row in self.sequences[number]]

    def _document(self, row: int) -> Document:
        token_ids, learnt = (
            self.traces[name][row].values.to_numpy(zero_copy_only=False) for name in ("token_ids", "loss_mask")
        )
        return Document(token_ids.astype(np.int64), learnt)


class CurriculumData:
    """All stages of a manifest, one after another; needs no process group."""

    def __init__(self, manifest_path: Path, manifest: Manifest, config: SFTConfig) -> None:
        self._path = manifest_path
        columns = set(TOKENS.names) | ({*TOLD} & {*schema_of("traces", manifest.format).names})
        self._schema = pa.schema([field for field in TRACE_SCHEMA if field.name in columns])
        self._loaded: tuple[str, StageData] | None = None
        self.plans = plan_stages(manifest, config)

    @property
    def num_steps(self) -> int:
        return self.plans[-1].last_step

    def plan(self, step: int) -> StagePlan:
        """Return the stage that a step, counted from 1, belongs to."""
        return next(plan for plan in self.plans if step <= plan.last_step)

    def left(self, step: int, end: int) -> list[StagePlan]:
        """Return the stages to go through from after step to end; where all is done, the last one again."""
        left = [plan for plan in self.plans if step < plan.last_step and plan.first_step < end]
        return left or [plan for plan in self.plans if plan.last_step == end == self.num_steps]

    def batches(self, step: int, layout: Layout) -> Iterator[Batch]:
        """Yield this process's batches of a step: equally many on every process."""
        plan, numbers = self.plan(step), self._numbers(step)
        data = self._stage(plan)
        mine = [data[number] for number in numbers[share_out(data.costs[numbers], layout.data_size)[layout.data_rank]]]
        per_forward = plan.settings.sequences_per_forward
        for start in range(0, -(-len(numbers) // layout.data_size), per_forward):
            # A process with nothing left computes an empty row, since all must take part in communication.
            rows = mine[start : start + per_forward] or [[]]
            longest = max(1, *(num_tokens(row) for row in rows))
            yield collate(rows, layout.padded_length(longest, data.context_length))

    def traces(self, step: int) -> pa.Table:
        """Return what a step learns from: a row for each use of a trace, with its number of sequence in the stage."""
        data, numbers = self._stage(self.plan(step)), self._numbers(step)
        rows = [row for number in numbers for row in data.sequences[number]]
        sequence = np.repeat(numbers, [len(data.sequences[number]) for number in numbers])
        told = data.traces.select([name for name in TOLD if name in data.traces.column_names]).take(rows)
        return told.add_column(0, "sequence", pa.array(sequence))

    def trace_ids(self, step: int) -> list[str]:
        """Return the traces that a step learns from."""
        ids: list[str] = self.traces(step)["trace_id"].to_pylist()
        return ids

    def _numbers(self, step: int) -> np.ndarray:
        """Return which of its stage's sequences a step takes."""
        plan = self.plan(step)
        first = (step - plan.first_step - 1) * plan.settings.sequences_per_step
        last = min(first + plan.settings.sequences_per_step, plan.num_sequences)
        return np.arange(first, last) % plan.stage.packing.num_rows

    def _stage(self, plan: StagePlan) -> StageData:
        if self._loaded is None or self._loaded[0] != plan.name:
            self._loaded = None  # free the one before first
            self._loaded = plan.name, StageData(self._path, plan.stage, self._schema)
        return self._loaded[1]
