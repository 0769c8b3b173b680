"""A recipe: everything between problems and a manifest, in one TOML file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradus.config import load
from gradus.curricula.conventions import THOUGHT
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
    """One length stage. Lengths and budgets are in tokens."""

    name: str
    context_length: int
    token_budget: int
    mixture: dict[str, float]
    """Weights by component, `domain/kind`; `*` stands for any. Not named: not taken."""
    policy: str = "easy_to_hard"


@dataclass(frozen=True, slots=True, kw_only=True)
class RLConfig:
    """Which problems reinforcement learning uses, and how minibatches are made of them."""

    band: tuple[float, ...] = (0.1, 0.9)
    """Least and greatest pass rate, both included."""
    quotas: dict[str, int] = field(default_factory=lambda: {"math": 2, "code": 2, "instruction": 2})
    group_size: int = 8

    def __post_init__(self) -> None:
        if len(self.band) != 2 or not 0 <= self.band[0] < self.band[1] <= 1:
            raise ValueError(f"band must be two rising numbers in [0, 1], not {list(self.band)}")


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
    thought: str = THOUGHT
    """Wraps `{reasoning}`, before the answer, for a student whose chat template has no place for it."""
    problems: tuple[GenerateConfig, ...] = ()
    vary: VaryConfig = VaryConfig()
    sample: SampleConfig = SampleConfig()
    correct: CorrectConfig = CorrectConfig()
    traces: TraceConfig = TraceConfig()
    stages: tuple[StageConfig, ...] = ()
    rl: RLConfig = RLConfig()
    evaluate: SampleConfig = SampleConfig()
    """How held-out problems are put to a model: the student's template, not the teacher's."""

    def __post_init__(self) -> None:
        if "{reasoning}" not in self.thought:
            raise ValueError(f"thought must hold {{reasoning}}, not {self.thought!r:.60}")
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
