"""Which tokens attend to which: a document begins where the position is 0, and sees only itself, up to itself.

The arithmetic is kernels/document_attention.py's, on every device.

Context parallel: of a row's 2c chunks each of c ranks holds two, one early and one late, so that all have as much to
compute; the keys and values of whole rows are gathered. What a chunk's queries read is one slice of them, from the
start of the chunk's first document to the chunk's end.

B: rows · T: positions of a row, here · N: heads · H: size of a head
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed._functional_collectives import all_gather_single_autograd
from torchtitan.distributed.activation_checkpoint import SelectiveAC
from torchtitan.protocols.module import Module

from gradus.kernels.document_attention import document_attention


@dataclass(frozen=True, slots=True)
class Documents:
    """Where the documents of this process's queries, and of their keys, begin.

    A plain object: FSDP would move the tensors of a tuple to the GPU, and every layer wait for `pieces` to come back.
    """

    starts_of_queries: Tensor
    """Of each piece's documents, then the piece's end, piece after piece; int32, on the device."""
    starts_of_keys: Tensor
    pieces: Tensor
    """As document_attention takes them."""
    counts_T: Tensor | None
    """Which of this process's queries are no padding, which is not clipped for; needed where logits are watched."""


def documents(
    rows: list[list[int]],
    length: int,
    *,
    rank: int = 0,
    size: int = 1,
    counts_T: Tensor | None = None,
    device: torch.device | str = "cpu",
) -> Documents:
    """Say which documents a rank of context parallelism has to do with; rows: where those of each row begin."""
    pieces = _chunks(rows, length, rank=rank, size=size) if size > 1 else _whole(rows, length)
    starts: tuple[list[int], list[int]] = ([], [])
    table = []
    for queries, keys, first_query, first_key in pieces:
        begin, longest = len(starts[0]), [max(b - a for a, b in pairwise(x)) for x in (queries, keys)]
        starts[0].extend(queries)
        starts[1].extend(keys)
        bounds = first_query, first_query + queries[-1], first_key, first_key + keys[-1]
        table.append((*bounds, begin, len(starts[0]), *longest))
    starts_of_queries, starts_of_keys = (
        torch.tensor(x, dtype=torch.int32).to(device, non_blocking=True) for x in starts
    )
    for x in (starts_of_queries, starts_of_keys):
        # So that layers are compiled once, not once for the first batch and again for all others.
        torch._dynamo.maybe_mark_dynamic(x, 0)
    return Documents(starts_of_queries, starts_of_keys, torch.tensor(table), counts_T)


Piece = tuple[list[int], list[int], int, int]
"""Starts of queries and keys, then the end, within the piece; where its first query and its first key are."""


def _whole(rows: list[list[int]], length: int) -> list[Piece]:
    starts = [i * length + start for i, row in enumerate(rows) for start in row] + [len(rows) * length]
    return [(starts, starts, 0, 0)]


def _chunks(rows: list[list[int]], length: int, *, rank: int, size: int) -> list[Piece]:
    chunk, pieces = length // (2 * size), []
    for i, row in enumerate(rows):
        for half, number in enumerate(_numbers(rank, size)):
            begin, end = number * chunk, (number + 1) * chunk
            first = max(start for start in row if start <= begin)
            cuts = [*(start for start in row if begin < start < end), end]
            queries, keys = ([0, *(cut - origin for cut in cuts)] for origin in (begin, first))
            pieces.append((queries, keys, (2 * i + half) * chunk, i * length + first))
    return pieces


def _numbers(rank: int, size: int) -> tuple[int, int]:
    return rank, 2 * size - 1 - rank


def local_part(x_BT: Tensor, *, rank: int, size: int) -> Tensor:
    """Return a rank's two chunks of whole rows, whose length must be a multiple of 2 x size."""
    if size == 1:
        return x_BT
    chunks = x_BT.unflatten(1, (2 * size, -1))
    return torch.cat([chunks[:, number] for number in _numbers(rank, size)], dim=1)


def joined(x_BT: Tensor, group: dist.ProcessGroup) -> Tensor:
    """Undo local_part over the ranks of a group; a rank's gradient is the sum of what all say about its part."""
    size = group.size()
    gathered = all_gather_single_autograd(x_BT.contiguous(), 0, group)
    parts = gathered.unflatten(0, (size, -1)).unflatten(2, (2, -1))
    chunks = torch.cat([parts[:, :, 0], parts[:, :, 1].flip(0)])
    return chunks.transpose(0, 1).flatten(1, 2)


class DocumentAttention(Module):
    """Causal attention within documents, as torchtitan's attention layers call it."""

    @dataclass(kw_only=True, slots=True)
    class Config(Module.Config):
        """Nothing to configure."""

    noted_2N: Tensor | None

    def __init__(self, config: Config) -> None:  # noqa: ARG002
        super().__init__()
        self.context: dist.ProcessGroup | None = None
        self.register_buffer("noted_2N", None, persistent=False)
        self.limit = 0.0

    def forward(
        self,
        q_BTNH: Tensor,
        k_BTNH: Tensor,
        v_BTNH: Tensor,
        *,
        attention_masks: Documents,
        scale: float | None = None,
        enable_gqa: bool = False,  # noqa: ARG002
    ) -> Tensor:
        size = k_BTNH.shape[-1]
        if self.context is not None:
            k_BTNH, v_BTNH = joined(torch.cat([k_BTNH, v_BTNH], dim=-1), self.context).tensor_split([size], dim=-1)
        out_TNH, _ = document_attention(
            *(x.flatten(0, 1) for x in (q_BTNH, k_BTNH, v_BTNH)),
            attention_masks.starts_of_queries,
            attention_masks.starts_of_keys,
            attention_masks.pieces,
            size**-0.5 if scale is None else scale,
            # What is only looked at has no part in an update.
            self.noted_2N if torch.is_grad_enabled() else None,
            attention_masks.counts_T,
            self.limit,
        )
        return out_TNH.unflatten(0, q_BTNH.shape[:2])


class KeepingAttention(SelectiveAC):
    """torchtitan's selective recomputation, which does not know our attention, told to keep what it returned."""

    @dataclass(kw_only=True, slots=True)
    class Config(SelectiveAC.Config):
        """As torchtitan's."""

    def get_save_ops(self) -> set[object]:
        return super().get_save_ops() | {torch.ops.gradus.document_attention.default}


class OnlyAttention(KeepingAttention):
    """Everything is computed again but attention, which costs the square of a document's length."""

    @dataclass(kw_only=True, slots=True)
    class Config(KeepingAttention.Config):
        """As torchtitan's."""

    def get_save_ops(self) -> set[object]:
        return {torch.ops.gradus.document_attention.default}


def share_context(model: nn.Module, group: dist.ProcessGroup) -> None:
    """Tell a model's attentions that the ranks of a group hold parts of the same rows."""
    for attention in _attentions(model):
        attention.context = group


def watch_logits(model: nn.Module, limit: float, num_heads: int, device: torch.device) -> list[Tensor]:
    """Have a model's attentions note their logits while it learns, as note_logits does, and return each layer's notes.

    num_heads are those of a layer in this process.
    """
    notes = []
    for attention in _attentions(model):
        notes.append(torch.full((2, num_heads), -torch.inf, device=device))
        attention.limit, attention.noted_2N = limit, notes[-1]
    return notes


def _attentions(model: nn.Module) -> list[DocumentAttention]:
    """Return a model's attentions in the order of its layers."""
    return [module for module in model.modules() if isinstance(module, DocumentAttention)]
