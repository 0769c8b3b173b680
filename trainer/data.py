"""A manifest's stages as batches: which sequences a step takes, and this process's share of them.

A batch is a function of the step alone, so the number of the last finished step is the loader's
whole state: a resumed run goes on at the very next sequence, on any number of processes. They share
a step so that attention costs all about the same: each takes equally many sequences, of equal cost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from gradus.curricula.balance import share_out
from gradus.curricula.manifest import Manifest, Stage
from gradus.curricula.stage_files import TOKENS, sequence_batches, trace_batches
from gradus.errors import DataError
from gradus.trainer.batch import Batch, Document, collate, num_tokens
from gradus.trainer.config import SFTConfig
from gradus.trainer.platform import Platform


class StageData:
    """The packed sequences of one stage, in training order."""

    def __init__(self, manifest_path: Path, stage: Stage) -> None:
        self.name, self.context_length = stage.name, stage.context_length
        # In the batches it was read in: one array of lists has room for 2^31 tokens.
        self._traces = pa.Table.from_batches(trace_batches(manifest_path, stage), TOKENS)
        lengths = self._traces["num_tokens"].to_numpy().astype(np.int64)
        packed = list(sequence_batches(manifest_path, stage, lengths))
        self._sequences = [rows for part in packed for rows in part.batch["rows"].to_pylist()]
        self.costs = np.concatenate([np.empty(0, np.int64), *(part.sums(lengths**2) for part in packed)])
        """Each sequence's attention, as balance.py counts it."""
        if not self._sequences:
            raise DataError(f"stage {stage.name}: no sequences; build the curriculum with more traces")

    def __len__(self) -> int:
        return len(self._sequences)

    def __getitem__(self, number: int) -> list[Document]:
        return [self._document(row) for row in self._sequences[number]]

    def _document(self, row: int) -> Document:
        token_ids, learnt = (
            self._traces[name][row].values.to_numpy(zero_copy_only=False) for name in ("token_ids", "loss_mask")
        )
        return Document(token_ids.astype(np.int64), learnt)


@dataclass(frozen=True, slots=True)
class StagePlan:
    """The steps of one stage: first_step + 1 to first_step + num_steps."""

    data: StageData
    first_step: int
    num_steps: int
    num_sequences: int
    """Sequences taken in all, passes counted."""


class CurriculumData:
    """All stages of a manifest, one after another."""

    def __init__(self, manifest_path: Path, manifest: Manifest, *, config: SFTConfig, platform: Platform) -> None:
        self._config, self._platform = config, platform
        self._plans: list[StagePlan] = []
        for stage in manifest.stages:
            data = StageData(manifest_path, stage)
            total = len(data) if config.steps is None else config.steps * config.sequences_per_step
            num_steps = -(-total // config.sequences_per_step)
            self._plans.append(StagePlan(data, self.num_steps, num_steps, total))
        if not self._plans:
            raise DataError(f"{manifest_path}: no stages to train on")

    @property
    def num_steps(self) -> int:
        return sum(plan.num_steps for plan in self._plans)

    @property
    def context_length(self) -> int:
        """The longest of any stage."""
        return max(plan.data.context_length for plan in self._plans)

    def stage(self, step: int) -> StageData:
        return self._plan(step).data

    def batches(self, step: int) -> Iterator[Batch]:
        """Yield this process's batches of a step, counted from 1: equally many on every process."""
        plan, per_step = self._plan(step), self._config.sequences_per_step
        first = (step - plan.first_step - 1) * per_step
        numbers = np.arange(first, min(first + per_step, plan.num_sequences)) % len(plan.data)
        shares = share_out(plan.data.costs[numbers], self._platform.world_size)
        mine = [plan.data[number] for number in numbers[shares[self._platform.rank]]]
        per_forward = self._config.sequences_per_forward
        most = -(-len(numbers) // self._platform.world_size)
        for start in range(0, most, per_forward):
            # A process with nothing left computes an empty row, since all must take part in communication.
            rows = mine[start : start + per_forward] or [[]]
            longest = max(1, *(num_tokens(row) for row in rows))
            yield collate(rows, self._platform.padded_length(longest, plan.data.context_length))

    def _plan(self, step: int) -> StagePlan:
        return next(plan for plan in self._plans if step <= plan.first_step + plan.num_steps)
