"""What a training step computes, in floating-point operations (FLOPs), and the share of the machine's peak it reaches.

A token costs 6 for each parameter that it is multiplied with: two forward, four backward. Embeddings that are only
looked up cost nothing; tied to the head they are the head. A document of n tokens costs, beside that, in the attention
of every layer 3 · n² · heads · (size of a key + size of a value): forward is 2 for each, half of it since attention is
causal, and backward is twice forward. Padding, what activation checkpointing computes again, norms and softmax are not
counted. This is the published convention, so figures compare.

MFU (model FLOPs utilisation) is against the dense bfloat16 peak, also where float8 is used.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torchtitan.models.common.attention import GQAttention
from torchtitan.models.common.decoder import Decoder

from gradus.trainer.batch import Batch
from gradus.trainer.platform import Platform

PEAKS = {
    "H100 NVL": 835e12,
    "H100 PCIe": 756e12,
    "H100": 989.4e12,
    "H200 NVL": 835e12,
    "H200": 989.4e12,
    "A100": 312e12,
    "GB200": 2500e12,
    "B200": 2250e12,
}
"""Dense bfloat16 FLOPs a second, by NVIDIA's data sheets; the first of these that a device's name contains counts."""


@dataclass(frozen=True, slots=True)
class Flops:
    """What one model costs, forward and backward."""

    per_token: float
    per_pair: float
    """For each pair of tokens of one document, n² of them: causal attention's half is in the factor."""

    @classmethod
    def of(cls, model: Decoder) -> Flops:
        """Count a model's parameters and heads; it may be sharded, or without memory on `meta`."""
        multiplied = sum(parameter.numel() for parameter in model.parameters())
        if model.tok_embeddings.weight is not model.lm_head.weight:
            multiplied -= model.tok_embeddings.weight.numel()
        return cls(6.0 * multiplied, float(sum(_pair(layer.attention) for layer in model.config.layers)))

    def step(self, num_tokens: float, num_pairs: float) -> float:
        """Return the FLOPs of an update on num_tokens in documents whose squared lengths sum to num_pairs."""
        return self.per_token * num_tokens + self.per_pair * num_pairs


def _pair(attention: GQAttention.Config) -> float:
    head_dim = attention.head_dim or attention.dim // attention.n_heads
    return 3.0 * attention.n_heads * (head_dim + getattr(attention, "value_dim", head_dim))


def count_pairs(batch: Batch) -> Tensor:
    """Return the sum of the squared lengths of a batch's documents, which are the sums of the first odd numbers."""
    odd_BT = 2 * batch.positions_BT + 1
    return odd_BT.where(batch.document_BT >= 0, 0).sum().to(torch.float64)


def peak_flops(device: torch.device) -> float | None:
    """Return the peak of a GPU, in FLOPs a second; None for a CPU, or one that is not listed."""
    if device.type != "cuda":
        return None
    name = torch.cuda.get_device_name(device)
    return next((peak for part, peak in PEAKS.items() if part in name), None)


def mfu(flops: float, seconds: float, platform: Platform) -> float | None:
    """Return what share of the peak of all devices together was reached; None where that is not known."""
    peak = peak_flops(platform.device)
    return flops / (seconds * peak * platform.world_size) if peak else None
