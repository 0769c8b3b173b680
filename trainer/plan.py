"""What a training step of many GPUs computes, holds and sends, by arithmetic: `python -m gradus.trainer.plan`.

For full activation checkpointing, AdamW, one packed row a forward pass, and weights gathered in bfloat16 for every
forward and every backward pass (FSDP2). Per GPU and step, with P parameters, S = shard x context processes to a copy of
the weights, R copies, T tokens a row, L layers, all bytes divided by `tensor` where that cuts them:
- compute: the model's FLOPs (flops.py) and one more forward pass for what is computed again;
- weights: 2 x 2 P (S - 1)/S to gather, 4 P (S - 1)/S to reduce gradients in float32, 8 P/S (R - 1)/R between copies;
- context: keys and values of a whole row in each layer, gathered twice, their gradients scattered once;
- tensor: four passes of a row's hidden states in each layer, three times over;
- memory: 16 P/S for float32 weights, gradients and two moments; a bfloat16 hidden state a layer and token; two gathered
  layers, embeddings and head with their gradients; one layer's activations; two copies of the logits of one part.
The bound takes weights to travel while the GPU computes, and all else to be waited for; a group within one host uses
NVLink, a larger one the network. `Machine` is assumed, not measured. Not counted: optimizer, loader, checkpoints,
stragglers.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torchtitan.models.common.decoder import Decoder

from gradus.errors import ConfigError, GradusError
from gradus.log import logger
from gradus.trainer.attention import DocumentAttention
from gradus.trainer.config import ParallelConfig
from gradus.trainer.flops import Flops
from gradus.trainer.losses.cross_entropy import MAX_LOGITS
from gradus.trainer.model import model_spec
from gradus.trainer.motif import DifferentialAttention
from gradus.trainer.parallel import Layout
from gradus.trainer.platform import Platform

HEADER = (
    *("GPUs", "replicate x shard x context x tensor", "PFLOP", "compute s", "weights GB", "context GB", "tensor GB"),
    *("sending s, computing + waiting", "memory GB", "tokens/s", "MFU at most"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Hosts of H100s, by their data sheets."""

    peak: float = 989.4e12
    """Dense bfloat16 FLOPs a second."""
    efficiency: float = 0.6
    """The share of it that kernels reach while they run."""
    gpus_per_host: int = 8
    nvlink: float = 450e9
    """Bytes a second that one GPU sends within its host."""
    network: float = 50e9
    """Bytes a second that one GPU sends out of it: 400 Gb/s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What falls to each GPU in one step; bytes are sent by it, or held."""

    flops: float
    """Of the model alone, as MFU counts."""
    compute_s: float
    weights_bytes: float
    context_bytes: float
    tensor_bytes: float
    weights_s: float
    waited_s: float
    """For what context and tensor parallelism send."""
    memory_bytes: float
    state_bytes: float
    """Of the memory: weights, gradients and moments."""
    tokens_per_s: float
    """Of all GPUs together."""
    mfu: float
    """At most."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The sizes of a model that decide."""

    parameters: int
    embeddings: int
    dim: int
    layers: int
    heads_width: int
    """Of a token's queries, keys and values together."""
    keys_width: int
    """Of what context parallelism gathers: its keys and values."""
    inner: int
    vocabulary: int
    flops: Flops

    @classmethod
    def of(cls, model: Decoder.Config) -> Shape:
        with torch.device("meta"):
            built = model.build()
        attention = model.first_attention
        # Differential attention gathers keys and values for signal and for noise.
        gatherings = 2 if isinstance(attention, DifferentialAttention.Config) else 1
        size, kv_heads = built.layers["0"].attention.head_dim, built.layers["0"].attention.n_kv_heads
        return cls(
            parameters=sum(p.numel() for p in built.parameters()),
            embeddings=sum(p.numel() for p in {built.tok_embeddings.weight, built.lm_head.weight}),
            dim=model.dim,
            layers=len(model.layers),
            heads_width=(attention.n_heads + 2 * kv_heads) * size,
            keys_width=gatherings * 2 * kv_heads * size,
            inner=model.layers[0].feed_forward.w1.out_features,
            vocabulary=model.vocab_size,
            flops=Flops.of(built),
        )


def plan(shape: Shape, layout: Layout, *, context_length: int, rows: int, machine: Machine) -> Step:
    """Return what one step on `rows` rows, each one document of context_length tokens, takes of each GPU."""
    dims = layout.dims
    if rows % layout.data_size:
        raise ConfigError(f"{rows} rows a step do not divide among {layout.data_size} groups of processes")
    passes = rows // layout.data_size
    model_flops = passes * shape.flops.step(context_length, context_length**2) / (dims.tp * dims.cp)
    compute_s = model_flops * 4 / 3 / (machine.peak * machine.efficiency)
    weights = passes * _weights_bytes(shape, layout)
    tokens = context_length / dims.cp
    gathered = 3 * context_length * shape.keys_width * 2 / dims.tp
    context = passes * shape.layers * gathered * (dims.cp - 1) / dims.cp
    tensor = passes * shape.layers * 12 * tokens * shape.dim * 2 * (dims.tp - 1) / dims.tp
    inner, shard = dims.tp * dims.cp, dims.tp * dims.cp * dims.dp_shard
    copies_s = passes * _copies_bytes(shape, layout) / _speed(machine, layout.platform.world_size)
    weights_s = weights / _speed(machine, shard) + copies_s
    waited_s = tensor / _speed(machine, dims.tp) + context / _speed(machine, inner)
    seconds = max(compute_s, weights_s) + waited_s
    state = 16 * shape.parameters / (dims.dp_shard * dims.cp * dims.tp)
    return Step(
        flops=model_flops,
        compute_s=compute_s,
        weights_bytes=weights + passes * _copies_bytes(shape, layout),
        context_bytes=context,
        tensor_bytes=tensor,
        weights_s=weights_s,
        waited_s=waited_s,
        memory_bytes=state + _working_bytes(shape, layout, tokens),
        state_bytes=state,
        tokens_per_s=rows * context_length / seconds,
        mfu=model_flops / (seconds * machine.peak),
    )


