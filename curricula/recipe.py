"""A recipe: everything between problems and a manifest, in one TOML file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from gradus.config import load
from gradus.curricula.conventions import RenderConfig
from gradus.curricula.gates import GateConfig
from gradus.curricula.mixture import PARTS, parts
from gradus.curricula.posterior import UNMEASURED
from gradus.engine.cache import CacheConfig
from gradus.engine.correct import CorrectConfig
from gradus.engine.prompts import DomainConfig
from gradus.engine.sample import SampleConfig
from gradus.engine.spending import Price
from gradus.engine.teachers.base import TeacherConfig
from gradus.engine.traces import TraceConfig
from gradus.engine.varying.config import VaryConfig
from gradus.errors import ConfigError

FOLDER = Path(__file__).parent / "recipes"
BANDS = {"hard": (0.0, 0.3), "medium": (0.3, 0.7), "easy": (0.7, 1.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateConfig:
    """New problems from one generator; `num_heldout` more are made for evaluation alone."""

    generator: str
    num: int
    num_heldout: int = 0
    seed: int = 0
    options: dict[str, Any] = field(default_factory=dict)
    """The generator's own, as counts = [1, 3]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageConfig:
    """One stage. Lengths and budgets are in tokens."""

    name: str
    context_length: int
    token_budget: int
    mixture: dict[str, float]
    """Weights by pattern of `domain/kind/teacher/band`; the most specific that fits counts, and 0 leaves out."""
    mixture_end: dict[str, float] = field(default_factory=dict)
    """What the mixture has become at the end of the stage; none: it stays."""
    schedule: Literal["linear", "cosine"] = "linear"
    """How the mixture moves to its end."""
    policy: str = "easy_to_hard"
    settings: dict[str, Any] = field(default_factory=dict)
    """The policy's own."""
    shortage: Literal["rebalance", "repeat", "refuse"] = "rebalance"
    """Where an entry has too few traces: the others take its share, it is used again, or nothing is built."""
    max_passes: int = 1
    """How often `repeat` uses a trace, at most."""
    window: int | None = None
    """Within how many sequences' worth of traces packing may change their order; none: packing's own choice."""
    batch_sequences: int | None = None
    """Sequences of a global batch, to be balanced over ranks; none: their order is not arranged."""
    balance_ranks: tuple[int, ...] = ()
    """Numbers of ranks: it is arranged for the greatest, and the manifest says how well each is balanced."""
    training: dict[str, Any] = field(default_factory=dict)
    """What the trainer is told for this stage, as optim.lr: trainer/config.py's StageSettings."""

    def __post_init__(self) -> None:
        where = f"stage {self.name!r}:"
        weights = [*self.mixture.values(), *self.mixture_end.values()]
        if min(weights, default=0) < 0 or not all(map(math.isfinite, weights)):
            raise ValueError(f"{where} weights of a mixture must be at least 0, not {min(weights):g}")
        if not any(self.mixture.values()) or (self.mixture_end and not any(self.mixture_end.values())):
            raise ValueError(f"{where} a mixture needs a weight above 0")
        if self.context_length < 1 or self.token_budget < 1:
            raise ValueError(f"{where} context_length and token_budget must be at least 1")
        if (self.max_passes > 1) != (self.shortage == "repeat") or self.max_passes < 1:
            raise ValueError(f'{where} shortage = "repeat" goes with max_passes of 2 or more, and nothing else does')
        if any(count is not None and count < 1 for count in (self.window, self.batch_sequences, *self.balance_ranks)):
            raise ValueError(f"{where} window, batch_sequences and balance_ranks must be at least 1")
        if bool(self.balance_ranks) != bool(self.batch_sequences):
            raise ValueError(f"{where} batch_sequences and balance_ranks go together: batches are shared out")


