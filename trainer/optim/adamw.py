"""torch.optim.AdamW on what this process holds of its parameters.

Its update is one of each number alone, so that it needs no DTensor; asking DTensor how to share the work out takes the
host as long as a GPU takes for the work, and in a step it comes where the GPU has nothing else to do.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gradus.trainer.optim.cuts import shard_of


class AdamW(torch.optim.AdamW):
    """PyTorch's, whose state is that of the whole parameters."""

    def _init_group(self, group: dict[str, Any], *lists: list[Tensor]) -> bool:
        has_complex: bool = super()._init_group(group, *lists)
        for tensors in lists:
            tensors[:] = map(shard_of, tensors)
        return has_complex
