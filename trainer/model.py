"""Llama's and Qwen3's models in torchtitan, read from and written to Hugging Face folders.

Covers grouped-query attention, tied embeddings, Qwen3's normalised queries and keys, and Llama 3's RoPE scaling; not
biases, sliding windows, nor other RoPE scalings: such a model is refused, never loaded almost right.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torchtitan.models.common import ComplexRoPE, Embedding, Linear, RMSNorm
from torchtitan.models.common.config_utils import make_ffn_config, make_gqa_config
from torchtitan.models.common.decoder import TransformerBlock
from torchtitan.models.common.param_init import skip_param_init
from torchtitan.models.common.rope import RoPE
from torchtitan.protocols.model_spec import ModelSpec
from torchtitan.protocols.module import Module

from gradus.errors import DataError
from gradus.trainer.families import FAMILIES, Family

# Weights always come from a folder, so nothing is initialised twice.
FROM_FOLDER = {"weight": skip_param_init}
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
    "generation_config.json",
)


def read_config(folder: Path) -> dict[str, Any]:
    """Read config.json of a Hugging Face folder; DataError unless we can train it exactly."""
    try:
        config: dict[str, Any] = json.loads((folder / "config.json").read_text())
    except FileNotFoundError:
        raise DataError(f"{folder}: no config.json; --model takes a Hugging Face folder") from None
    if config.get("model_type") not in FAMILIES or config.get("hidden_act", "silu") != "silu":
        known = ", ".join(FAMILIES)
        raise DataError(f"{folder}: model_type {config.get('model_type')!r}; what can be trained: {known}, with silu")
    if config.get("attention_bias") or config.get("mlp_bias"):
        raise DataError(f"{folder}: the model has biases, which cannot be trained yet")
    if config.get("use_sliding_window"):
        raise DataError(f"{folder}: the model attends in sliding windows, which cannot be trained yet")
    return config


def model_spec(folder: Path, *, context_length: int, attention: Module.Config) -> ModelSpec:
    """Return torchtitan's description of the model in a Hugging Face folder."""
    config = read_config(folder)
    limit = config.get("max_position_embeddings", context_length)
    if context_length > limit:
        raise DataError(f"{folder}: takes {limit} tokens, the curriculum's sequences have {context_length}")
    family = FAMILIES[config["model_type"]]
    dim, vocab_size = config["hidden_size"], config["vocab_size"]
    model = family.model.Config(
        dim=dim,
        vocab_size=vocab_size,
        enable_weight_tying=config.get("tie_word_embeddings", False),
        tok_embeddings=Embedding.Config(num_embeddings=vocab_size, embedding_dim=dim, param_init=FROM_FOLDER),
        norm=_norm(config, dim),
        lm_head=Linear.Config(in_features=dim, out_features=vocab_size, param_init=FROM_FOLDER),
        layers=[_layer(family, config, context_length, attention) for _ in range(config["num_hidden_layers"])],
    )
    return ModelSpec(
        name=config["model_type"],
        flavor=folder.name,
        model=model,
        parallelize_fn=family.parallelize,
        pipelining_fn=None,
        post_optimizer_build_fn=None,
        state_dict_adapter=family.adapter,
    )


def _layer(
    family: Family, config: dict[str, Any], context_length: int, attention: Module.Config
) -> TransformerBlock.Config:
    dim, num_heads = config["hidden_size"], config["num_attention_heads"]
    head_dim = config.get("head_dim") or dim // num_heads
    return family.block.Config(
        attention_norm=_norm(config, dim),
        ffn_norm=_norm(config, dim),
        attention=make_gqa_config(
            dim=dim,
            n_heads=num_heads,
            n_kv_heads=config.get("num_key_value_heads", num_heads),
            head_dim=head_dim,
            qk_norm=_norm(config, head_dim) if family.qk_norm else None,
            wqkv_param_init=FROM_FOLDER,
            wo_param_init=FROM_FOLDER,
            inner_attention=attention,
            rope=_rope(family.rope, config, head_dim, context_length),
        ),
        feed_forward=make_ffn_config(
            dim=dim,
            hidden_dim=config["intermediate_size"],
            w1_param_init=FROM_FOLDER,
            w2w3_param_init=FROM_FOLDER,
        ),
    )


def _norm(config: dict[str, Any], size: int) -> RMSNorm.Config:
    return RMSNorm.Config(normalized_shape=size, eps=config.get("rms_norm_eps", 1e-6), param_init=FROM_FOLDER)


def _rope(kind_of: type[RoPE], config: dict[str, Any], head_dim: int, context_length: int) -> RoPE.Config:
    """Read RoPE's settings, which transformers 5 keeps in rope_parameters and 4 in two other places."""
    rope = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = rope.get("rope_type", "default")
    if kind not in ("default", "llama3") or (kind == "llama3" and kind_of is not ComplexRoPE):
        raise DataError(f"RoPE scaling {kind!r} cannot be trained; only `default`, and `llama3` of Llama")
    common = {
        "dim": head_dim,
        "max_seq_len": context_length,
        "theta": rope.get("rope_theta") or config.get("rope_theta", 10000.0),
    }
    if kind == "default":
        return kind_of.Config(**common)
    return ComplexRoPE.Config(
        **common,
        scaling="llama",
        scaling_factor=rope["factor"],
        low_freq_factor=rope["low_freq_factor"],
        high_freq_factor=rope["high_freq_factor"],
        original_max_position_embeddings=rope["original_max_position_embeddings"],
    )


def read_weights(folder: Path, spec: ModelSpec) -> dict[str, Tensor]:
    """Return a folder's weights, in float32, under torchtitan's names."""
    weights: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            weights |= {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
    if not weights:
        raise DataError(f"{folder}: no *.safetensors")
    assert spec.state_dict_adapter is not None
    return spec.state_dict_adapter(spec.model, None).from_hf(weights)


def write_folder(
    target: Path, weights: dict[str, Tensor], *, spec: ModelSpec, base: Path, dtype: torch.dtype = torch.float32
) -> None:
    """Write weights with base's config and tokenizer as a folder for transformers and vLLM, all or nothing."""
    assert spec.state_dict_adapter is not None
    named = spec.state_dict_adapter(spec.model, None).to_hf(weights)
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    save_file(
        {name: weight.to(dtype).contiguous() for name, weight in named.items()},
        fresh / "model.safetensors",
        metadata={"format": "pt"},
    )
    config = json.loads((base / "config.json").read_text()) | {"dtype": str(dtype).removeprefix("torch.")}
    config.pop("torch_dtype", None)
    (fresh / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name in TOKENIZER_FILES:
        if (base / name).exists():
            shutil.copyfile(base / name, fresh / name)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
