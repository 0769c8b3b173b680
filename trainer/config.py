"""What a training run can be told, from a TOML recipe and `key=value`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Literal

from gradus.engine.teachers.base import TeacherConfig
from gradus.errors import ConfigError

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
    qk_clip: float = 0.0
    """The greatest attention logit a head may have; above it, its queries and keys are scaled down. 0: no limit; Kimi
    K2's was 100."""

    def __post_init__(self) -> None:
        for name in ("lr", "eps", "weight_decay", "warmup_steps", "qk_clip"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be at least 0, and finite, not {getattr(self, name)}")
        for name in ("momentum", "decay_ratio", "min_lr_factor"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name} must be between 0 and 1, not {getattr(self, name)}")
        if len(self.betas) != 2 or not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"betas must be two numbers of at least 0 and below 1, not {self.betas}")
        if not self.max_norm > 0:
            raise ValueError(f"max_norm must be above 0, not {self.max_norm}: no gradient would be left")


@dataclass(frozen=True, slots=True, kw_only=True)
class RLOptimConfig(OptimConfig):
    """As above, with small constant steps."""

    lr: float = 1e-6
    weight_decay: float = 0.0
    min_lr_factor: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RopeScaling:
    """YaRN (Peng et al. 2023): positions of a longer context spread over those that the model was trained on."""

    factor: float
    """The context grows this many times."""
    original_max_position_embeddings: int | None = None
    """Tokens that the model took before any scaling; None: as its config.json says."""
    beta_fast: float = 32.0
    """Pairs of dimensions that turn more often than this in the original context stay as they are."""
    beta_slow: float = 1.0
    """Pairs that turn less often than this turn `factor` times slower; between the two, in between."""

    def __post_init__(self) -> None:
        if not (1 <= self.factor < math.inf and self.beta_fast > self.beta_slow):
            given = f"{self.factor}, {self.beta_fast} and {self.beta_slow}"
            raise ValueError(f"factor must be at least 1, and beta_fast above beta_slow, not {given}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeConfig:
    """How a step is computed: time against memory."""

    compile: bool = True
    """On a GPU, each layer is compiled: half a minute, once."""
    activation_checkpointing: Literal["none", "selective", "attention", "full"] = "none"
    """What is not kept for backward but computed again: nothing; all but attention and every second matrix product; all
    but attention; all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParallelConfig:
    """How the processes are arranged; the product of the degrees is their number."""

    replicate: int = 1
    """Copies of the sharded model, each on its own data (HSDP)."""
    shard: int = -1
    """Processes that share one copy of the weights, each on its own data (FSDP2); -1: what the others leave."""
    context: int = 1
    """Processes that share every row; its length is a multiple of twice this."""
    tensor: int = 1
    """Processes that share every layer; a divisor of the number of key and value heads."""
    cpu_offload: bool = False
    """Keep weights, gradients and optimizer state in the machine's memory, not the GPU's."""
    float8: bool = False
    """Multiply the layers' matrices in float8 (H100 or newer)."""

    def shards(self, num_processes: int) -> int:
        """Return the degree of shard; ConfigError unless the degrees multiply to the number of processes."""
        degrees = {"replicate": self.replicate, "context": self.context, "tensor": self.tensor}
        if wrong := [f"{name}={degree}" for name, degree in degrees.items() if degree < 1]:
            raise ConfigError(f"parallel.{wrong[0]}: a degree is at least 1")
        fixed = math.prod(degrees.values())
        shard = self.shard if self.shard != -1 else num_processes // fixed
        if shard < 1 or fixed * shard != num_processes:
            named = " x ".join(f"{name} {degree}" for name, degree in degrees.items())
            raise ConfigError(
                f"parallel: {named} x shard {self.shard} do not multiply to {num_processes}, the number of processes; "
                "give other degrees or as many --processes (shard=-1 takes what the others leave)"
            )
        return shard


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointConfig:
    """When a run's state is kept, and which of it stays."""

    every: int = 50
    """Steps between two checkpoints; a run that is asked to stop leaves one, too."""
    keep: int = 2
    """How many of the newest stay while the run goes on."""
    asynchronous: bool = True
    """Written beside training, from a copy in the machine's memory; else training waits, and no copy is made."""
    export: Literal["last", "best"] = "last"
    """Which weights become the model; `best`: by evaluation, of the last stage."""
    keep_after: Literal["none", "last", "all"] = "none"
    """What stays of them once the model is exported."""

    def __post_init__(self) -> None:
        if self.every < 1 or self.keep < 1:
            raise ValueError(f"checkpoint.every and checkpoint.keep must be at least 1, not {self.every}, {self.keep}")


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardConfig:
    """What is done with a step whose loss or gradient is out of line; one that is not finite is never taken."""

    policy: Literal["off", "skip", "rewind"] = "off"
    """`skip`: the weights stay as they are; `rewind`: they go back to the last checkpoint, and its batches are over."""
    deviations: float = 10.0
    """Out of line: so many standard deviations (1.4826 x median absolute deviation) above the median of the last."""
    window: int = 100
    """How many of the last steps taken are compared with."""
    min_steps: int = 20
    """Steps of a stage before any is judged by the others."""
    max_in_a_row: int = 5
    """The run ends when so many steps, one after another, were not taken."""

    def __post_init__(self) -> None:
        if not (self.deviations > 0 and 2 <= self.min_steps <= self.window and self.max_in_a_row >= 1):
            raise ValueError(f"{self}: deviations > 0, 2 <= min_steps <= window and max_in_a_row >= 1 are needed")


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchConfig:
    """Where measurements go beside the terminal, metrics.jsonl and metrics.parquet."""

    tensorboard: bool = False
    """Into the run's folder `tensorboard`."""
    wandb: Literal["off", "online", "offline"] = "off"
    """Weights & Biases; `offline`: into the run's folder `wandb`, for `wandb sync`."""
    project: str = "gradus"
    """At Weights & Biases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateConfig:
    """What the weights of the moment are tried on: problems and traces that are never trained on."""

    every: int = 0
    """Steps between two evaluations; there is one before the first step and at the end of each stage, too. 0: never."""
    attempts: int = 4
    """Answers to each problem, whose share that passes is measured; 0: no problem is asked."""
    problems: str = ""
    """A JSONL file of problems; none given: the workspace's held-out ones, as `gradus train` leaves them in the run."""
    per_domain: int = 32
    """At most so many problems of each domain, the first in the file."""
    manifest: str = ""
    """Of traces that are never trained on, in the same tokens: the loss on them is measured. None given: it is not."""

    def __post_init__(self) -> None:
        if min(self.every, self.attempts) < 0 or self.per_domain < 1:
            raise ValueError(f"every and attempts must be at least 0, and per_domain at least 1: {self}")
        if self.every and not (self.attempts or self.manifest):
            raise ValueError(f"every is {self.every}, but neither attempts nor a manifest say what is evaluated")


@dataclass(frozen=True, slots=True, kw_only=True)
class SFTEvaluateConfig(EvaluateConfig):
    """As above, with what samples: opened for each evaluation, and closed again."""

    teacher: TeacherConfig = TeacherConfig()
    """Its model is always the one being trained."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """What a stage of the curriculum may settle for itself, in its manifest or in `stages.NAME`."""

    steps: int | None = None
    """Steps in a stage, as many passes as that takes; None: as `passes` says."""
    passes: int = 1
    """How often a stage's sequences are taken where `steps` is not given."""
    sequences_per_step: int = 8
    """Packed sequences in one update, over all processes."""
    sequences_per_forward: int = 1
    """Packed sequences that one process holds in memory at a time."""
    rope: RopeScaling | None = None
    """How positions are spread over a longer context; None: as the model's config.json says."""
    optim: OptimConfig = OptimConfig()
    compute: ComputeConfig = ComputeConfig()
    parallel: ParallelConfig = ParallelConfig()

    def __post_init__(self) -> None:
        for name in ("steps", "passes", "sequences_per_step", "sequences_per_forward"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SFTConfig(StageSettings):
    """Supervised training on a manifest's stages, in order; what a stage settles comes before what is said here."""

    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By a stage's name, StageSettings that come before its own, as stages.deep.optim.lr=1e-5."""
    schedule: Literal["whole", "stages"] = "whole"
    """The learning rate warms up and falls once over the whole run, or anew in each stage."""
    checkpoint: CheckpointConfig = CheckpointConfig()
    guard: GuardConfig = GuardConfig()
    watch: WatchConfig = WatchConfig()
    evaluate: SFTEvaluateConfig = SFTEvaluateConfig()
    export_dtype: Dtype = "float32"


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
    checkpoint: CheckpointConfig = CheckpointConfig(every=10)
    guard: GuardConfig = GuardConfig()
    watch: WatchConfig = WatchConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    export_dtype: Dtype = "float32"
    optim: RLOptimConfig = RLOptimConfig()
    compute: ComputeConfig = ComputeConfig()
    parallel: ParallelConfig = ParallelConfig()
    teacher: TeacherConfig = TeacherConfig()
    """What samples; its model is always the one being trained."""

    def __post_init__(self) -> None:
        if self.guard.policy == "rewind":
            raise ValueError("guard.policy=rewind is for sft: rollouts are not taken back; guard.policy=skip is")
