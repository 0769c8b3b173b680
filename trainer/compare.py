"""How far apart what two models say is: their logits on the same random tokens, in float32, by transformers."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM

NUM_TOKENS = 64


def largest_difference(one: Path, other: Path) -> float:
    """Return the largest difference of a logit; one model is in memory at a time."""
    return float((_logits(one) - _logits(other)).abs().max())


@torch.no_grad()
def _logits(folder: Path) -> Tensor:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    generator = torch.Generator().manual_seed(0)
    return model(torch.randint(model.config.vocab_size, (1, NUM_TOKENS), generator=generator)).logits
