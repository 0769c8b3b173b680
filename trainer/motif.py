"""Motif-2's parts for torchtitan: grouped differential attention, PolyNorm, names of weights, tensor parallelism.

Grouped differential attention (Lim et al. 2025, arXiv 2510.06949): of each group of query heads the last one listens to
noise. With values v two heads wide, a pair of key heads (k1, k2) for each of them, and RoPE on all q and k:
    signal_j = softmax(q_j k1 / sqrt(H)) v,   noise = softmax(q_last k2 / sqrt(H)) v
    out_j = (1 - l0) RMSNorm(signal_j - l noise),   l = exp(lq1 . lk1) - exp(lq2 . lk2) + l0
with one l for each layer, l0 = 0.8 - 0.6 exp(-0.3 (layer - 1)), layers counted from 0. The feed-forward layer is
w2 (PolyNorm(w1 x) w3 x). Layout of heads, constants and names follow vLLM's, llama.cpp's and MLX's readings of
Motif-2-12.7B, which agree; without num_noise_heads half of the heads are noise, as in Motif-2.6B.
Not covered: biases, k_ratio other than 1, sliding windows, Motif 3's latent attention and experts, max-logit clipping.

B: rows · L: positions · N: heads · K: pairs of key heads · R: query heads on one key head · G: query heads of a group ·
H: size of a head
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torchtitan.models.common import Linear, RMSNorm
from torchtitan.models.common.attention import GQAttention, QKVLinear
from torchtitan.models.common.config_utils import make_ffn_config
from torchtitan.models.common.decoder_sharding import norm_config
from torchtitan.models.common.feed_forward import FeedForward
from torchtitan.models.common.param_init import skip_param_init
from torchtitan.models.common.rope import RoPE
from torchtitan.models.llama3 import Llama3Model
from torchtitan.models.llama3.model import Llama3TransformerBlock
from torchtitan.models.llama3.sharding import set_llama3_sharding_config
from torchtitan.models.qwen3.state_dict_adapter import Qwen3StateDictAdapter
from torchtitan.protocols.module import Module
from torchtitan.protocols.sharding import ShardingConfig

from gradus.kernels.poly_norm import poly_norm
from gradus.trainer.layers import FROM_FOLDER, head_dim, norm

QWEN3_ONLY = ("q_norm.weight", "k_norm.weight", "mlp.gate.weight")
LAMBDAS = ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2")


class DifferentialAttention(GQAttention):
    """Attention to what a signal head sees and a noise head does not."""

    @dataclass(kw_only=True, slots=True)
    class Config(GQAttention.Config):
        """n_heads counts signal and noise heads, n_kv_heads both of each pair."""

        num_noise_heads: int
        lambda_init: float
        out_norm: RMSNorm.Config

        @property
        def value_dim(self) -> int:
            """How wide the values are that one query head gathers."""
            assert self.head_dim is not None
            return 2 * self.head_dim

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.lambda_init = config.lambda_init
        self.noise_heads_of_pair = config.num_noise_heads // (self.n_kv_heads // 2)
        self.signal_heads_of_noise = config.n_heads // config.num_noise_heads - 1
        for name in LAMBDAS:
            self.register_parameter(name, nn.Parameter(torch.empty(self.head_dim)))
        self.out_norm = config.out_norm.build()

    # torchtitan's plan for tensor parallelism knows the input by this name.
    def forward(self, x_BLD: Tensor, attention_masks: Any, positions: Tensor | None = None) -> Tensor:
        q_BLNH, k_BLNH, v_BLNH = self.qkv_linear(x_BLD)
        q_BLNH, k_BLNH = self.rope(q_BLNH, k_BLNH, positions)
        groups = (self.noise_heads_of_pair, self.signal_heads_of_noise)
        q_BLKRGH = q_BLNH.unflatten(2, (-1, groups[0], groups[1] + 1))
        k_BLK2H = k_BLNH.unflatten(2, (-1, 2))
        signal = self._attend(q_BLKRGH[..., :-1, :].flatten(3, 4), k_BLK2H[..., 0, :], v_BLNH, attention_masks)
        noise = self._attend(q_BLKRGH[..., -1, :], k_BLK2H[..., 1, :], v_BLNH, attention_masks)
        # One noise head answers for several signal heads.
        heard = signal.unflatten(3, groups) - self._lambda().to(noise.dtype) * noise[..., None, :]
        return self.wo(self.out_norm(heard.flatten(2, 4)).flatten(2) * (1 - self.lambda_init))

    def _attend(self, q_BLKRH: Tensor, k_BLKH: Tensor, v_BLNH: Tensor, masks: Any) -> Tensor:
        """Return (B, L, K, R, 2H); fast kernels take values no wider than keys, so both halves attend alike."""
        q_BLNH = _twice(q_BLKRH).flatten(2, 4)
        out_BLNH = self.inner_attention(
            q_BLNH,
            _twice(k_BLKH).flatten(2, 3),
            v_BLNH,
            attention_masks=masks,
            scale=self.scaling,
            enable_gqa=q_BLNH.shape[2] > v_BLNH.shape[2],
        )
        return out_BLNH.unflatten(2, (-1, 2, q_BLKRH.shape[3])).transpose(3, 4).flatten(4)

    def _lambda(self) -> Tensor:
        q1, k1, q2, k2 = (getattr(self, name).float() for name in LAMBDAS)
        return (q1 * k1).sum().exp() - (q2 * k2).sum().exp() + self.lambda_init


def _twice(x: Tensor) -> Tensor:
    """Return x (B, L, K, ...) with every pair's heads said twice: (B, L, K, 2, ...)."""
    return x.unsqueeze(3).expand(*x.shape[:3], 2, *x.shape[3:])


