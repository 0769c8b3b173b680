"""Cross-entropy of the tokens that are learnt."""

from __future__ import annotations

import torch
from torch import Tensor

from gradus.kernels.token_logprob import token_logprob


def cross_entropy(logits_BTV: Tensor, labels_BT: Tensor, num_labels: Tensor | float) -> Tensor:
    """Return the sum over labels that are not negative, divided by num_labels.

    num_labels counts all processes and batches of a step, so that the sum of their losses is the mean.
    """
    logprobs_N, _ = token_logprob(logits_BTV.flatten(0, 1), labels_BT.flatten())
    return -logprobs_N.sum() / num_labels


def count_labels(labels_BT: Tensor) -> Tensor:
    """Return how many positions are learnt."""
    return (labels_BT >= 0).sum().to(torch.float64)
