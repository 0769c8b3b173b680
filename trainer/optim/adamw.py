"""AdamW with warm-up and decay, as torchtitan's containers."""

from __future__ import annotations

from torch import nn
from torchtitan.components.optimizer import LRSchedulersContainer, OptimizersContainer, ParamGroupConfig

from gradus.trainer.config import OptimConfig


def build_optimizers(model: nn.Module, config: OptimConfig) -> OptimizersContainer:
    """Build AdamW over all parameters; norms are not decayed towards zero."""
    common = {"lr": config.lr, "betas": tuple(config.betas), "eps": config.eps}
    groups = [
        ParamGroupConfig(pattern=pattern, optimizer_name="AdamW", optimizer_kwargs=common | {"weight_decay": decay})
        for pattern, decay in ((r"norm\.weight$", 0.0), (r".*", config.weight_decay))
    ]
    return OptimizersContainer.Config(param_groups=groups, implementation="fused").build(model_parts=[model])


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
