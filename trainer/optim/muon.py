"""Muon for matrices cut by FSDP2 and tensor parallelism: momentum, made orthogonal, as the update.

After Jordan (2024) and Kimi K2 (2507.20534): M ← μM + (1 − μ)G, with Nesterov's look-ahead; O = Newton–Schulz(M) ·
0.2 √max(rows, columns), so that an update has the root mean square of AdamW's (Moonlight, 2502.16982);
W ← (1 − ηλ)W − ηO. On one process the same as torch.optim.Muon with adjust_lr_fn="match_rms_adamw".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from gradus.trainer.optim.cuts import Cuts, shard_of
from gradus.trainer.optim.newton_schulz import orthogonalise
from gradus.trainer.optim.owners import Owners

RMS = 0.2
"""The root mean square of an update, before the learning rate."""


class Muon(Optimizer):
    """Takes matrices alone; embeddings, the head, norms and biases belong to AdamW."""

    def __init__(
        self, params: Iterable[dict[str, Any]], lr: float = 1e-3, weight_decay: float = 0.1, momentum: float = 0.95
    ) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum})
        for group in self.param_groups:
            if wrong := [tuple(p.shape) for p in group["params"] if p.ndim != 2]:
                raise ValueError(f"Muon takes matrices, not a parameter of shape {wrong[0]}")
        cuts = Cuts()
        self._owners = [Owners([cuts.of(p) for p in group["params"]]) for group in self.param_groups]

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step; every process of the parameters' mesh takes it together, with gradients for all of them."""
        assert closure is None
        for group, owners in zip(self.param_groups, self._owners, strict=True):
            params = group["params"]
            weights, gradients, momenta = ([shard_of(x) for x in xs] for xs in zip(*map(self._of, params), strict=True))
            torch._foreach_lerp_(momenta, gradients, 1 - group["momentum"])
            ahead = partial(_ahead, gradients, momenta, group["momentum"])
            decay = 1 - group["lr"] * group["weight_decay"]
            for i, update in owners.compute(ahead, orthogonalise):
                scale = RMS * math.sqrt(max(params[i].shape))
                weights[i].mul_(decay).add_(update.to(weights[i].device), alpha=-group["lr"] * scale)

    def _of(self, param: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return a parameter, its gradient and its momentum."""
        assert param.grad is not None
        state = self.state[param]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(param.grad)
        return param, param.grad, state["momentum_buffer"]


def _ahead(
    gradients: Sequence[Tensor],
    momenta: Sequence[Tensor],
    momentum: float,
    indices: Sequence[int],
    to: Sequence[Tensor],
) -> None:
    """Write where the momenta of these matrices point, one step ahead."""
    points = torch._foreach_lerp([gradients[i] for i in indices], [momenta[i] for i in indices], momentum)
    torch._foreach_copy_(to, points)
