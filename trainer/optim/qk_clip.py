"""QK-clip: no attention logit stays above τ (Kimi K2, 2507.20534).

With S the greatest logit of a head in a step's documents, over all processes, and γ = min(1, τ / S): after the update
the head's rows of W_q are scaled by γ^(1 − r), those of its W_k by the smallest γ^r of the heads that share it, where
r = 1 / (1 + √G) for G heads to one of keys; r = ½ where none is shared. Of normalised queries and keys (Qwen3) the
norms' gains are scaled instead, W_q and W_k having no effect; a layer's heads share them, so each by the root of the
layer's smallest γ.

A step whose log-sum-exps are all at most τ costs one small reduction and one copy to the host (see max_logit). Any
other runs the batches that are above it forward once more. Weights are the float32 masters, in any layout of FSDP2,
HSDP, tensor and context parallelism. Not covered: Motif's differential attention.

B: batches of a step · L: layers · N: heads of queries · K: heads of keys
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule
from torchtitan.models.common.attention import GQAttention
from torchtitan.models.common.decoder import Decoder

from gradus.errors import ConfigError
from gradus.kernels.document_attention import Span, listening
from gradus.trainer import attention as attentions
from gradus.trainer.batch import Batch
from gradus.trainer.optim.cuts import held, shard_of
from gradus.trainer.optim.max_logit import max_logits
from gradus.trainer.parallel import Layout


class QKClip:
    """Watches a model's attention logits, and scales what makes them too great."""

    def __init__(self, model: Decoder, limit: float, layout: Layout) -> None:
        self._model, self._limit, self._layout = model, limit, layout
        self._layers: list[GQAttention] = [layer.attention for layer in model.layers.values()]
        if wrong := [type(layer).__name__ for layer in self._layers if type(layer) is not GQAttention]:
            raise ConfigError(f"optim.qk_clip: heads of {wrong[0]} cannot be clipped; set it to 0")
        group = layout.group("tp")
        rank, size = (group.rank(), group.size()) if group else (0, 1)
        self._num_heads = self._layers[0].n_heads
        self._mine = slice(rank * self._num_heads // size, (rank + 1) * self._num_heads // size)
        self._batches: list[Batch] = []
        self._tables: list[Tensor] = []
        attentions.watch_logits(model, self._num_heads // size, layout.platform.device)

    def saw(self, batch: Batch) -> None:
        """Take note that the model is about to learn from a batch."""
        if self._batches:
            self._tables.append(self._table())
        attentions.forget_logits(self._model)
        self._batches.append(batch)

    def forget(self) -> None:
        """Forget the batches seen: no update comes of them."""
        self._batches, self._tables = [], []

    def measure(self, forward: Callable[[Batch], object]) -> tuple[Tensor, Tensor]:
        """Return (L, N), on the CPU: upper bounds of the heads' logits, and the greatest one where that is above τ.

        forward runs the model on a batch. All processes come here together, before the update.
        """
        bounds_BLN = self._everywhere(torch.stack([*self._tables, self._table()])).cpu()
        bounds_LN = bounds_BLN.amax(dim=0)
        again = [batch for batch, bound in zip(self._batches, bounds_BLN, strict=True) if bound.max() > self._limit]
        self.forget()
        if not again:
            return bounds_LN, torch.full_like(bounds_LN, -torch.inf)
        return bounds_LN, self._everywhere(self._exact(again, forward)).cpu()

    def scale(self, measured: tuple[Tensor, Tensor]) -> dict[str, float]:
        """Scale the heads whose greatest logit is above τ; return what was measured: max_logit is exact above τ."""
        bounds_LN, largest_LN = measured
        above_LN = largest_LN > self._limit
        if not above_LN.any():
            return {"max_logit": min(float(bounds_LN.max()), self._limit), "clipped_heads": 0}
        gammas_LN = torch.where(above_LN, self._limit / largest_LN, 1.0)
        with torch.no_grad():
            for layer, gamma_N in zip(self._layers, gammas_LN, strict=True):
                _scale(layer, gamma_N)
        return {"max_logit": float(largest_LN.max()), "clipped_heads": int(above_LN.sum())}

    def _table(self) -> Tensor:
        """Return (L, N) as far as this process computes it: the greatest log-sum-exps since they were reset."""
        return torch.stack(list(attentions.max_lse(self._model).values()))

    def _everywhere(self, mine: Tensor) -> Tensor:
        """Return the maxima over all processes, for all heads, from those of this process's heads."""
        whole = mine.new_full((*mine.shape[:-1], self._num_heads), -torch.inf)
        whole[..., self._mine] = mine
        dist.all_reduce(whole, dist.ReduceOp.MAX)
        return whole

    def _exact(self, batches: list[Batch], forward: Callable[[Batch], object]) -> Tensor:
        """Return this process's (L, N): the greatest logits in these batches, where they are above τ."""
        scales = [layer.head_dim**-0.5 for layer in self._layers]
        listener = _Listener(attentions.max_lse(self._model), scales, self._limit)
        # Not compiled again for want of gradients.
        with torch.no_grad(), listening(listener), torch.compiler.set_stance("force_eager"):
            for batch in batches:
                listener.used_T = self._layout.part(batch.document_BT).flatten() >= 0
                forward(batch)
        # Without a backward they would keep the weights gathered, and miss the update.
        for module in self._model.modules():
            if isinstance(module, FSDPModule):
                module.reshard()
        return listener.largest_LN


class _Listener:
    """Collects the greatest logits of every layer while the model runs."""

    used_T: Tensor
    """Which queries are no padding, which the model neither learns from nor is clipped for."""

    def __init__(self, tables: dict[int, Tensor], scales: Sequence[float], limit: float) -> None:
        # A layer is known by where its table lies, since that is all the operator is given of it.
        self._numbers = {table_N.data_ptr(): i for i, table_N in tables.items()}
        self._scales, self._limit = scales, limit
        self.largest_LN = torch.full_like(torch.stack(list(tables.values())), -torch.inf)

    def __call__(self, table_N: Tensor | None, q_TNH: Tensor, k_SKH: Tensor, lse_NT: Tensor, span: Span) -> None:
        assert table_N is not None
        i = self._numbers[table_N.data_ptr()]
        lse_NT = lse_NT.masked_fill(~self.used_T[span.queries], -torch.inf)
        above_N = self.largest_LN[i].clamp(min=self._limit)
        found_N = max_logits(q_TNH, k_SKH, lse_NT, span, above_N=above_N, scale=self._scales[i])
        self.largest_LN[i] = torch.maximum(self.largest_LN[i], found_N)


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
