"""Llama's, Qwen2's, Qwen3's and Motif-2's models in torchtitan, read from and written to Hugging Face folders.

Covers grouped-query attention, tied embeddings, Qwen2's biases, Qwen3's normalised queries and keys, Motif-2's
differential attention, weights in several files, Llama 3's RoPE scaling and YaRN (rope.py); not other biases, sliding
windows, quantized weights, nor other RoPE scalings: such a model is refused, never loaded almost right.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torchtitan.models.common import Embedding, Linear
from torchtitan.protocols.model_spec import ModelSpec
from torchtitan.protocols.module import Module

from gradus.errors import DataError, WorkspaceError
from gradus.trainer.config import RopeScaling
from gradus.trainer.families import FAMILIES
from gradus.trainer.layers import FROM_FOLDER, head_dim, norm
from gradus.trainer.parallel import describe_sharding, parallelize
from gradus.trainer.rope import rescaled, rope_config
from gradus.trainer.shards import plan_shards, weight_files, write_index

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
    except json.JSONDecodeError as error:
        raise DataError(f"{folder}/config.json is no JSON: {error}") from None
    family = FAMILIES.get(config.get("model_type", ""))
    if family is None or config.get("hidden_act", family.hidden_act) != family.hidden_act:
        known = ", ".join(f"{name} with {each.hidden_act}" for name, each in FAMILIES.items())
        found = f"model_type {config.get('model_type')!r} with {config.get('hidden_act')!r}"
        raise DataError(f"{folder}: {found}; what can be trained: {known}")
    if config.get("attention_bias") or config.get("mlp_bias"):
        raise DataError(f"{folder}: the model has biases, which cannot be trained yet")
    if config.get("use_sliding_window"):
        raise DataError(f"{folder}: the model attends in sliding windows, which cannot be trained yet")
    if config.get("quantization_config"):
        raise DataError(f"{folder}: the weights are quantized; train the model they were made of")
    if why := family.unsupported(config):
        raise DataError(f"{folder}: {why}")
    return config


def model_spec(
    folder: Path, *, context_length: int, attention: Module.Config, rope: RopeScaling | None = None
) -> ModelSpec:
    """Return torchtitan's description of the model in a Hugging Face folder, its positions scaled as declared."""
    config = rescaled(read_config(folder), rope)
    limit = config.get("max_position_embeddings", context_length)
    if context_length > limit:
        raise DataError(
            f"{folder}: takes {limit} tokens, the curriculum's sequences have {context_length}; "
            f"a stage's `rope.factor={-(-context_length // limit)}` spreads its positions"
        )
    family = FAMILIES[config["model_type"]]
    dim, vocab_size = config["hidden_size"], config["vocab_size"]
    rotation = rope_config(family.rope, config, head_dim=head_dim(config), context_length=context_length)
    model = family.model.Config(
        dim=dim,
        vocab_size=vocab_size,
        enable_weight_tying=config.get("tie_word_embeddings", False),
        tok_embeddings=Embedding.Config(num_embeddings=vocab_size, embedding_dim=dim, param_init=FROM_FOLDER),
        norm=norm(config, dim),
        lm_head=Linear.Config(in_features=dim, out_features=vocab_size, param_init=FROM_FOLDER),
        layers=[
            family.layer(config, index, inner_attention=attention, rope=rotation)
            for index in range(config["num_hidden_layers"])
        ],
    )
    describe_sharding(model, family.sharding)
    return ModelSpec(
        name=config["model_type"],
        flavor=folder.name,
        model=model,
        parallelize_fn=parallelize,
        pipelining_fn=None,
        post_optimizer_build_fn=None,
        state_dict_adapter=family.adapter,
    )


def read_weights(folder: Path, spec: ModelSpec) -> dict[str, Tensor]:
    """Return a folder's weights, in float32, under torchtitan's names."""
    weights: dict[str, Tensor] = {}
    files = weight_files(folder)
    for path in sorted(set(files.values())):
        with safe_open(path, framework="pt") as file:
            weights |= {name: file.get_tensor(name).float() for name in file.keys() if name in files}  # noqa: SIM118
    assert spec.state_dict_adapter is not None
    try:
        weights = spec.state_dict_adapter(spec.model, None).from_hf(weights)
    except KeyError as error:
        raise DataError(f"{folder}: a {spec.name} has no weights named {error}") from None
    with torch.device("meta"):
        wanted = {name: weight.shape for name, weight in spec.model.build().state_dict().items()}
    if wrong := [name for name, shape in wanted.items() if name not in weights or weights[name].shape != shape]:
        found = tuple(weights[wrong[0]].shape) if wrong[0] in weights else "none"
        raise DataError(
            f"{folder}: config.json asks for {wrong[0]} of {tuple(wanted[wrong[0]])}, the weights hold {found}; "
            f"{len(wrong)} do not fit in all"
        )
    return weights


def write_folder(
    target: Path,
    weights: dict[str, Tensor],
    *,
    spec: ModelSpec,
    base: Path,
    dtype: torch.dtype = torch.float32,
    rope: RopeScaling | None = None,
) -> None:
    """Write weights with base's config and tokenizer as a folder for transformers and vLLM, all or nothing."""
    assert spec.state_dict_adapter is not None
    named = spec.state_dict_adapter(spec.model, None).to_hf(weights)
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    sizes = {name: weight.numel() * dtype.itemsize for name, weight in named.items()}
    shards = plan_shards(sizes)
    for file, names in shards.items():
        some = {name: named[name].to(dtype).contiguous() for name in names}
        try:
            save_file(some, fresh / file, metadata={"format": "pt"})
        except SafetensorError as error:  # as of a full disk
            raise WorkspaceError(
                f"{target}: cannot be written: {error}; make room, and the same command goes on"
            ) from None
    write_index(fresh, shards, sizes)
    config = json.loads((base / "config.json").read_text()) | {"dtype": str(dtype).removeprefix("torch.")}
    config.pop("torch_dtype", None)
    (fresh / "config.json").write_text(json.dumps(rescaled(config, rope), indent=2) + "\n")
    # A model that transformers does not know brings the code that computes it.
    for path in (*(base / name for name in TOKENIZER_FILES), *base.glob("*.py")):
        if path.exists():
            shutil.copyfile(path, fresh / path.name)
    shutil.rmtree(target, ignore_errors=True)
    fresh.rename(target)
