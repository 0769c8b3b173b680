"""A manifest as a torch IterableDataset, for training loops that are not ours.

    from torch.utils.data import DataLoader
    dataset = ManifestDataset("manifests/….json", rank=rank, world_size=world_size, sequences=64)
    for batch in DataLoader(dataset, batch_size=None, num_workers=2):
        loss = model(batch["input_ids"], labels=batch["labels"], position_ids=batch["position_ids"]).loss

Every item is one process's share of the next `sequences` of the curriculum, all stages one after another: they never
cross a stage, whose last batch may be smaller, and are as long as the stage's context. The processes share a batch so
that attention costs all about the same; one that gets nothing gets a row of padding, since all must take part. Labels
stand at their own tokens, as transformers wants them: -100 where nothing is learnt, and at each trace's first token.

The state is how many sequences the curriculum has given to all processes together, `batch["consumed"]`: whoever
loads it goes on at the very next one, with any world size, batch or number of workers. `state_dict` also remembers
where this iteration began, since a StatefulDataLoader asks each of its workers for it, and gives it back to the same.
Every worker holds the tokens of one stage in memory; hashes and packing are checked when it reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import IterableDataset, get_worker_info

from gradus.curricula.balance import share_out
from gradus.curricula.manifest import read
from gradus.errors import ConfigError, DataError
from gradus.trainer.batch import IGNORED, Document, collate
from gradus.trainer.data import StageData

Item = dict[str, Any]


class ManifestDataset(IterableDataset):
    """All stages of a manifest for one of world_size processes; an iteration that has ended begins anew."""

    def __init__(
        self, manifest_path: Path | str, *, rank: int = 0, world_size: int = 1, sequences: int | None = None
    ) -> None:
        """Read the manifest; sequences is how many a batch holds over all processes (None: one each)."""
        sequences = world_size if sequences is None else sequences
        if not 0 <= rank < world_size or sequences < 1:
            raise ConfigError(f"rank {rank} of {world_size} processes, {sequences} sequences a batch: cannot be")
        self._path = Path(manifest_path)
        self._stages = read(self._path).stages
        self._rank, self._world_size, self._sequences = rank, world_size, sequences
        self._loaded: tuple[int, StageData] | None = None
        self._began = self._consumed = 0
        self._resumed = False

    def __len__(self) -> int:
        """Return how many batches a whole iteration gives."""
        return sum(-(-stage.packing.num_rows // self._sequences) for stage in self._stages)

    def state_dict(self) -> dict[str, int]:
        return {"consumed": self._consumed, "began": self._began}

    def load_state_dict(self, state: dict[str, int]) -> None:
        consumed, total = state["consumed"], sum(stage.packing.num_rows for stage in self._stages)
        began = state.get("began", consumed)
        if not 0 <= began <= consumed <= total:
            raise DataError(f"{self._path}: cannot go on at sequence {consumed} of {total}")
        self._began, self._consumed, self._resumed = began, consumed, True

    def __iter__(self) -> Iterator[Item]:
        if not self._resumed:
            self._began = self._consumed = 0
        self._resumed = False
        worker = get_worker_info()
        number, step = (worker.id, worker.num_workers) if worker else (0, 1)
        for i, (stage, first, last) in enumerate(self._batches(self._began)):
            consumed = self._stages_before(stage) + last
            if i % step == number and consumed > self._consumed:
                self._consumed = consumed
                yield self._item(stage, first, last) | {"consumed": consumed}

    def _stages_before(self, stage: int) -> int:
        return sum(one.packing.num_rows for one in self._stages[:stage])

    def _batches(self, began: int) -> Iterator[tuple[int, int, int]]:
        """Yield (stage, first, last) of the sequences of each batch from a place of the curriculum on."""
        for number, stage in enumerate(self._stages):
            size = stage.packing.num_rows
            for first in range(max(0, began), size, self._sequences):
                yield number, first, min(first + self._sequences, size)
            began -= size

    def _item(self, stage: int, first: int, last: int) -> Item:
        data = self._load(stage)
        shares = share_out(data.costs[first:last], self._world_size)
        rows: list[list[Document]] = [data[first + int(number)] for number in shares[self._rank]]
        batch = collate(rows or [[]], data.context_length)
        labels = torch.full_like(batch.labels_BT, IGNORED)
        labels[:, 1:] = batch.labels_BT[:, :-1]
        return {
            "input_ids": batch.tokens_BT,
            "labels": labels,
            "position_ids": batch.positions_BT,
            "document_ids": batch.document_BT,
            "stage": data.name,
        }

    def _load(self, stage: int) -> StageData:
        if self._loaded is None or self._loaded[0] != stage:
            self._loaded = None  # free the one before first
            self._loaded = stage, StageData(self._path, self._stages[stage])
        return self._loaded[1]
