"""What torchtitan brings for each model family that we train: classes, names of weights, parallelism."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torchtitan.models.common import ComplexRoPE, CosSinRoPE
from torchtitan.models.common.decoder import Decoder, TransformerBlock
from torchtitan.models.common.rope import RoPE
from torchtitan.models.llama3 import Llama3Model, parallelize_llama
from torchtitan.models.llama3.model import Llama3TransformerBlock
from torchtitan.models.llama3.state_dict_adapter import Llama3StateDictAdapter
from torchtitan.models.qwen3 import Qwen3Model, parallelize_qwen3
from torchtitan.models.qwen3.model import Qwen3TransformerBlock
from torchtitan.models.qwen3.state_dict_adapter import Qwen3StateDictAdapter
from torchtitan.protocols.state_dict_adapter import StateDictAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One model family."""

    model: type[Decoder]
    block: type[TransformerBlock]
    rope: type[RoPE]
    """How pairs of a head's dimensions are laid out for rotation."""
    adapter: type[StateDictAdapter]
    parallelize: Callable[..., Any]
    qk_norm: bool
    """Are queries and keys normalised before they meet?"""


FAMILIES = {
    "llama": Family(
        model=Llama3Model,
        block=Llama3TransformerBlock,
        rope=ComplexRoPE,
        adapter=Llama3StateDictAdapter,
        parallelize=parallelize_llama,
        qk_norm=False,
    ),
    "qwen3": Family(
        model=Qwen3Model,
        block=Qwen3TransformerBlock,
        rope=CosSinRoPE,
        adapter=Qwen3StateDictAdapter,
        parallelize=parallelize_qwen3,
        qk_norm=True,
    ),
}
"""By the `model_type` of a Hugging Face config.json."""
