"""QK-clip: no attention logit stays above τ (Kimi K2, 2507.20534).

With S the greatest logit of a head in a step's documents, over all processes, and γ = min(1, τ / S): after the update
the head's rows of W_q are scaled by γ^(1 − r), those of its W_k by the smallest γ^r of the heads that share it, where
r = 1 / (1 + √G) for G heads to one of keys; r = ½ where none is shared. Of normalised queries and keys (Qwen3) the
norms' gains are scaled instead, W_q and W_k having no effect; a layer's heads share them, so each by the root of the
layer's smallest γ.

Attention notes its logits while the model learns (kernels/max_logit.py). Weights are the float32 masters, in any layout
of FSDP2, HSDP, tensor and context parallelism. Not covered: Motif's differential attention.

L: layers · N: heads of queries · K: heads of keys
"""

from __future__ import annotations

import math

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torchtitan.models.common.attention import GQAttention
from torchtitan.models.common.decoder import Decoder

from gradus.errors import ConfigError
from gradus.trainer.attention import watch_logits
from gradus.trainer.optim.cuts import held, shard_of
from gradus.trainer.parallel import Layout


class QKClip:
    """Watches a model's attention logits, and scales what makes them too great."""

    def __init__(self, model: Decoder, limit: float, layout: Layout) -> None:
        self._limit = limit
        self._layers: list[GQAttention] = [layer.attention for layer in model.layers.values()]
        if wrong := [type(layer).__name__ for layer in self._layers if type(layer) is not GQAttention]:
            raise ConfigError(f"optim.qk_clip: heads of {wrong[0]} cannot be clipped; set it to 0")
        group = layout.group("tp")
        rank, size = (group.rank(), group.size()) if group else (0, 1)
        self._num_heads = self._layers[0].n_heads
        self._mine = slice(rank * self._num_heads // size, (rank + 1) * self._num_heads // size)
        self._noted = watch_logits(model, limit, self._num_heads // size, layout.platform.device)

    def forget(self) -> None:
        """Forget what was noted: no update comes of it."""
        for noted_2N in self._noted:
            noted_2N.fill_(-torch.inf)

    def clip(self) -> dict[str, float]:
        """Scale the heads whose greatest logit was above τ; return what was noted: max_logit is exact above τ.

        All processes come here together, after the update.
        """
        bounds_LN, largest_LN = self.measure()
        above_LN = largest_LN > self._limit
        if not above_LN.any():
            return {"max_logit": min(float(bounds_LN.max()), self._limit), "clipped_heads": 0}
        gammas_LN = torch.where(above_LN, self._limit / largest_LN, 1.0)
        with torch.no_grad():
            for layer, gamma_N in zip(self._layers, gammas_LN, strict=True):
                _scale(layer, gamma_N)
        return {"max_logit": float(largest_LN.max()), "clipped_heads": int(above_LN.sum())}

    def measure(self) -> tuple[Tensor, Tensor]:
        """Return (L, N), on the CPU: upper bounds of the heads' logits, and the greatest one where that is above τ."""
        bounds_LN, largest_LN = self._everywhere(torch.stack(self._noted, dim=1)).cpu()
        return bounds_LN, largest_LN

    def _everywhere(self, mine: Tensor) -> Tensor:
        """Return the maxima over all processes, for all heads, from those of this process's heads."""
        whole = mine.new_full((*mine.shape[:-1], self._num_heads), -torch.inf)
        whole[..., self._mine] = mine
        dist.all_reduce(whole, dist.ReduceOp.MAX)
        return whole


def _scale(attention: GQAttention, gamma_N: Tensor) -> None:
    """Scale one layer's queries and keys by γ between them."""
    if attention.q_norm is not None and attention.k_norm is not None:
        for norm in (attention.q_norm, attention.k_norm):
            shard_of(norm.weight).mul_(float(gamma_N.min()) ** 0.5)
        return
    num_groups = attention.n_heads // attention.n_kv_heads
    r = 1 / (1 + math.sqrt(num_groups))
    _scale_heads(attention.qkv_linear.wq, gamma_N ** (1 - r))
    _scale_heads(attention.qkv_linear.wk, gamma_N.view(-1, num_groups).amin(dim=1) ** r)


def _scale_heads(linear: nn.Module, factors: Tensor) -> None:
    """Scale each head's rows of weights and biases, of those that this process holds."""
    for parameter in linear.parameters():
        (top, bottom), *_ = held(parameter)
        local = shard_of(parameter)
        rows = factors.repeat_interleave(parameter.shape[0] // len(factors))[top:bottom].to(local.device)
        local.mul_(rows.view(-1, *[1] * (local.ndim - 1)))