class PolyNorm(Module):
    """An activation with four numbers to learn, times what it gates."""

    @dataclass(kw_only=True, slots=True)
    class Config(Module.Config):
        """Nothing to configure."""

    def __init__(self, config: Config) -> None:  # noqa: ARG002
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.empty(3)), nn.Parameter(torch.empty(1))

    def forward(self, gate: Tensor, up: Tensor) -> Tensor:
        return poly_norm(gate, up, self.weight, self.bias)


class PolyNormFeedForward(FeedForward):
    """A gated feed-forward layer whose gate is PolyNorm."""

    @dataclass(kw_only=True, slots=True)
    class Config(FeedForward.Config):
        """As of the layer it is made from."""

        activation: PolyNorm.Config

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.activation = config.activation.build()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.w2(self.activation(self.w1(x), self.w3(x)))
        return out


class MotifStateDictAdapter(Qwen3StateDictAdapter):
    """Weights under Motif's names; its heads rotate as Qwen3's do, so that nothing is permuted."""

    def __init__(self, model_config: Llama3Model.Config, hf_assets_path: str | None) -> None:
        super().__init__(model_config, hf_assets_path)
        attention, feed_forward = "layers.{}.attention.", "layers.{}.feed_forward."
        for name in [name for name in self.from_hf_map if "experts" in name or name.endswith(QWEN3_ONLY)]:
            del self.from_hf_map[name]
        self.from_hf_map |= {f"model.layers.{{}}.self_attn.{name}": attention + name for name in LAMBDAS} | {
            "model.layers.{}.self_attn.subln.weight": attention + "out_norm.weight",
            "model.layers.{}.mlp.act_fn.weight": feed_forward + "activation.weight",
            "model.layers.{}.mlp.act_fn.bias": feed_forward + "activation.bias",
        }


