"""What each model family that we train brings: its parts in torchtitan, names of weights, a plan to cut it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from torchtitan.models.common import ComplexRoPE, CosSinRoPE
from torchtitan.models.common.decoder import Decoder, TransformerBlock
from torchtitan.models.common.rope import RoPE
from torchtitan.models.llama3 import Llama3Model
from torchtitan.models.llama3.sharding import set_llama3_sharding_config
from torchtitan.models.llama3.state_dict_adapter import Llama3StateDictAdapter
from torchtitan.models.qwen3 import Qwen3Model
from torchtitan.models.qwen3.sharding import set_qwen3_sharding_config
from torchtitan.models.qwen3.state_dict_adapter import Qwen3StateDictAdapter
from torchtitan.protocols.state_dict_adapter import StateDictAdapter

from gradus.trainer import motif
from gradus.trainer.layers import llama_layer, qwen2_layer, qwen3_layer


def anything(config: dict[str, Any]) -> None:
    """Find nothing in a config.json that the family cannot do."""


class Qwen2StateDictAdapter(Qwen3StateDictAdapter):
    """As Qwen3's, whose heads rotate alike, with biases."""

    def __init__(self, model_config: Llama3Model.Config, hf_assets_path: str | None) -> None:
        super().__init__(model_config, hf_assets_path)
        self.from_hf_map |= {
            f"model.layers.{{}}.self_attn.{name}_proj.bias": f"layers.{{}}.attention.qkv_linear.w{name}.bias"
            for name in "qkv"
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One model family."""

    model: type[Decoder]
    layer: Callable[..., TransformerBlock.Config]
    """(config.json, number of the layer, inner_attention=, rope=) -> what torchtitan builds."""
    rope: type[RoPE]
    """How pairs of a head's dimensions are laid out for rotation."""
    adapter: type[StateDictAdapter]
    sharding: Callable[..., None]
    """torchtitan's plan of what tensor parallelism cuts where."""
    hidden_act: str = "silu"
    unsupported: Callable[[dict[str, Any]], str | None] = anything
    """What in a config.json we would compute wrongly, if anything."""


FAMILIES = {
    "llama": Family(
        model=Llama3Model,
        layer=llama_layer,
        rope=ComplexRoPE,
        adapter=Llama3StateDictAdapter,
        sharding=set_llama3_sharding_config,
    ),
    "qwen2": Family(
        model=Llama3Model,
        layer=qwen2_layer,
        rope=CosSinRoPE,
        adapter=Qwen2StateDictAdapter,
        sharding=set_llama3_sharding_config,
    ),
    "qwen3": Family(
        model=Qwen3Model,
        layer=qwen3_layer,
        rope=CosSinRoPE,
        adapter=Qwen3StateDictAdapter,
        sharding=partial(set_qwen3_sharding_config, enable_ep=False),
    ),
    "motif": Family(
        model=Llama3Model,
        layer=motif.motif_layer,
        rope=CosSinRoPE,
        adapter=motif.MotifStateDictAdapter,
        sharding=motif.set_motif_sharding_config,
        hidden_act="poly_norm",
        unsupported=motif.unsupported,
    ),
}
"""By the `model_type` of a Hugging Face config.json."""
