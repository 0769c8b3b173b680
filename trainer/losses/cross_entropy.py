"""Cross-entropy of the tokens that are learnt.

torchtitan's ChunkedLossWrapper applies the head to a part of the positions at a time and goes backward at once, so that
the logits of a long sequence are never all in memory: 64K positions x 152K words would be 20 GB, twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torchtitan.components.loss import BaseLoss, ChunkedLossWrapper, cross_entropy_loss
from torchtitan.config import CompileConfig

from gradus.kernels.dispatch import runs_triton
from gradus.kernels.token_logprob import token_logprob

MAX_LOGITS = 1 << 30
"""That are in memory at a time: 2 GB in bfloat16, and as much for their gradient."""


def cross_entropy(logits_BTV: Tensor, labels_BT: Tensor, num_labels: Tensor | float) -> Tensor:
    """Return the sum over labels that are not negative, divided by num_labels.

    num_labels counts all processes and batches of a step, so that the sum of their losses is the mean.
    """
    # Tensor parallelism shards the vocabulary; and without its kernel token_logprob takes time for an entropy, unused.
    if isinstance(logits_BTV, DTensor) or not runs_triton(logits_BTV):
        return cross_entropy_loss(logits_BTV, labels_BT) / num_labels
    logprobs_N, _ = token_logprob(logits_BTV.flatten(0, 1), labels_BT.flatten())
    return -logprobs_N.sum() / num_labels


def count_labels(labels_BT: Tensor) -> Tensor:
    """Return how many positions are learnt."""
    return (labels_BT >= 0).sum().to(torch.float64)


class CrossEntropy(BaseLoss):
    """cross_entropy, as torchtitan calls losses."""

    @dataclass(kw_only=True, slots=True)
    class Config(BaseLoss.Config):
        """Nothing to configure."""

    def __init__(self, config: Config, *, compile_config: CompileConfig | None = None) -> None:  # noqa: ARG002
        self.fn = cross_entropy

    def __call__(
        self, pred: Tensor, labels: Tensor, global_valid_tokens: Tensor | None = None, **_: Any
    ) -> tuple[Tensor, dict[str, Tensor]]:
        assert global_valid_tokens is not None
        return cross_entropy(pred, labels, global_valid_tokens), {}


class ChunkedCrossEntropy(ChunkedLossWrapper):
    """CrossEntropy, in as many parts as MAX_LOGITS asks for."""

    @dataclass(kw_only=True, slots=True)
    class Config(ChunkedLossWrapper.Config):
        """As torchtitan's."""

        loss_fn: BaseLoss.Config = field(default_factory=CrossEntropy.Config)

    def fit(self, shape_BT: torch.Size, vocabulary: int) -> None:
        """Set the number of parts for rows of this shape: a power of two that divides the positions."""
        rows, length = shape_BT
        self.num_chunks = 1
        while rows * length // self.num_chunks * vocabulary > MAX_LOGITS and length % (2 * self.num_chunks) == 0:
            self.num_chunks *= 2
