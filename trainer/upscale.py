"""A larger model that computes the same function: clones in width, new blocks in depth, file by file.

Width by cloning (Samragh et al., 2024, arXiv 2409.12903): every copy of a hidden unit, head or neuron carries the same
value, so a matrix that reads c copies is repeated and divided by c. RMSNorm's mean does not change. A tied head reads
c copies with the embedding's own weights, so the final norm's gain is divided by c instead. Heads are repeated whole,
queries with their keys and values: head_dim, and with it RoPE, and the size of a group stay as they are. Copies that
are equal get equal gradients and would stay equal for ever, so to what reads copies noise is added, which sums to zero
over them.

Depth by blocks whose two output matrices are zero (LLaMA-Pro, arXiv 2401.02415), each a copy of the block below it,
spread evenly: x + 0 = x. Their output matrices learn from the first step on, the rest from the second.

The logits stay within rounding: in float32 within 1e-3; in bfloat16, noise and divisions by other than powers of two
are rounded as any weight is. Not covered: factors that are not whole, head_dim, the vocabulary, fewer layers, and
models that are quantized or whose weights are not those of Llama, Qwen2 or Qwen3: refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from gradus.errors import ConfigError, DataError
from gradus.trainer.config import Dtype
from gradus.trainer.model import TOKENIZER_FILES, read_config
from gradus.trainer.shards import plan_shards, weight_files, write_index

RECORD = "upscale.json"
FAMILIES = ("llama", "qwen2", "qwen3")
AXES = {
    "model.embed_tokens.weight": ("", "hidden"),
    "model.norm.weight": ("hidden",),
    "lm_head.weight": ("", "hidden"),
    "input_layernorm.weight": ("hidden",),
    "post_attention_layernorm.weight": ("hidden",),
    "self_attn.q_proj.weight": ("heads", "hidden"),
    "self_attn.k_proj.weight": ("heads", "hidden"),
    "self_attn.v_proj.weight": ("heads", "hidden"),
    "self_attn.q_proj.bias": ("heads",),
    "self_attn.k_proj.bias": ("heads",),
    "self_attn.v_proj.bias": ("heads",),
    "self_attn.o_proj.weight": ("hidden", "heads"),
    "self_attn.q_norm.weight": ("",),
    "self_attn.k_norm.weight": ("",),
    "mlp.gate_proj.weight": ("ffn", "hidden"),
    "mlp.up_proj.weight": ("ffn", "hidden"),
    "mlp.down_proj.weight": ("hidden", "ffn"),
}
"""What a weight's dimensions are, rows first; of a layer's weights, by the name inside the layer."""
LAYER = re.compile(r"model\.layers\.(\d+)\.(.+)")
OUTPUTS = ("self_attn.o_proj.weight", "mlp.down_proj.weight")
"""Of a block, what adds to the stream."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upscaling:
    """How much larger, and how."""

    hidden: int = 1
    """Copies of the stream between the layers."""
    heads: int = 1
    """Copies of every head: of queries, and of keys and values."""
    ffn: int = 1
    """Copies of every neuron."""
    depth: int | None = None
    """Layers of the result; None: as many as there are."""
    noise: float = 0.1
    """Standard deviation of what tells copies apart, over that of the weights; 0: copies stay equal for ever."""
    seed: int = 0
    dtype: Dtype = "float32"

    def __post_init__(self) -> None:
        if min(self.hidden, self.heads, self.ffn) < 1:
            raise ConfigError(f"width: copies are 1 or more, not {self.hidden}, {self.heads}, {self.ffn}")
        if not 0 <= self.noise <= 1:
            raise ConfigError(f"noise is a share of the weights, from 0 to 1, not {self.noise}")


@dataclass(frozen=True, slots=True)
class Grown:
    """One weight of the result: where it comes from, and its shape."""

    source: str
    shape: tuple[int, ...]
    is_zero: bool


