"""What a training run can be told, from a TOML recipe and `key=value`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gradus.engine.teachers.base import TeacherConfig

Dtype = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimConfig:
    """AdamW or Muon, with a linear warm-up and a linear decay towards min_lr_factor x lr."""

    name: Literal["adamw", "muon"] = "adamw"
    """`muon`: for the layers' matrices; AdamW for the rest."""
    momentum: float = 0.95
    """Muon's."""
    lr: float = 2e-5
    betas: tuple[float, ...] = (0.9, 0.95)
    eps: float = 1e-8
    weight_decay: float = 0.01
    warmup_steps: int = 0
    decay_ratio: float = 1.0
    """Share of the steps, at the end, over which the learning rate falls."""
    min_lr_factor: float = 0.1
    max_norm: float = 1.0
    """Gradients longer than this are scaled down to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RLOptimConfig(OptimConfig):
    """As above, with small constant steps."""

    lr: float = 1e-6
    weight_decay: float = 0.0
    min_lr_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeConfig:
    """How a step is computed: time against memory."""

    compile: bool = True
    """On a GPU, each layer is compiled: half a minute, once."""
    activation_checkpointing: Literal["none", "selective", "full"] = "none"
    """What is not kept for backward but computed again: nothing, all but matrix products and attention, or all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SFTConfig:
    """Supervised training on a manifest's stages, in order."""

    steps: int | None = None
    """Steps in every stage, as many passes as that takes; None: one pass over each."""
    sequences_per_step: int = 8
    """Packed sequences in one update, over all processes."""
    sequences_per_forward: int = 1
    """Packed sequences that one process holds in memory at a time."""
    checkpoint_every: int = 50
    export_dtype: Dtype = "float32"
    optim: OptimConfig = OptimConfig()
    compute: ComputeConfig = ComputeConfig()


@dataclass(frozen=True, slots=True, kw_only=True)
class RLConfig:
    """GSPO on a manifest's RL section."""

    steps: int = 100
    """Batches of rollouts."""
    group_size: int | None = None
    """Rollouts of each problem; None: as the manifest says."""
    minibatches: int = 2
    """Updates made with one batch of rollouts; with a single one no ratio ever leaves 1."""
    clip: Literal["gspo", "motif"] = "gspo"
    """How far a sequence's ratio may move: losses/gspo.py has the figures."""
    sequences_per_forward: int = 1
    """Packed sequences that one process holds in memory at a time."""
    seed: int = 0
    checkpoint_every: int = 10
    export_dtype: Dtype = "float32"
    optim: RLOptimConfig = RLOptimConfig()
    compute: ComputeConfig = ComputeConfig()
    teacher: TeacherConfig = TeacherConfig()
    """What samples; its model is always the one being trained."""
