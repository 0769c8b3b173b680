"""Give each sharded matrix to one process that computes on it whole, and hand the result back in shards.

Muon's update needs a whole matrix, while FSDP2 leaves each process some rows of every one. Gathering every matrix on
every process would move and compute all of it world-size times. Here a matrix has one owner, chosen so that all compute
about the same; a bucket of matrices moves by one all-to-all there and one back, while the bucket before it is computed
(owner-computes, as in Motif 2's parallel Muon, arXiv 2511.07464).

Covers matrices whose rows are sharded over one dimension of their mesh (FSDP2, and HSDP, where every replica computes
the same). Not covered: tensor parallelism, which shards matrices over two dimensions or by columns; it is refused.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.tensor import DTensor, Shard

BUCKET_ELEMENTS = 1 << 28
"""Of the matrices that move together: half a gigabyte in bfloat16, over all processes."""


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a matrix that this process holds. group: who holds the others; None if these are all."""

    local: Tensor
    shape: tuple[int, int]
    group: dist.ProcessGroup | None

    def num(self, rank: int) -> int:
        """Return how many rows a process holds: as torch.chunk cuts, the last ones fewer or none."""
        if self.group is None:
            return self.shape[0]
        each = -(-self.shape[0] // self.group.size())
        return max(0, min(each, self.shape[0] - rank * each))


def rows_of(tensor: Tensor) -> Rows:
    """Return what this process holds of a matrix."""
    if not isinstance(tensor, DTensor):
        return Rows(tensor, (tensor.shape[0], tensor.shape[1]), None)
    sharded = [i for i, placement in enumerate(tensor.placements) if not placement.is_replicate()]
    shape = tensor.shape[0], tensor.shape[1]
    if not sharded or tensor.device_mesh.size(sharded[0]) == 1:
        return Rows(tensor.to_local(), shape, None)
    if len(sharded) > 1 or tensor.placements[sharded[0]] != Shard(0):
        raise NotImplementedError(f"a matrix placed as {tensor.placements} cannot be given to one owner")
    return Rows(tensor.to_local(), shape, tensor.device_mesh.get_group(sharded[0]))


def compute_whole(matrices: Sequence[Rows], function: Callable[[Tensor], Tensor]) -> list[Tensor]:
    """Return this process's rows of function(matrix), for every matrix, in bfloat16.

    function takes and returns (matrices, rows, columns), all of one shape. Every process of a group calls this with the
    same matrices in the same order.
    """
    results: list[Tensor | None] = [None] * len(matrices)
    for group, indices in _by_group(matrices).items():
        waiting: _Bucket | None = None
        for bucket in _buckets(matrices, indices, group):
            bucket.send()
            if waiting:
                waiting.finish(function, results)
            waiting = bucket
        if waiting:
            waiting.finish(function, results)
    return [result for result in results if result is not None]


def _by_group(matrices: Sequence[Rows]) -> dict[dist.ProcessGroup | None, list[int]]:
    found: dict[dist.ProcessGroup | None, list[int]] = {}
    for i, rows in enumerate(matrices):
        found.setdefault(rows.group, []).append(i)
    return found


def _buckets(matrices: Sequence[Rows], indices: list[int], group: dist.ProcessGroup | None) -> Iterator[_Bucket]:
    """Cut the matrices, equal shapes together, into buckets of at most BUCKET_ELEMENTS, or of one matrix."""
    chosen: list[int] = []
    size = 0
    for i in sorted(indices, key=lambda i: (matrices[i].shape, i)):
        elements = matrices[i].shape[0] * matrices[i].shape[1]
        if chosen and size + elements > BUCKET_ELEMENTS:
            yield _Bucket(matrices, chosen, group)
            chosen, size = [], 0
        chosen.append(i)
        size += elements
    if chosen:
        yield _Bucket(matrices, chosen, group)


def owners(shapes: Sequence[tuple[int, int]], num_processes: int) -> list[int]:
    """Return each matrix's owner: the costliest first, each to whoever has least to do so far."""
    costs = [rows * columns * min(rows, columns) for rows, columns in shapes]
    heap = [(0, rank) for rank in range(num_processes)]
    found = [0] * len(shapes)
    for i in sorted(range(len(shapes)), key=lambda i: (-costs[i], i)):
        load, found[i] = heapq.heappop(heap)
        heapq.heappush(heap, (load + costs[i], found[i]))
    return found


@dataclass(slots=True)
class _Bucket:
    """Matrices on their way to their owners."""

    matrices: Sequence[Rows]
    chosen: list[int]
    group: dist.ProcessGroup | None
    mine: list[int] = field(init=False)
    _owned: list[list[int]] = field(init=False)
    _received: Tensor = field(init=False)
    _work: dist.Work | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        size, rank = (1, 0) if self.group is None else (self.group.size(), self.group.rank())
        self._owned = [[] for _ in range(size)]
        for i, owner in zip(self.chosen, owners([self.matrices[i].shape for i in self.chosen], size), strict=True):
            self._owned[owner].append(i)
        self.mine = self._owned[rank]

    def _elements(self, indices: Sequence[int], rank: int) -> int:
        return sum(self.matrices[i].num(rank) * self.matrices[i].shape[1] for i in indices)

    def send(self) -> None:
        """Begin to hand every matrix's rows to its owner."""
        if self.group is None:
            return
        rank, ranks = self.group.rank(), range(self.group.size())
        parts = [self.matrices[i].local.bfloat16().reshape(-1) for owned in self._owned for i in owned]
        received = [self._elements(self.mine, r) for r in ranks]
        sent = [self._elements(owned, rank) for owned in self._owned]
        self._received, self._work = self._exchange(torch.cat(parts), received, sent)

    def finish(self, function: Callable[[Tensor], Tensor], results: list[Tensor | None]) -> None:
        """Compute on the owned matrices and put this process's rows of all results in their places."""
        if self.group is None:
            for i, result in self._computed(function, [self.matrices[i].local.bfloat16() for i in self.mine]).items():
                results[i] = result
            return
        assert self._work is not None
        self._work.wait()
        computed = self._computed(function, self._assembled())
        rank, ranks = self.group.rank(), range(self.group.size())
        parts = [part.reshape(-1) for r in ranks for part in self._cut(computed, r)]
        received = [self._elements(owned, rank) for owned in self._owned]
        sent = [self._elements(self.mine, r) for r in ranks]
        empty = self._received.new_empty(0)
        back, work = self._exchange(torch.cat([empty, *parts]), received, sent)
        work.wait()
        order = [i for owned in self._owned for i in owned]
        sizes = [self._elements([i], rank) for i in order]
        for i, part in zip(order, back.split(sizes), strict=True):
            results[i] = part.view(self.matrices[i].num(rank), self.matrices[i].shape[1])

    def _exchange(self, sending: Tensor, received: list[int], sent: list[int]) -> tuple[Tensor, dist.Work]:
        receiving = sending.new_empty(sum(received))
        work = dist.all_to_all_single(receiving, sending, received, sent, group=self.group, async_op=True)
        return receiving, work

    def _assembled(self) -> list[Tensor]:
        """Return the owned matrices whole, from what every process sent."""
        assert self.group is not None
        ranks = range(self.group.size())
        sizes = [self._elements([i], r) for r in ranks for i in self.mine]
        parts = self._received.split(sizes)
        whole = []
        for place, i in enumerate(self.mine):
            columns = self.matrices[i].shape[1]
            whole.append(torch.cat([parts[r * len(self.mine) + place].view(-1, columns) for r in ranks]))
        return whole

    def _computed(self, function: Callable[[Tensor], Tensor], whole: Sequence[Tensor]) -> dict[int, Tensor]:
        """Apply function to the owned matrices, those of one shape together."""
        by_shape: dict[tuple[int, int], list[int]] = {}
        for place, i in enumerate(self.mine):
            by_shape.setdefault(self.matrices[i].shape, []).append(place)
        found: dict[int, Tensor] = {}
        for places in by_shape.values():
            results = function(torch.stack([whole[place] for place in places]))
            found |= {self.mine[place]: result for place, result in zip(places, results, strict=True)}
        return found

    def _cut(self, computed: dict[int, Tensor], rank: int) -> Iterator[Tensor]:
        """Yield a process's rows of every result."""
        for i in self.mine:
            start = sum(self.matrices[i].num(r) for r in range(rank))
            yield computed[i][start : start + self.matrices[i].num(rank)]
