"""What a sweep tries: every combination of its axes, all for as many tokens, and how far before the worse ones end.

Successive halving (Jamieson and Talwalkar, 2016): each rung goes on with 1 in `halving` of the trials, `halving` times
as far; the last rung takes all steps. A trial's schedule is that of all its steps from the start, so a trial that goes
on is the run that was begun. Rates that are high early on look worse than they end: with `halving` 1 none ends early.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gradus.api.runs import recipe_path
from gradus.config import load, plain
from gradus.curricula.manifest import Manifest, read
from gradus.engine.models import model_id
from gradus.engine.records import content_id
from gradus.errors import ConfigError
from gradus.trainer.config import SFTConfig
from gradus.trainer.stages import StagePlan, plan_stages

MANIFEST = "manifest"
"""The axis of the mixtures."""
TOLERANCE = 0.005
"""By how much the tokens of trials may differ without a change of their steps."""
NUM_EVALUATIONS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepConfig:
    """What is asked for; values are words, as on the trainer's command line."""

    manifests: tuple[Path, ...]
    model: Path
    recipe: str | None = None
    overrides: tuple[str, ...] = ()
    axes: Mapping[str, tuple[str, ...]]
    tokens: int | None = None
    """Of each trial; None: as many as the recipe takes of the first manifest."""
    halving: int = 2
    heldout: Path | None = None
    """A manifest of traces that no trial learns from; None: trials are told apart by their training loss."""

    def __post_init__(self) -> None:
        if self.halving < 1 or (self.tokens is not None and self.tokens < 1):
            raise ConfigError(f"--halving and --tokens must be at least 1, not {self.halving} and {self.tokens}")
        if fixed := {"steps", "passes"} & {key.split(".")[-1] for key in self.axes}:
            raise ConfigError(f"{fixed.pop()} cannot be an axis: all trials take equally many tokens, as --tokens says")
        if len(self.manifests) > 1 and not self.heldout:
            raise ConfigError(
                "training losses on different manifests cannot be compared; --heldout names a manifest of traces that "
                "none of them holds"
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One combination."""

    manifest: Path
    settings: dict[str, str]
    """By axis."""
    overrides: tuple[str, ...]
    """All that the trainer is told."""
    num_steps: int
    passes: float
    """How often it takes what the manifest holds."""

    def __str__(self) -> str:
        return ", ".join(f"{key}={value}" for key, value in self.settings.items()) or self.manifest.stem[:12]

    def until(self, share: float) -> int:
        """Return the step up to which a share of all steps goes."""
        return max(1, round(share * self.num_steps))


def identity(asked: SweepConfig) -> str:
    """Name a sweep by all that its result depends on."""
    told = {"recipe": plain(_config(asked, asked.overrides)), "axes": asked.axes, "tokens": asked.tokens}
    manifests = [path.stem for path in (*asked.manifests, *([asked.heldout] if asked.heldout else []))]
    return content_id(model_id(asked.model), manifests, told, asked.halving)


def trials(asked: SweepConfig) -> list[Trial]:
    """Return every combination; ConfigError for what cannot be trained."""
    tokens = asked.tokens or _tokens(_planned(asked, read(asked.manifests[0]), asked.overrides))
    axes = [[(key, value) for value in values] for key, values in asked.axes.items()]
    if empty := [key for key, values in asked.axes.items() if not all(values)]:
        raise ConfigError(f"{empty[0]}: a value is missing")
    return [
        _trial(asked, manifest, dict(settings), tokens)
        for manifest in asked.manifests
        for settings in itertools.product(*axes)
    ]


def shares(num_trials: int, halving: int) -> list[float]:
    """Return the share of all steps that each rung goes to."""
    num_rungs = 1
    while halving > 1 and num_trials >= halving**num_rungs:
        num_rungs += 1
    return [float(halving) ** (rung + 1 - num_rungs) for rung in range(num_rungs)]


def settled(asked: SweepConfig, manifest: Manifest, settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return the overrides that give these settings to all stages, also to one that has its own."""
    said, overrides = _config(asked, asked.overrides).stages, list(asked.overrides)
    own = {stage.name: (stage.training, said.get(stage.name, {})) for stage in manifest.stages}
    for key, value in settings.items():
        overrides.append(f"{key}={value}")
        overrides += [f"stages.{name}.{key}={value}" for name, tables in own.items() if _says(tables, key)]
    return tuple(overrides)


def _says(tables: Sequence[Mapping[str, Any]], key: str) -> bool:
    """Whether a table has the dotted key."""
    found: list[Any] = list(tables)
    for word in key.split("."):
        found = [table[word] for table in found if isinstance(table, Mapping) and word in table]
    return bool(found)


def _trial(asked: SweepConfig, path: Path, settings: dict[str, str], tokens: int) -> Trial:
    manifest = read(path)
    overrides = settled(asked, manifest, settings)
    plans = _planned(asked, manifest, overrides)
    factor = tokens / _tokens(plans)
    if abs(factor - 1) > TOLERANCE:
        overrides += tuple(f"stages.{p.name}.steps={max(1, round(factor * p.num_steps))}" for p in plans)
        plans = _planned(asked, manifest, overrides)
    num_steps = sum(plan.num_steps for plan in plans)
    return Trial(
        manifest=path,
        settings=({MANIFEST: path.stem[:12]} if len(asked.manifests) > 1 else {}) | settings,
        overrides=(*overrides, *_evaluated(asked, num_steps)),
        num_steps=num_steps,
        passes=_tokens(plans) / sum(stage.num_tokens for stage in manifest.stages),
    )


def _evaluated(asked: SweepConfig, num_steps: int) -> Iterator[str]:
    """Yield the overrides that measure the held-out loss now and then, and where a rung ends anyway."""
    if not asked.heldout:
        yield "evaluate.every=0"
        return
    yield f"evaluate.every={max(1, num_steps // NUM_EVALUATIONS)}"
    yield "evaluate.attempts=0"
    yield f"evaluate.manifest={asked.heldout.resolve()}"


def _planned(asked: SweepConfig, manifest: Manifest, overrides: Sequence[str]) -> list[StagePlan]:
    return plan_stages(manifest, _config(asked, overrides))


def _config(asked: SweepConfig, overrides: Sequence[str]) -> SFTConfig:
    return load(SFTConfig, recipe_path(asked.recipe), overrides)


def _tokens(plans: Sequence[StagePlan]) -> int:
    return sum(plan.num_tokens for plan in plans)
