"""What each stage of a curriculum is trained with, and in which steps: known before anything is loaded.

The more specific word counts: the run's recipe and command line say it for all stages, a stage's `training` in the
manifest for that stage, and the run's `stages.NAME` for that stage again. Steps are counted from 1 over all stages.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, Protocol

from gradus.config import build, plain
from gradus.curricula.manifest import Manifest, Stage
from gradus.errors import ConfigError, DataError
from gradus.trainer.config import ParallelConfig, SFTConfig, StageSettings


class Declared(Protocol):
    """A stage of a recipe, or of a manifest."""

    @property
    def name(self) -> str: ...
    @property
    def training(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StagePlan:
    """One stage: steps first_step + 1 to last_step."""

    stage: Stage
    settings: StageSettings
    first_step: int
    num_steps: int
    num_sequences: int
    """Taken in all, passes counted."""
    schedule_start: int
    """After which step the learning rate's schedule begins."""
    schedule_steps: int

    @property
    def name(self) -> str:
        return self.stage.name

    @property
    def last_step(self) -> int:
        return self.first_step + self.num_steps

    @property
    def num_tokens(self) -> int:
        """About how many tokens its steps take: exactly, where passes are whole."""
        return round(self.num_sequences * self.stage.num_tokens / self.stage.packing.num_rows)


@contextmanager
def naming(plan: StagePlan) -> Iterator[None]:
    """Have what is wrong with a stage's settings say which stage it is."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(f"stage {plan.name!r}: {error}") from None


def check_training(stages: Sequence[Declared]) -> None:
    """Raise ConfigError for a stage whose `training` says what cannot be trained."""
    for stage in stages:
        build(StageSettings, stage.training, f"stage {stage.name!r}: training")


def plan_stages(manifest: Manifest, config: SFTConfig) -> list[StagePlan]:
    """Return every stage's steps and settings; ConfigError for what no stage can have, DataError for an empty one."""
    _check_names(manifest, config)
    check_training(manifest.stages)
    settings = [_settings(config, stage) for stage in manifest.stages]
    if len({one.optim.name for one in settings}) > 1:
        raise ConfigError("optim.name must be the same in all stages: one optimizer's state is of no use to another")
    taken = [_num_sequences(stage, one) for stage, one in zip(manifest.stages, settings, strict=True)]
    lengths = [-(-num // one.sequences_per_step) for num, one in zip(taken, settings, strict=True)]
    plans, whole = [], (0, sum(lengths))
    for number, stage in enumerate(manifest.stages):
        first_step = sum(lengths[:number])
        start, steps = whole if config.schedule == "whole" else (first_step, lengths[number])
        plans.append(
            StagePlan(
                stage=stage,
                settings=settings[number],
                first_step=first_step,
                num_steps=lengths[number],
                num_sequences=taken[number],
                schedule_start=start,
                schedule_steps=steps,
            )
        )
    return plans


def told(plan: StagePlan) -> dict[str, Any]:
    """Return what a stage will be, for people and machines."""
    settings, parallel = plan.settings, plain(plan.settings.parallel)
    usual = plain(ParallelConfig())
    return {
        "stage": plan.name,
        "context": plan.stage.context_length,
        "steps": plan.num_steps,
        "sequences_per_step": settings.sequences_per_step,
        "tokens": plan.num_tokens,
        "lr": settings.optim.lr,
        "rope": f"x {settings.rope.factor:g}" if settings.rope else "as it is",
        "layout": ", ".join(f"{name} {parallel[name]}" for name in usual if parallel[name] != usual[name]) or "shard",
    }


def _check_names(manifest: Manifest, config: SFTConfig) -> None:
    names = [stage.name for stage in manifest.stages]
    if not names:
        raise DataError(f"manifest {manifest.id[:12]} has no stages to train on")
    if unknown := sorted(set(config.stages) - set(names)):
        raise ConfigError(f"stages.{unknown[0]}: the manifest has no such stage. Its stages: {', '.join(names)}.")


def _settings(config: SFTConfig, stage: Stage) -> StageSettings:
    said = {key: value for key, value in plain(config).items() if key in {f.name for f in fields(StageSettings)}}
    for more in (stage.training, config.stages.get(stage.name, {})):
        said = _merged(said, more)
    return build(StageSettings, said, f"stages.{stage.name}")


def _merged(said: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is said with more said over it, table by table."""
    found = dict(said)
    for key, value in more.items():
        inner = found.get(key)
        found[key] = _merged(inner, value) if isinstance(inner, Mapping) and isinstance(value, Mapping) else value
    return found


def _num_sequences(stage: Stage, settings: StageSettings) -> int:
    if not stage.packing.num_rows:
        raise DataError(f"stage {stage.name}: no sequences; build the curriculum with more traces")
    if settings.steps is None:
        return settings.passes * stage.packing.num_rows
    return settings.steps * settings.sequences_per_step