@dataclass(frozen=True, slots=True, kw_only=True)
class RLConfig:
    """Which problems reinforcement learning uses, and how minibatches are made of them."""

    band: tuple[float, ...] = (0.1, 0.9)
    """Least and greatest pass rate, both included."""
    confidence: float = 0.5
    """A problem is in whose rate lies in the band with at least this probability: by default, likelier in than out."""
    quotas: dict[str, int] = field(default_factory=lambda: {"math": 2, "code": 2, "instruction": 2})
    group_size: int = 8
    active: dict[str, int] = field(default_factory=dict)
    """By domain, how many problems minibatches draw from, the surest ones; the rest is in reserve. Not named: all."""
    reserve: float | None = None
    """In reserve, too, are problems that lie in the band with at least this probability, but less than confidence."""

    def __post_init__(self) -> None:
        if len(self.band) != 2 or not 0 <= self.band[0] < self.band[1] <= 1:
            raise ValueError(f"band must be two rising numbers in [0, 1], not {list(self.band)}")
        if not 0 < self.confidence < 1:
            raise ValueError(f"confidence must lie between 0 and 1, not {self.confidence:g}")
        if self.reserve is not None and not 0 < self.reserve <= self.confidence:
            raise ValueError(f"reserve must lie between 0 and confidence ({self.confidence:g}), not {self.reserve:g}")
        if self.group_size < 2 or min(self.quotas.values(), default=0) < 0:
            raise ValueError("group_size must be at least 2, for one answer has no advantage, and quotas at least 0")
        for domain, num in self.active.items():
            if num < self.quotas.get(domain, 1):
                raise ValueError(f"active.{domain} = {num} is too few for its quota {self.quotas.get(domain, 1)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """All sections; each command reads its own."""

    name: str
    seed: int = 0
    teacher: TeacherConfig = TeacherConfig()
    cache: CacheConfig = CacheConfig()
    prices: dict[str, Price] = field(default_factory=dict)
    """By the teacher's `model`, per million tokens."""
    student: str = "default"
    """The model that will be trained: its tokenizer renders the traces, its pass rates order them."""
    render: RenderConfig = RenderConfig()
    problems: tuple[GenerateConfig, ...] = ()
    vary: VaryConfig = VaryConfig()
    sample: SampleConfig = SampleConfig()
    correct: CorrectConfig = CorrectConfig()
    traces: TraceConfig = TraceConfig()
    bands: dict[str, tuple[float, ...]] = field(default_factory=lambda: dict(BANDS))
    """Of difficulty, by name: the least and greatest pass rate. A mixture may name them."""
    earlier: str = ""
    """An older checkpoint, a folder or its id: what the student knew then and does not now has regressed."""
    stages: tuple[StageConfig, ...] = ()
    gates: tuple[GateConfig, ...] = ()
    rl: RLConfig = RLConfig()
    evaluate: SampleConfig = SampleConfig()
    """How held-out problems are put to a model: the student's template, not the teacher's."""

    def __post_init__(self) -> None:
        for name, band in self.bands.items():
            if len(band) != 2 or not 0 <= band[0] < band[1] <= 1 or set("/*?[") & set(name):
                raise ValueError(f"band {name!r} must be two rising numbers in [0, 1], not {list(band)}")
        for pattern in {name for stage in self.stages for name in (*stage.mixture, *stage.mixture_end)}:
            known = (*self.bands, UNMEASURED)
            for asked in parts(pattern)[PARTS - 1 :]:
                if not any(fnmatchcase(name, asked) for name in known):
                    raise ValueError(f"mixture {pattern!r}: no band {asked!r}; there are {', '.join(known)}")
        names = [stage.name for stage in self.stages]
        if len(set(names)) < len(names):
            raise ValueError(f"stages need different names, not {', '.join(names)}")
        if self.evaluate.styles:
            raise ValueError("evaluate takes no styles: a student is asked in one way, and rates compare")

    def student_domain(self, name: str) -> DomainConfig:
        """Return the template and sampling that the student is trained and evaluated with."""
        return self.evaluate.domain(name)


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Read `NAME` from our recipes, or a TOML or JSON file, with `a.b=value` overrides."""
    path = Path(name)
    if path.suffix not in (".toml", ".json"):
        path = FOLDER / f"{name}.toml"
        if not path.exists():
            known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.toml")))
            raise ConfigError(f"no recipe {name!r}. Known: {known}; or give a .toml file.")
    return load(Recipe, path, overrides)
