"""How a matrix is cut over processes: each holds one rectangle of it.

FSDP2 cuts rows; tensor parallelism cuts rows (wq, wk, wv, w1, w3) or columns (wo, w2) before that; HSDP's replicas and
context parallelism's ranks cut nothing, or count as FSDP2's. So what a process holds is always one rectangle, and a
process group can be found that holds every rectangle once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.tensor import DTensor
from torch.distributed.tensor.placement_types import Placement, _StridedShard

Span = tuple[int, int]
"""The first, and the one after the last."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The rectangles of a matrix, by rank in the group that holds each once; group: None if this process holds all."""

    shape: tuple[int, int]
    boxes: tuple[tuple[Span, ...], ...]
    """Rows and columns."""
    group: dist.ProcessGroup | None
    device: torch.device
    """Where matrices are computed, which with offloaded weights is not where they are kept."""

    @property
    def rank(self) -> int:
        """The place of this process among the boxes."""
        return 0 if self.group is None else self.group.rank()

    def box_shape(self, rank: int) -> tuple[int, int]:
        (top, bottom), (left, right) = self.boxes[rank]
        return bottom - top, right - left


@dataclass(slots=True)
class Cuts:
    """Finds cuts, and makes each process group that takes them only once."""

    _groups: dict[tuple[DeviceMesh, tuple[int, ...]], dist.ProcessGroup] = field(default_factory=dict)

    def of(self, tensor: Tensor) -> Cut:
        """Return how a matrix is cut. The processes of its mesh, which is all there are, ask for the same in order."""
        shape = tensor.shape[0], tensor.shape[1]
        if not isinstance(tensor, DTensor):
            return Cut(shape, (held(tensor),), None, tensor.device)
        mesh, device = tensor.device_mesh, torch.device(tensor.device_mesh.device_type)
        cutting = tuple(
            i for i, placement in enumerate(tensor.placements) if not placement.is_replicate() and mesh.size(i) > 1
        )
        if not cutting:
            return Cut(shape, (held(tensor),), None, device)
        sizes = [mesh.size(i) for i in cutting]
        placements = [tensor.placements[i] for i in cutting]
        boxes = tuple(_box(shape, placements, place, sizes) for place in product(*map(range, sizes)))
        return Cut(shape, boxes, self._group(mesh, cutting), device)

    def _group(self, mesh: DeviceMesh, dims: tuple[int, ...]) -> dist.ProcessGroup:
        if len(dims) == 1:
            return mesh.get_group(dims[0])
        if (mesh, dims) not in self._groups:
            others = [i for i in range(mesh.ndim) if i not in dims]
            size = math.prod(mesh.size(i) for i in dims)
            ranks = mesh.mesh.permute(*others, *dims).reshape(-1, size)
            group, _ = dist.new_subgroups_by_enumeration(ranks.tolist())
            assert group is not None
            self._groups[mesh, dims] = group
        return self._groups[mesh, dims]


def shard_of(tensor: Tensor) -> Tensor:
    """Return what this process holds of a tensor, in its own memory: writing there writes to the tensor."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def held(tensor: Tensor) -> tuple[Span, ...]:
    """Return what this process holds of a tensor, along each of its dimensions."""
    if not isinstance(tensor, DTensor):
        return tuple((0, size) for size in tensor.shape)
    mesh, place = tensor.device_mesh, tensor.device_mesh.get_coordinate()
    assert place is not None
    return _box(tensor.shape, tensor.placements, place, [mesh.size(i) for i in range(mesh.ndim)])


def _box(
    shape: Sequence[int], placements: Sequence[Placement], place: Sequence[int], sizes: Sequence[int]
) -> tuple[Span, ...]:
    box = [(0, size) for size in shape]
    cutting = [i for i, placement in enumerate(placements) if not placement.is_replicate()]
    # A strided placement is FSDP2's on a dimension that tensor parallelism had cut already.
    for i in sorted(cutting, key=lambda i: isinstance(placements[i], _StridedShard)):
        dim: int = placements[i].dim  # type: ignore[attr-defined]
        box[dim] = _chunk(box[dim], place[i], sizes[i])
    return tuple(box)


def _chunk(span: Span, index: int, count: int) -> Span:
    """Return a part of a span as torch.chunk cuts it: the last ones smaller, or empty."""
    start, end = span
    each = -(-(end - start) // count)
    return min(start + index * each, end), min(start + (index + 1) * each, end)
