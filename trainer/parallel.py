"""How the processes of a run are arranged: who computes which part of a model, on which part of the data.

The product of the degrees is the number of processes. From the outermost to the innermost, which should be the nearest
neighbours: `replicate` and `shard` (data parallel: HSDP, FSDP2), `context`, `tensor` (with the norms' activations
sharded over the sequence). Ranks that differ in context or tensor alone work on the same rows. Pipelines and expert
parallelism are not covered: no model here needs them.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import torch.distributed as dist
from torch import Tensor
from torch.distributed import ProcessGroup
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor
from torchtitan.components.quantization import Float8Linear, Float8LinearConverter
from torchtitan.config import TORCH_DTYPE_MAP
from torchtitan.config.configs import CompileConfig, ParallelismConfig, TrainingConfig
from torchtitan.distributed import ParallelDims
from torchtitan.distributed.activation_checkpoint import FullAC
from torchtitan.distributed.compile import apply_compile
from torchtitan.distributed.fsdp import apply_fsdp_to_decoder
from torchtitan.models.common import Linear
from torchtitan.models.common.decoder import Decoder
from torchtitan.protocols.model_spec import ModelSpec

from gradus.errors import ConfigError
from gradus.trainer.attention import (
    Documents,
    KeepingAttention,
    OnlyAttention,
    documents,
    joined,
    local_part,
    share_context,
)
from gradus.trainer.batch import Batch
from gradus.trainer.config import ComputeConfig, ParallelConfig
from gradus.trainer.platform import SPMD_BACKEND, Platform, prepare_sharded

RECOMPUTED = {
    "none": None,
    "selective": KeepingAttention.Config(),
    "attention": OnlyAttention.Config(),
    "full": FullAC.Config(),
}
# What gradus.trainer.attention calls them.
ATTENTION_INPUTS = ("q_BTNH", "k_BTNH", "v_BTNH")


@dataclass(frozen=True, slots=True)
class Layout:
    """The place of one process in the arrangement."""

    config: ParallelConfig
    platform: Platform
    dims: ParallelDims

    @classmethod
    def of(cls, config: ParallelConfig, platform: Platform) -> Layout:
        """Return this process's place; ConfigError unless the degrees multiply to the number of processes."""
        dims = ParallelDims(
            dp_replicate=config.replicate,
            dp_shard=config.shards(platform.world_size),
            cp=config.context,
            tp=config.tensor,
            pp=1,
            ep=1,
            world_size=platform.world_size,
            spmd_backend=SPMD_BACKEND,
        )
        return cls(config, platform, dims)

    @property
    def data_size(self) -> int:
        """How many groups of processes get rows of their own."""
        return self.dims.dp_replicate * self.dims.dp_shard

    @property
    def data_rank(self) -> int:
        """Which of them this process belongs to."""
        return self.platform.rank // (self.dims.cp * self.dims.tp)

    @property
    def context_rank(self) -> int:
        """Which part of every row this process computes."""
        return self.platform.rank // self.dims.tp % self.dims.cp

    def part(self, values_BT: Tensor) -> Tensor:
        """Return the positions that this process computes."""
        return local_part(values_BT, rank=self.context_rank, size=self.dims.cp)

    def documents(self, batch: Batch) -> Documents:
        """Return the documents of those positions."""
        length, device = batch.tokens_BT.shape[1], batch.tokens_BT.device
        counts_T = self.part(batch.document_BT).flatten() >= 0
        where = {"rank": self.context_rank, "size": self.dims.cp, "device": device}
        return documents(batch.starts, length, counts_T=counts_T, **where)

    def whole(self, parts_BTX: Tensor) -> Tensor:
        """Return what all processes of a row computed for it, put together again."""
        parts_BTX = parts_BTX.full_tensor() if isinstance(parts_BTX, DTensor) else parts_BTX
        group = self.group("cp")
        if group is None:
            return parts_BTX
        whole_BTX = joined(parts_BTX, group)
        if whole_BTX.requires_grad:
            # A part's gradient is the sum of what all say about it, and here they all say the same.
            whole_BTX.register_hook(lambda gradient: gradient / group.size())
        return whole_BTX

    def sum_of_parts(self, loss: Tensor) -> Tensor:
        """Return a row's loss, detached, from the loss of this process's positions."""
        loss = loss.detach()
        loss = loss.to_local() if isinstance(loss, DTensor) else loss.clone()
        if group := self.group("cp"):
            dist.all_reduce(loss, group=group)
        return loss

    def group(self, name: str) -> ProcessGroup | None:
        """Return the processes along "batch", "cp" or "tp"; None where this one is alone."""
        mesh = self.dims.get_optional_mesh(name)
        return None if mesh is None else mesh.get_group()

    @property
    def divisor(self) -> int:
        """What the length of a row is a multiple of: two parts for each rank of context, one of each for tensor's."""
        return self.dims.seq_len_divisor if self.dims.cp > 1 else self.dims.tp

    def padded_length(self, longest: int, context_length: int) -> int:
        """Return how long a row is made: fixed on a GPU, for its kernels; on a CPU as short as can be."""
        if self.platform.on_gpu:
            return context_length
        step = math.lcm(64, self.divisor)
        return min(context_length, -(-longest // step) * step)

    def check(self, model: Decoder.Config, context_length: int) -> None:
        """ConfigError unless this model and this context can be cut so."""
        if (self.config.float8 or self.config.cpu_offload) and not self.platform.on_gpu:
            raise ConfigError("parallel.float8 and parallel.cpu_offload need a GPU, and there is none")
        if context_length % self.divisor:
            raise ConfigError(
                f"parallel.context={self.dims.cp}, parallel.tensor={self.dims.tp}: a context of {context_length} "
                f"tokens is not a multiple of {self.divisor}"
            )
        heads = model.first_attention.n_kv_heads or model.first_attention.n_heads
        if heads % self.dims.tp:
            raise ConfigError(f"parallel.tensor={self.dims.tp}: not a divisor of the {heads} heads of keys and values")


def build(spec: ModelSpec, layout: Layout, compute: ComputeConfig, *, context_length: int) -> Decoder:
    """Build a model, cut it, then give it memory; its weights are yet to be loaded."""
    return with_memory(without_memory(spec, layout, compute, context_length=context_length), layout)


def without_memory(spec: ModelSpec, layout: Layout, compute: ComputeConfig, *, context_length: int) -> Decoder:
    """Build a model on `meta` and cut it."""
    layout.check(spec.model, context_length)
    platform, offload = layout.platform, layout.config.cpu_offload
    # One process has nothing to give back between forward and backward.
    reshard: Literal["default", "never"] = "default" if platform.world_size > 1 else "never"
    with torch.device("meta"):
        model = (in_float8(spec.model) if layout.config.float8 else spec.model).build()
    model.verify_module_protocol()
    model = spec.parallelize_fn(
        model,
        parallel_dims=layout.dims,
        training=TrainingConfig(mixed_precision_param=platform.compute_dtype, enable_cpu_offload=offload),
        parallelism=ParallelismConfig(spmd_backend=SPMD_BACKEND, fsdp_reshard_after_forward=reshard),
        compile_config=CompileConfig(enable=compute.compile and platform.on_gpu, components=["model"]),
        ac_config=RECOMPUTED[compute.activation_checkpointing],
        dump_folder="",
    )
    prepare_sharded(model, platform)
    return model


def with_memory(model: Decoder, layout: Layout) -> Decoder:
    """Give a model that lies on `meta` memory for this process's part of it."""
    device = layout.platform.device
    model.to_empty(device=torch.device("cpu") if layout.config.cpu_offload else device)
    with torch.no_grad():
        model.init_weights(buffer_device=device)
    share_rotations(model)
    return model.train()


def share_rotations(model: Decoder) -> None:
    """Have all layers read the first one's table of rotations: at 64K each is 67 MB."""
    first, *others = (layer.attention.rope for layer in model.layers.values())
    for rope in others:
        rope.cache = first.cache


def in_float8(model: Decoder.Config) -> Decoder.Config:
    """Have the layers' matrices multiplied in float8, scaled by row, by torchtitan and torchao; the head stays."""
    if Float8Linear is None:
        raise ConfigError("parallel.float8 needs torchao: pip install gradus[float8]")
    cuts = {name: linear.sharding_config for name, linear, *_ in model.traverse(Linear.Config)}
    converter = Float8LinearConverter.Config(filter_fqns=["lm_head"], model_compile_enabled=True)
    model = converter.build().convert(model)
    # What takes a matrix's place is not told how tensor parallelism cuts it.
    for name, linear, *_ in model.traverse(Linear.Config):
        linear.sharding_config = cuts[name]
    return model


def parallelize(
    model: Decoder,
    *,
    parallel_dims: ParallelDims,
    training: TrainingConfig,
    parallelism: ParallelismConfig,
    compile_config: CompileConfig,
    ac_config: Any,
    dump_folder: str,
) -> Decoder:
    """Cut a model as the dimensions say: torchtitan's steps, in its order and with its signature, for every family.

    torchtitan's own functions for Llama and Qwen3 differ in context parallelism, where they know no attention but their
    own, and on one CPU.
    """
    if parallel_dims.cp_enabled:
        share_context(model, parallel_dims.get_mesh("cp").get_group())
    if parallel_dims.tp_enabled:
        model.parallelize(parallel_dims)
        # It warns of every norm and export that dimensions of a mesh are reduced one after the other.
        logging.getLogger("torch.distributed.tensor._redistribute").setLevel(logging.ERROR)
    if ac_config is not None:
        ac_config.build(dump_folder=dump_folder).apply(model)
    if compile_config.enable:
        apply_compile(model, compile_config=compile_config, parallel_dims=parallel_dims)
    if parallel_dims.world_size == 1 and training.mixed_precision_param == "float32":
        # Nothing to share and nothing to round: FSDP would but copy every weight and gradient, a third of a CPU's step.
        return model
    axes = ["dp_replicate", "fsdp"] if parallel_dims.dp_replicate_enabled else ["fsdp"]
    apply_fsdp_to_decoder(
        model,
        parallel_dims.get_mesh(axes),
        param_dtype=TORCH_DTYPE_MAP[training.mixed_precision_param],
        reduce_dtype=TORCH_DTYPE_MAP[training.mixed_precision_reduce],
        pp_enabled=False,
        cpu_offload=training.enable_cpu_offload,
        reshard_after_forward_policy=parallelism.fsdp_reshard_after_forward,
    )
    if parallel_dims.world_size == 1:
        for module in model.modules():
            if isinstance(module, FSDPModule):
                # torchtitan's factor of 1 has every gradient copied once more, divided by it.
                module.set_gradient_divide_factor(None)
    return model


def describe_sharding(model: Decoder.Config, family: Callable[..., None]) -> None:
    """Note on every part of a model how tensor parallelism cuts it; `family` is torchtitan's plan for the family."""
    family(model, enable_sp=True)
    for layer in model.layers:
        # torchtitan names an attention's inputs by its own letters; ours are taken by their place.
        plan = layer.attention.inner_attention.sharding_config
        for field in ("in_src_shardings", "in_dst_shardings"):
            setattr(plan, field, dict(zip(ATTENTION_INPUTS, getattr(plan, field).values(), strict=True)))
