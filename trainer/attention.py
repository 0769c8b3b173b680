"""Attention inside packed documents: a document begins where the position is 0, and sees only itself.

On a GPU this is torchtitan's FlexAttention. On a CPU, where that cannot run backward, it is PyTorch's
attention with a dense mask: exact, for the short rows that a CPU trains on.

B: rows · T: positions · N: heads · H: size of a head
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torchtitan.models.common.attention import FlexAttention
from torchtitan.models.common.decoder import Decoder
from torchtitan.protocols.module import Module

from gradus.trainer.platform import Platform


class DenseAttention(Module):
    """Attention where a boolean mask says so."""

    @dataclass(kw_only=True, slots=True)
    class Config(Module.Config):
        """Nothing to configure."""

    def __init__(self, config: Config) -> None:  # noqa: ARG002
        super().__init__()

    def forward(
        self,
        q_BTNH: Tensor,
        k_BTNH: Tensor,
        v_BTNH: Tensor,
        *,
        attention_masks: Tensor,
        scale: float | None = None,
        enable_gqa: bool = False,
    ) -> Tensor:
        q_BNTH, k_BNTH, v_BNTH = (x.transpose(1, 2) for x in (q_BTNH, k_BTNH, v_BTNH))
        out_BNTH = F.scaled_dot_product_attention(
            q_BNTH, k_BNTH, v_BNTH, attn_mask=attention_masks, scale=scale, enable_gqa=enable_gqa
        )
        return out_BNTH.transpose(1, 2)


def attention_config(platform: Platform) -> Module.Config:
    """Return the attention that this machine trains with."""
    return FlexAttention.Config() if platform.on_gpu else DenseAttention.Config()


def attention_masks(model: Decoder, positions_BT: Tensor) -> object:
    """Return what the model's attention takes as its mask for these packed rows."""
    if isinstance(model.config.first_attention.inner_attention, FlexAttention.Config):
        return model.get_attention_masks(positions=positions_BT)
    return document_mask(positions_BT)


def document_mask(positions_BT: Tensor) -> Tensor:
    """Return (B, 1, T, T): may query attend to key: same document, not later."""
    document_BT = (positions_BT == 0).cumsum(dim=1)
    same_BTT = document_BT[:, :, None] == document_BT[:, None, :]
    num_positions = positions_BT.shape[1]
    causal_TT = torch.ones(num_positions, num_positions, dtype=torch.bool, device=positions_BT.device).tril()
    return (same_BTT & causal_TT)[:, None]
