"""Packed rows of documents, as the tensors that a model takes.

B: rows · T: positions in a row
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

IGNORED = -100
"""The label of a position that predicts nothing to be learnt."""


@dataclass(frozen=True, slots=True)
class Document:
    """Token ids, and for each whether the model learns to say it."""

    token_ids: np.ndarray
    learnt: np.ndarray


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows of documents laid side by side, then padding."""

    tokens_BT: Tensor
    labels_BT: Tensor
    """The token that follows within the document, or IGNORED."""
    positions_BT: Tensor
    """From 0 in each document; the padding is a document of its own."""
    document_BT: Tensor
    """Which of the batch's documents, counted row by row; -1 in the padding."""
    starts: list[list[int]]
    """Where each row's documents begin: what is read on the host, so that no step waits for the device to say it."""

    def to(self, device: torch.device) -> Batch:
        tensors = {name: value for name in self.__slots__ if isinstance(value := getattr(self, name), Tensor)}
        return replace(self, **{name: tensor.to(device, non_blocking=True) for name, tensor in tensors.items()})


def collate(rows: Sequence[Sequence[Document]], length: int) -> Batch:
    """Lay out rows of documents, each row padded to length; a row may be empty."""
    shape = len(rows), length
    tokens, labels = np.zeros(shape, np.int64), np.full(shape, IGNORED, np.int64)
    positions, documents = np.zeros(shape, np.int64), np.full(shape, -1, np.int64)
    starts: list[list[int]] = []
    number = 0
    for i, row in enumerate(rows):
        start = 0
        starts.append([])
        for document in row:
            end = start + len(document.token_ids)
            tokens[i, start:end] = document.token_ids
            labels[i, start : end - 1] = np.where(document.learnt[1:], document.token_ids[1:], IGNORED)
            positions[i, start:end] = np.arange(end - start)
            documents[i, start:end] = number
            starts[i].append(start)
            start, number = end, number + 1
        if start < length:
            starts[i].append(start)
        positions[i, start:] = np.arange(length - start)
    tokens_BT, labels_BT, positions_BT, document_BT = map(torch.from_numpy, (tokens, labels, positions, documents))
    return Batch(tokens_BT, labels_BT, positions_BT, document_BT, starts)


def num_tokens(row: Sequence[Document]) -> int:
    """Return how long a row is without padding."""
    return sum(len(document.token_ids) for document in row)
