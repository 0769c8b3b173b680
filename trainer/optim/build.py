"""The optimizers and the schedule of a run, as torchtitan's containers.

`muon` takes the matrices of the layers; embeddings, the head and norms stay with AdamW, at the same rate, since Muon's
update is scaled to AdamW's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer
from torchtitan.components.optimizer import LRSchedulersContainer, OptimizersContainer, ParamGroupConfig

from gradus.trainer.config import OptimConfig
from gradus.trainer.optim.adamw import AdamW
from gradus.trainer.optim.muon import Muon

MATRICES = r"^layers\..*\.(wq|wk|wv|wo|w1|w2|w3)\.weight$"
VECTORS = r"(norm\.weight|\.bias|\.lambda_[qk][12]|\.activation\.weight)$"


class Optimizers(OptimizersContainer):
    """torchtitan's container, with our Muon and our AdamW."""

    @dataclass(kw_only=True, slots=True)
    class Config(OptimizersContainer.Config):
        """As torchtitan's; what is built of it is ours."""

    @staticmethod
    def _resolve_optimizer_factory(name: str) -> Callable[..., Optimizer]:
        return {"Muon": Muon, "AdamW": AdamW}[name]


def build_optimizers(model: nn.Module, config: OptimConfig) -> OptimizersContainer:
    """Build the optimizers over all parameters; what is no matrix is not decayed towards zero."""
    common = {"lr": config.lr, "betas": tuple(config.betas), "eps": config.eps}
    groups = [
        ParamGroupConfig(pattern=pattern, optimizer_name="AdamW", optimizer_kwargs=common | {"weight_decay": decay})
        for pattern, decay in ((VECTORS, 0.0), (r".*", config.weight_decay))
    ]
    if config.name == "muon":
        settings = {"lr": config.lr, "weight_decay": config.weight_decay, "momentum": config.momentum}
        groups.insert(0, ParamGroupConfig(pattern=MATRICES, optimizer_name="Muon", optimizer_kwargs=settings))
    return Optimizers.Config(param_groups=groups, implementation="fused").build(model_parts=[model])


def build_schedulers(
    optimizers: OptimizersContainer, config: OptimConfig, *, num_updates: int
) -> LRSchedulersContainer:
    """Build the learning-rate schedule over num_updates."""
    warmup_steps = min(config.warmup_steps, num_updates)
    schedule = LRSchedulersContainer.Config(
        warmup_steps=warmup_steps,
        decay_ratio=min(config.decay_ratio, 1 - warmup_steps / num_updates),
        min_lr_factor=config.min_lr_factor,
    )
    return schedule.build(optimizers=optimizers, training_steps=num_updates)
