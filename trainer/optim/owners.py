"""Give each cut matrix to one process that computes on it whole, and hand the result back in parts.

Muon's update needs a whole matrix, while FSDP2 and tensor parallelism leave each process a rectangle of every one.
Gathering every matrix on every process would move and compute all of it world-size times. Here a matrix has one owner,
chosen so that all compute about the same; a bucket of matrices moves by one all-to-all there and one back, while the
bucket before it is computed (owner-computes, as in Motif 2's parallel Muon, arXiv 2511.07464). HSDP's replicas each
compute the same. Everything moves and is computed in bfloat16.

B: matrices of one cut
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

import torch
import torch.distributed as dist
from torch import Tensor

from gradus.trainer.optim.cuts import Cut

BUCKET_ELEMENTS = 1 << 28
"""Of the matrices that move together: half a gigabyte in bfloat16, over all processes."""

Fill = Callable[[Sequence[int], Sequence[Tensor]], None]
"""Writes this process's parts of these matrices into bfloat16 tensors."""


class Owners:
    """Who computes on which of some matrices: planned once, used every step."""

    def __init__(self, cuts: Sequence[Cut]) -> None:
        groups: dict[dist.ProcessGroup | None, list[int]] = {}
        for i, cut in enumerate(cuts):
            groups.setdefault(cut.group, []).append(i)
        self._buckets = [_Bucket(cuts, chosen) for indices in groups.values() for chosen in _buckets(cuts, indices)]

    def compute(self, fill: Fill, function: Callable[[Tensor], Tensor]) -> Iterator[tuple[int, Tensor]]:
        """Yield each matrix's index with this process's part of function(matrix), bucket by bucket.

        function takes and returns (B, rows, columns). All processes that share the matrices come here together.
        """
        waiting: tuple[_Bucket, Tensor, dist.Work | None] | None = None
        for bucket in self._buckets:
            sent = (bucket, *bucket.send(fill))
            if waiting:
                yield from waiting[0].finish(*waiting[1:], function)
            waiting = sent
        if waiting:
            yield from waiting[0].finish(*waiting[1:], function)


def _buckets(cuts: Sequence[Cut], indices: list[int]) -> Iterator[list[int]]:
    """Divide the matrices, equal cuts together, into buckets of at most BUCKET_ELEMENTS, or of one matrix."""
    chosen: list[int] = []
    size = 0
    for i in sorted(indices, key=lambda i: (cuts[i].shape, cuts[i].boxes, i)):
        elements = cuts[i].shape[0] * cuts[i].shape[1]
        if chosen and size + elements > BUCKET_ELEMENTS:
            yield chosen
            chosen, size = [], 0
        chosen.append(i)
        size += elements
    if chosen:
        yield chosen


def owners(shapes: Sequence[tuple[int, int]], num_processes: int) -> list[int]:
    """Return each matrix's owner: the costliest first, each to whoever has least to do so far."""
    costs = [rows * columns * min(rows, columns) for rows, columns in shapes]
    heap = [(0, rank) for rank in range(num_processes)]
    found = [0] * len(shapes)
    for i in sorted(range(len(shapes)), key=lambda i: (-costs[i], i)):
        load, found[i] = heapq.heappop(heap)
        heapq.heappush(heap, (load + costs[i], found[i]))
    return found


class _Run:
    """Matrices of one cut with one owner: stacked, they are computed at once."""

    def __init__(self, cut: Cut, indices: list[int]) -> None:
        self.cut, self.indices = cut, indices

    def part_shape(self, rank: int) -> tuple[int, int, int]:
        return len(self.indices), *self.cut.box_shape(rank)

    def elements(self, rank: int) -> int:
        num, rows, columns = self.part_shape(rank)
        return num * rows * columns

    def part(self, whole: Tensor, rank: int) -> Tensor:
        """Return the rectangle of (B, rows, columns) that a process holds."""
        (top, bottom), (left, right) = self.cut.boxes[rank]
        return whole[:, top:bottom, left:right]


class _Bucket:
    """Matrices that travel to their owners, and back, in one message from each process to each."""

    def __init__(self, cuts: Sequence[Cut], chosen: list[int]) -> None:
        self.group, self.rank = cuts[chosen[0]].group, cuts[chosen[0]].rank
        self.size, self.device = len(cuts[chosen[0]].boxes), cuts[chosen[0]].device
        owned: list[list[int]] = [[] for _ in range(self.size)]
        for i, owner in zip(chosen, owners([cuts[i].shape for i in chosen], self.size), strict=True):
            owned[owner].append(i)
        runs = [[_Run(cut, list(same)) for cut, same in groupby(part, key=cuts.__getitem__)] for part in owned]
        self.mine = runs[self.rank]
        self.all = [run for part in runs for run in part]
        self.order = [i for run in self.all for i in run.indices]
        self.sent = [sum(run.elements(self.rank) for run in part) for part in runs]
        self.received = [sum(run.elements(rank) for run in self.mine) for rank in range(self.size)]

    def send(self, fill: Fill) -> tuple[Tensor, dist.Work | None]:
        """Begin to hand every matrix's parts to its owner."""
        parts = torch.empty(sum(self.sent), dtype=torch.bfloat16, device=self.device)
        fill(self.order, [part for _, stack in self._stacks(parts) for part in stack])
        if self.group is None:
            return parts, None
        return self._exchange(parts, self.received, self.sent)

    def finish(
        self, received: Tensor, work: dist.Work | None, function: Callable[[Tensor], Tensor]
    ) -> Iterator[tuple[int, Tensor]]:
        """Compute on the owned matrices and yield this process's parts of all results."""
        if self.group is None:
            for run, stack in self._stacks(received):
                yield from zip(run.indices, function(stack), strict=True)
            return
        assert work is not None
        work.wait()
        results = [function(whole) for whole in self._assembled(received)]
        ranks = range(self.size)
        parts = [run.part(whole, r).reshape(-1) for r in ranks for run, whole in zip(self.mine, results, strict=True)]
        back, work = self._exchange(torch.cat([received.new_empty(0), *parts]), self.sent, self.received)
        work.wait()
        for run, stack in self._stacks(back):
            yield from zip(run.indices, stack, strict=True)

    def _stacks(self, flat: Tensor) -> Iterator[tuple[_Run, Tensor]]:
        """Yield every run with this process's part of it, (B, rows, columns)."""
        pieces = flat.split([run.elements(self.rank) for run in self.all])
        for run, piece in zip(self.all, pieces, strict=True):
            yield run, piece.view(run.part_shape(self.rank))

    def _assembled(self, received: Tensor) -> list[Tensor]:
        """Return the owned matrices whole, run by run, from what every process sent."""
        ranks = range(self.size)
        pieces = iter(received.split([run.elements(r) for r in ranks for run in self.mine]))
        wholes = [received.new_empty(len(run.indices), *run.cut.shape) for run in self.mine]
        for r in ranks:
            for run, whole in zip(self.mine, wholes, strict=True):
                run.part(whole, r).copy_(next(pieces).view(run.part_shape(r)))
        return wholes

    def _exchange(self, sending: Tensor, received: list[int], sent: list[int]) -> tuple[Tensor, dist.Work]:
        receiving = sending.new_empty(sum(received))
        work = dist.all_to_all_single(receiving, sending, received, sent, group=self.group, async_op=True)
        return receiving, work