def _weights_bytes(shape: Shape, layout: Layout) -> float:
    """Return what a pass sends within a copy of the weights: two gatherings, one reduction."""
    ranks = layout.dims.dp_shard * layout.dims.cp
    return (2 * 2 + 4) * shape.parameters / layout.dims.tp * (ranks - 1) / ranks


def _copies_bytes(shape: Shape, layout: Layout) -> float:
    """Return what a pass sends between copies of the weights: the sum of this process's gradients."""
    dims = layout.dims
    held = 4 * shape.parameters / (dims.dp_shard * dims.cp * dims.tp)
    return 2 * held * (dims.dp_replicate - 1) / dims.dp_replicate


def _working_bytes(shape: Shape, layout: Layout, tokens: float) -> float:
    """Return what a GPU holds beside its share of the weights, gradients and moments."""
    layer = (shape.parameters - shape.embeddings) / shape.layers
    kept = shape.layers * tokens * shape.dim * 2
    # Gathered in bfloat16, with a gradient as large, which float32 doubles when it is sent.
    gathered = 2 * layer * 2 + layer * 6 + shape.embeddings * (2 + 2 + 4)
    # Inputs and outputs of its products, and their gradients.
    of_layer = tokens * 2 * 2 * (4 * shape.dim + 2 * shape.heads_width + 3 * shape.inner)
    logits = 2 * 2 * min(MAX_LOGITS, tokens * shape.vocabulary / layout.dims.tp)
    return (kept + gathered + of_layer) / layout.dims.tp + logits


def _speed(machine: Machine, group: int) -> float:
    return machine.nvlink if group <= machine.gpus_per_host else machine.network


def row(layout: Layout, step: Step) -> tuple[str, ...]:
    """Return a line of the table."""
    dims = layout.dims
    cells = (
        f"{step.flops / 1e15:,.0f}",
        f"{step.compute_s:.1f}",
        *(f"{size / 1e9:,.0f}" for size in (step.weights_bytes, step.context_bytes, step.tensor_bytes)),
        f"{step.weights_s:.1f} + {step.waited_s:.1f}",
        f"{step.memory_bytes / 1e9:.0f}",
        f"{step.tokens_per_s:,.0f}",
        f"{step.mfu:.0%}",
    )
    degrees = " x ".join(map(str, (dims.dp_replicate, dims.dp_shard, dims.cp, dims.tp)))
    return str(layout.platform.world_size), degrees, *cells


def table(folder: Path, layouts: Sequence[Layout], *, context_length: int, rows: int, machine: Machine) -> str:
    """Return the steps of layouts as a Markdown table; folder: a config.json is enough."""
    spec = model_spec(folder, context_length=context_length, attention=DocumentAttention.Config())
    shape = Shape.of(spec.model)
    lines = [HEADER, ("---:",) * len(HEADER)]
    for layout in layouts:
        layout.check(spec.model, context_length)
        lines.append(row(layout, plan(shape, layout, context_length=context_length, rows=rows, machine=machine)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def layouts(config: ParallelConfig, sizes: Sequence[int], *, most_shards: int) -> list[Layout]:
    """Return a layout for each number of GPUs: as many copies of the weights as most_shards GPUs to each allow."""
    found = []
    for size in sizes:
        shard = max(1, min(size // config.tensor, most_shards) // config.context)
        copies = size // (shard * config.context * config.tensor)
        cut = dataclasses.replace(config, shard=shard, replicate=copies)
        found.append(Layout.of(cut, Platform(torch.device("cpu"), 0, size)))
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Print one line for each number of GPUs."""
    parser = argparse.ArgumentParser(prog="python -m gradus.trainer.plan")
    parser.add_argument("--model", type=Path, required=True, help="a folder with a Hugging Face config.json")
    parser.add_argument("--gpus", type=int, nargs="+", required=True, help="numbers of GPUs, a line for each")
    parser.add_argument("--context-length", type=int, required=True, help="tokens of a row")
    parser.add_argument("--rows", type=int, required=True, help="rows of a step, over all GPUs")
    parser.add_argument("--context", type=int, default=1, help="GPUs that share a row")
    parser.add_argument("--tensor", type=int, default=1, help="GPUs that share a layer")
    parser.add_argument("--most-shards", type=int, default=64, help="GPUs to one copy of the weights, tensor apart")
    arguments = parser.parse_args(argv)
    config = ParallelConfig(context=arguments.context, tensor=arguments.tensor)
    try:
        found = layouts(config, arguments.gpus, most_shards=arguments.most_shards)
        sizes = {"context_length": arguments.context_length, "rows": arguments.rows}
        print(table(arguments.model, found, machine=Machine(), **sizes))
    except GradusError as error:
        logger.error("error: %s", error)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