class Plan:
    """What would be written: config.json and every weight, known from the headers alone."""

    def __init__(self, folder: Path, how: Upscaling) -> None:
        self.how, self._files = how, weight_files(folder)
        before = read_config(folder)
        if before["model_type"] not in FAMILIES:
            raise DataError(f"{folder}: is {before['model_type']}; what can be upscaled: {', '.join(FAMILIES)}")
        self.is_tied = bool(before.get("tie_word_embeddings", False))
        layers = _layers(before["num_hidden_layers"], how.depth)
        self.config = _grown_config(before, how, layers)
        self.weights = dict(self._weights([layer for layer, _ in layers], [is_new for _, is_new in layers]))
        width = 2 if how.dtype == "bfloat16" else 4
        self.sizes = {name: width * math.prod(grown.shape) for name, grown in self.weights.items()}
        self.shards = plan_shards(self.sizes)

    @property
    def num_parameters(self) -> int:
        return sum(math.prod(grown.shape) for grown in self.weights.values())

    def _weights(self, below: list[int], is_new: list[bool]) -> Iterator[tuple[str, Grown]]:
        """Yield the result's weights: those outside the layers, then layer by layer."""
        inside: dict[int, dict[str, str]] = {}
        for name in sorted(self._files):
            layer = LAYER.fullmatch(name)
            if name.endswith("rotary_emb.inv_freq"):
                continue  # old folders hold it, though it follows from config.json
            if (layer[2] if layer else name) not in AXES:
                raise DataError(f"{self._files[name]}: holds {name}, which no Llama or Qwen that we upscale has")
            if layer:
                inside.setdefault(int(layer[1]), {})[layer[2]] = name
            elif not (self.is_tied and name == "lm_head.weight"):
                yield name, self._grown(name, is_zero=False)
        if missing := set(below) - inside.keys():
            raise DataError(f"no weights of layer {min(missing)}, though config.json says that there are")
        for number, (layer_below, new) in enumerate(zip(below, is_new, strict=True)):
            for part, source in inside[layer_below].items():
                yield f"model.layers.{number}.{part}", self._grown(source, is_zero=new and part in OUTPUTS)

    def _grown(self, source: str, *, is_zero: bool) -> Grown:
        with safe_open(self._files[source], framework="pt") as file:
            shape = file.get_slice(source).get_shape()
        return Grown(source, tuple(s * c for s, c in zip(shape, self._copies(source), strict=True)), is_zero)

    def _copies(self, source: str) -> list[int]:
        layer = LAYER.fullmatch(source)
        return [getattr(self.how, axis) if axis else 1 for axis in AXES[layer[2] if layer else source]]

    def make(self, name: str) -> Tensor:
        """Return one weight of the result."""
        grown, dtype = self.weights[name], getattr(torch, self.how.dtype)
        if grown.is_zero:
            return torch.zeros(grown.shape, dtype=dtype)
        with safe_open(self._files[grown.source], framework="pt") as file:
            weight = file.get_tensor(grown.source)
        if weight.dtype not in (torch.float32, torch.bfloat16, torch.float16):
            raise DataError(f"{self._files[grown.source]}: {grown.source} is {weight.dtype}; upscale takes floats")
        copies = self._copies(grown.source)
        weight = weight.float().repeat(*copies)
        if grown.source == "model.norm.weight" and self.is_tied:
            weight /= copies[0]
        if len(copies) == 2 and grown.source != "model.embed_tokens.weight":
            weight = (weight + _noise(weight, copies[1], self.how, name)) / copies[1]
        return weight.to(dtype)


def upscale(folder: Path, target: Path, plan: Plan, *, origin: str, advance: Callable[[int], None]) -> bool:
    """Write the larger model; return whether there was anything to do. Killed, the same again does the rest.

    origin names the weights in folder; advance is told of every weight. One file's weights are in memory at a time.
    """
    record = {"from": origin, **asdict(plan.how)}
    if target.exists():
        if _read_record(target) != record:
            raise DataError(f"{target}: exists, and is not what this command makes; name another folder or remove it")
        return False
    fresh = target.with_name(f".{target.name}.new")
    if _read_record(fresh) != record:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        (fresh / RECORD).write_text(json.dumps(record, indent=2) + "\n")
    for file, names in plan.shards.items():
        if not (fresh / file).exists():
            part = fresh / f".{file}"
            save_file({name: plan.make(name) for name in names}, part, metadata={"format": "pt"})
            part.rename(fresh / file)
        advance(len(names))
    write_index(fresh, plan.shards, plan.sizes)
    (fresh / "config.json").write_text(json.dumps(plan.config, indent=2) + "\n")
    for name in TOKENIZER_FILES:
        if (folder / name).exists():
            shutil.copyfile(folder / name, fresh / name)
    fresh.rename(target)
    return True


def _read_record(folder: Path) -> Any:
    path = folder / RECORD
    try:
        return json.loads(path.read_text())
    except (FileNotFoundError, NotADirectoryError, json.JSONDecodeError):
        return None


def _layers(before: int, after: int | None) -> list[tuple[int, bool]]:
    """Return the result's layers from the bottom: the layer that each comes from, and whether it is new."""
    added = (before if after is None else after) - before
    if added < 0:
        raise ConfigError(f"depth {after}: the model has {before} layers, and none can be taken away")
    layers: list[tuple[int, bool]] = []
    for layer in range(before):
        above = (layer + 1) * added // before - layer * added // before
        layers += [(layer, False), *[(layer, True)] * above]
    return layers


def _grown_config(before: dict[str, Any], how: Upscaling, layers: list[tuple[int, bool]]) -> dict[str, Any]:
    num_heads = before["num_attention_heads"]
    after = before | {
        "hidden_size": before["hidden_size"] * how.hidden,
        "intermediate_size": before["intermediate_size"] * how.ffn,
        "num_attention_heads": num_heads * how.heads,
        "num_key_value_heads": before.get("num_key_value_heads", num_heads) * how.heads,
        "head_dim": before.get("head_dim") or before["hidden_size"] // num_heads,
        "num_hidden_layers": len(layers),
        "dtype": how.dtype,
    }
    after.pop("torch_dtype", None)
    if kinds := before.get("layer_types"):
        after["layer_types"] = [kinds[layer] for layer, _ in layers]
    return after


def _noise(weight: Tensor, copies: int, how: Upscaling, name: str) -> Tensor:
    """Return noise that sums to zero over the copies that a matrix reads; none where it reads one."""
    if copies == 1 or not how.noise:
        return torch.zeros(())
    # By name, so that no weight's noise depends on which others were made before.
    seed = hashlib.sha256(f"{how.seed} {name}".encode()).digest()[:8]
    generator = torch.Generator().manual_seed(int.from_bytes(seed, "big") >> 1)
    drawn = torch.randn(len(weight), copies, weight.shape[1] // copies, generator=generator)
    drawn -= drawn.mean(dim=1, keepdim=True)
    return how.noise * float(weight.std()) * math.sqrt(copies / (copies - 1)) * drawn.reshape(weight.shape)
