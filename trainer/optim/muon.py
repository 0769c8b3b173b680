"""Muon for matrices sharded by FSDP2: momentum, made orthogonal, as the update (Jordan 2024; Kimi K2, 2507.20534).

M ← μM + (1 − μ)G, with Nesterov's look-ahead; O = Newton–Schulz(M) · 0.2 √max(rows, columns), so that an update has the
root mean square of AdamW's (Moonlight, 2502.16982); W ← (1 − ηλ)W − ηO. On one process the same as torch.optim.Muon
with adjust_lr_fn="match_rms_adamw".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor
from torch.optim import Optimizer

from gradus.trainer.optim.newton_schulz import orthogonalise
from gradus.trainer.optim.owners import compute_whole, rows_of

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

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Take one step; every process of the parameters' mesh takes it together."""
        assert closure is None
        for group in self.param_groups:
            params = [p for p in group["params"] if p.grad is not None]
            updates = [rows_of(self._ahead(p, group["momentum"])) for p in params]
            for param, update in zip(params, compute_whole(updates, orthogonalise), strict=True):
                local = param.to_local() if isinstance(param, DTensor) else param
                local.mul_(1 - group["lr"] * group["weight_decay"])
                local.add_(update, alpha=-group["lr"] * RMS * math.sqrt(max(param.shape)))

    def _ahead(self, param: Tensor, momentum: float) -> Tensor:
        """Take the gradient into the momentum, and return where it points, one step ahead."""
        assert param.grad is not None
        state = self.state[param]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(param.grad)
        buffer = state["momentum_buffer"].lerp_(param.grad, 1 - momentum)
        return param.grad.lerp(buffer, momentum)