def unsupported(config: dict[str, Any]) -> str | None:
    """Say what in a Motif's config.json cannot be trained, if anything."""
    if config.get("use_bias") or config.get("qkv_bias"):
        return "the model has biases, which cannot be trained yet"
    if "kv_lora_rank" in config or config.get("k_ratio", 1) != 1:
        return "latent attention (Motif 3) and k_ratio other than 1 cannot be trained"
    heads, pairs, noise = config["num_attention_heads"], _num_pairs(config), _num_noise_heads(config)
    if not noise or heads % noise or heads == noise or noise % pairs:
        return f"{heads} heads with {noise} of noise on {pairs} pairs of key heads do not make equal groups"
    return None


def _num_noise_heads(config: dict[str, Any]) -> int:
    return int(config.get("num_noise_heads") or config["num_attention_heads"] // 2)


def _num_pairs(config: dict[str, Any]) -> int:
    return int(config.get("num_key_value_heads", config["num_attention_heads"])) // 2


def motif_layer(
    config: dict[str, Any], index: int, *, inner_attention: Module.Config, rope: RoPE.Config
) -> Llama3TransformerBlock.Config:
    """Describe one layer of a Motif-2; what noise is worth depends on the layer."""
    dim = config["hidden_size"]
    feed_forward = make_ffn_config(
        dim=dim, hidden_dim=config["intermediate_size"], w1_param_init=FROM_FOLDER, w2w3_param_init=FROM_FOLDER
    )
    return Llama3TransformerBlock.Config(
        attention_norm=norm(config, dim),
        ffn_norm=norm(config, dim),
        attention=_attention(config, index, inner_attention=inner_attention, rope=rope),
        feed_forward=PolyNormFeedForward.Config(
            w1=feed_forward.w1,
            w2=feed_forward.w2,
            w3=feed_forward.w3,
            activation=PolyNorm.Config(param_init={"weight": skip_param_init, "bias": skip_param_init}),
        ),
    )


def _attention(
    config: dict[str, Any], index: int, *, inner_attention: Module.Config, rope: RoPE.Config
) -> DifferentialAttention.Config:
    dim, size, heads = config["hidden_size"], head_dim(config), config["num_attention_heads"]
    noise, num_kv_heads = _num_noise_heads(config), 2 * _num_pairs(config)
    out_norm = RMSNorm.Config(
        normalized_shape=2 * size, eps=config.get("attn_rms_norm_eps", 1e-5), param_init=FROM_FOLDER
    )

    def linear(inputs: int, outputs: int) -> Linear.Config:
        return Linear.Config(in_features=inputs, out_features=outputs, param_init=FROM_FOLDER)

    return DifferentialAttention.Config(
        dim=dim,
        n_heads=heads,
        n_kv_heads=num_kv_heads,
        head_dim=size,
        num_noise_heads=noise,
        lambda_init=0.8 - 0.6 * math.exp(-0.3 * (index - 1)),
        out_norm=out_norm,
        qkv_linear=QKVLinear.Config(head_dim=size, wq=linear(dim, heads * size), wkv=linear(dim, num_kv_heads * size)),
        wo=linear(2 * (heads - noise) * size, dim),
        inner_attention=inner_attention,
        rope=dataclasses.replace(rope),
        param_init=dict.fromkeys(LAMBDAS, skip_param_init),
    )


def set_motif_sharding_config(config: Llama3Model.Config, *, enable_sp: bool) -> None:
    """Cut the model as Llama is cut; what one layer's heads share is whole on every process."""
    set_llama3_sharding_config(config, enable_sp=enable_sp)
    whole = norm_config(enable_sp=enable_sp).state_shardings["weight"]
    for layer in config.layers:
        by_head = layer.attention.inner_attention.sharding_config.out_src_shardings
        layer.attention.sharding_config.state_shardings = dict.fromkeys(LAMBDAS, whole)
        layer.attention.out_norm.sharding_config = ShardingConfig(
            state_shardings={"weight": whole},
            in_src_shardings={"input": by_head},
            in_dst_shardings={"input": by_head},
            out_src_shardings=by_head,
            out_dst_shardings=by_head,
        )
        layer.feed_forward.activation.sharding_config = ShardingConfig(state_shardings={"weight": whole, "bias": whole})
