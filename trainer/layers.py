"""One transformer layer of Llama, of Qwen2 and of Qwen3 in torchtitan, as a config.json describes it."""

from __future__ import annotations

import dataclasses
from typing import Any

from torchtitan.models.common import Linear, RMSNorm
from torchtitan.models.common.config_utils import make_ffn_config, make_gqa_config
from torchtitan.models.common.decoder import TransformerBlock
from torchtitan.models.common.param_init import skip_param_init
from torchtitan.models.common.rope import RoPE
from torchtitan.models.llama3.model import Llama3TransformerBlock
from torchtitan.models.qwen3.model import Qwen3TransformerBlock
from torchtitan.protocols.module import Module

# Weights always come from a folder, so nothing is initialised twice.
FROM_FOLDER = {"weight": skip_param_init}


def head_dim(config: dict[str, Any]) -> int:
    """Return the size of one head."""
    return int(config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"])


def norm(config: dict[str, Any], size: int) -> RMSNorm.Config:
    """Describe a normalisation over size numbers."""
    return RMSNorm.Config(normalized_shape=size, eps=config.get("rms_norm_eps", 1e-6), param_init=FROM_FOLDER)


def llama_layer(
    config: dict[str, Any],
    index: int,  # noqa: ARG001
    *,
    inner_attention: Module.Config,
    rope: RoPE.Config,
) -> TransformerBlock.Config:
    """Describe one layer of a Llama; all are alike."""
    return _layer(Llama3TransformerBlock, config, inner_attention=inner_attention, rope=rope)


def qwen2_layer(
    config: dict[str, Any],
    index: int,
    *,
    inner_attention: Module.Config,
    rope: RoPE.Config,
) -> TransformerBlock.Config:
    """Describe one layer of a Qwen2 or Qwen2.5: Llama's, with biases on queries, keys and values."""
    layer = llama_layer(config, index, inner_attention=inner_attention, rope=rope)
    projections: Any = layer.attention.qkv_linear  # type: ignore[attr-defined]
    projections.wq, projections.wkv = _biased(projections.wq), _biased(projections.wkv)
    return layer


def _biased(linear: Linear.Config) -> Linear.Config:
    return dataclasses.replace(linear, bias=True, param_init=FROM_FOLDER | {"bias": skip_param_init})


def qwen3_layer(
    config: dict[str, Any],
    index: int,  # noqa: ARG001
    *,
    inner_attention: Module.Config,
    rope: RoPE.Config,
) -> TransformerBlock.Config:
    """Describe one layer of a Qwen3, which normalises each head's queries and keys."""
    qk_norm = norm(config, head_dim(config))
    return _layer(Qwen3TransformerBlock, config, inner_attention=inner_attention, rope=rope, qk_norm=qk_norm)


def _layer(
    block: type[TransformerBlock],
    config: dict[str, Any],
    *,
    inner_attention: Module.Config,
    rope: RoPE.Config,
    qk_norm: RMSNorm.Config | None = None,
) -> TransformerBlock.Config:
    dim, num_heads = config["hidden_size"], config["num_attention_heads"]
    return block.Config(
        attention_norm=norm(config, dim),
        ffn_norm=norm(config, dim),
        attention=make_gqa_config(
            dim=dim,
            n_heads=num_heads,
            n_kv_heads=config.get("num_key_value_heads", num_heads),
            head_dim=head_dim(config),
            qk_norm=qk_norm,
            wqkv_param_init=FROM_FOLDER,
            wo_param_init=FROM_FOLDER,
            inner_attention=inner_attention,
            rope=rope,
        ),
        feed_forward=make_ffn_config(
            dim=dim,
            hidden_dim=config["intermediate_size"],
            w1_param_init=FROM_FOLDER,
            w2w3_param_init=FROM_FOLDER,
        ),
    )
