"""From the traces that a stage takes to its sequences: packed entry by entry, then merged as the schedule says.

Every sequence holds traces of one entry, so the mixture is as exact in sequences as its schedule: the one nearest to
what the recipe declares that has as many sequences of each entry as packing gave.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradus.curricula.balance import arrange, attention_cost, greatest_imbalance
from gradus.curricula.candidates import Ints
from gradus.curricula.choosing import Chosen
from gradus.curricula.manifest import Schedule
from gradus.curricula.packing import Packing, pack
from gradus.curricula.recipe import StageConfig
from gradus.curricula.schedule import assign, fitted


@dataclass(frozen=True, slots=True, kw_only=True)
class Sequences:
    """The sequences of a stage in training order: sequence i holds the candidates rows[offsets[i] : offsets[i + 1]]."""

    rows: Ints
    offsets: Ints
    entry: Ints
    """Of each sequence, its place among the schedule's sorted names."""
    schedule: Schedule
    num_tokens: Ints
    attention: Ints
    """Of each sequence, the sum of its traces' squared lengths."""
    balance: dict[str, float]
    """By the number of ranks: the greatest, over batches, of a rank's attention over the mean of all ranks."""

    def __len__(self) -> int:
        return len(self.entry)

    @property
    def names(self) -> list[str]:
        return sorted(self.schedule.start)


def lay(config: StageConfig, chosen: Chosen, lengths: Ints) -> Sequences:
    """Pack each entry's traces in their order, and merge the entries."""
    names = sorted(chosen.rows)
    packings = [pack(lengths[chosen.rows[name]], config.context_length, window=config.window) for name in names]
    counts = {name: len(packing) for name, packing in zip(names, packings, strict=True)}
    schedule = fitted(chosen.declared, counts)
    entry = assign(schedule, counts)
    one = Packing(
        np.concatenate([chosen.rows[name][packing.rows] for name, packing in zip(names, packings, strict=True)]),
        np.concatenate([[0], np.cumsum(np.concatenate([np.diff(packing.offsets) for packing in packings]))]),
    )
    # The j-th sequence of an entry goes where the schedule has its j-th turn.
    turn = np.empty(len(entry), np.int64)
    turn[np.argsort(entry, kind="stable")] = np.arange(len(entry))
    one = reordered(one, turn)
    attention, balance = attention_cost(lengths[one.rows], one.offsets), {}
    if config.batch_sequences:
        most = max(config.balance_ranks)
        order = arrange(attention, entry, batch_sequences=config.batch_sequences, ranks=most)
        one, attention = reordered(one, order), attention[order]
        for ranks in sorted(set(config.balance_ranks)):
            found = greatest_imbalance(attention, batch_sequences=config.batch_sequences, ranks=ranks)
            balance[str(ranks)] = round(found, 6)
    return Sequences(
        rows=one.rows,
        offsets=one.offsets,
        entry=entry,
        schedule=schedule,
        num_tokens=np.add.reduceat(lengths[one.rows], one.offsets[:-1]),
        attention=attention,
        balance=balance,
    )


def reordered(packing: Packing, order: Ints) -> Packing:
    """Return the sequences in another order."""
    sizes = np.diff(packing.offsets)[order]
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    starts = packing.offsets[:-1][order]
    places = np.arange(offsets[-1]) - np.repeat(offsets[:-1] - starts, sizes)
    return Packing(packing.rows[places], offsets)
