"""Which attempts at which problems: what a recipe plans, less what has been made or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gradus.engine.prompts import DomainConfig
from gradus.engine.records import Message, Problem, content_id
from gradus.engine.spending import Budget
from gradus.engine.store import Store
from gradus.engine.teachers.base import SamplingConfig

STYLE = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """How problems are attempted."""

    num_attempts: int = 4
    """Of each problem; with until_passed, at most."""
    until_passed: int = 0
    """Stop with a problem at its so-manieth verified pass; 0: make all attempts."""
    seed: int = 0
    budget: Budget = Budget()
    domains: dict[str, DomainConfig] = field(default_factory=dict)
    """By domain; `default` serves those not named."""
    styles: dict[str, dict[str, str]] = field(default_factory=dict)
    """Ways to ask: under a style's name, by domain or `default`, a template around the domain's own, which `{prompt}`
    stands for. A problem is attempted in every style of its domain, as often as if that were the only one; in a domain
    without styles, in the domain's own words."""

    def __post_init__(self) -> None:
        if self.num_attempts < 1:
            raise ValueError(f"num_attempts must be at least 1, not {self.num_attempts}")
        if not 0 <= self.until_passed <= self.num_attempts:
            raise ValueError(f"until_passed must be between 0 and num_attempts, not {self.until_passed}")
        for style, templates in self.styles.items():
            if not STYLE.fullmatch(style):
                raise ValueError(f"a style's name is made of a-z, 0-9 and _, not {style!r}")
            for domain, template in templates.items():
                if template.count("{prompt}") != 1:
                    raise ValueError(f"styles.{style}.{domain} must hold {{prompt}} once, not {template!r:.60}")

    def domain(self, name: str) -> DomainConfig:
        return self.domains.get(name) or self.domains.get("default") or DomainConfig()

    def styles_of(self, domain: str) -> tuple[str, ...]:
        """Return the names of a domain's styles; the empty name is its own words."""
        return tuple(style for style, by in self.styles.items() if domain in by or "default" in by) or ("",)

    def styled(self, domain: str, style: str) -> DomainConfig:
        """Return how a domain's problems are asked about in a style."""
        config = self.domain(domain)
        if not style:
            return config
        templates = self.styles[style]
        template = templates.get(domain) or templates["default"]
        user = template.replace("{prompt}", config.prompt.user)
        return replace(config, prompt=replace(config.prompt, user=user))

    def sampler(self, domain: str, style: str = "") -> str:
        """Name how attempts come about: stopping at a pass is part of it, for it moves the share that pass."""
        name = self.styled(domain, style).sampler
        named = f"{style}-{name}" if style else name
        return f"{named}-until-{self.until_passed}" if self.until_passed else named

    def samplers(self, domain: str) -> tuple[str, ...]:
        """Name all ways in which a domain's problems are attempted."""
        return tuple(self.sampler(domain, style) for style in self.styles_of(domain))

    def planned(self, num_problems: Mapping[str, int]) -> int:
        """Return how many attempts so many problems of each domain get, at most."""
        return self.num_attempts * sum(num * len(self.styles_of(domain)) for domain, num in num_problems.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One attempt to be made."""

    problem_id: str
    messages: tuple[Message, ...]
    sampler: str
    sampling: SamplingConfig
    seed: int
    index: int
    failed_attempt_id: str | None = None


def ask_for(problem: Problem, config: SampleConfig, index: int, style: str = "") -> Ask:
    """Return the ask for a problem's attempt of that index, in a style."""
    domain = config.styled(problem.domain, style)
    return Ask(
        problem_id=problem.id,
        messages=domain.prompt.messages(problem.prompt),
        sampler=config.sampler(problem.domain, style),
        sampling=domain.sampling,
        seed=config.seed + index,
        index=index,
    )


def plan(problems: Sequence[Problem], config: SampleConfig, done: set[tuple[str, str, int]]) -> list[Ask]:
    """Return the attempts still to be made; done holds (problem id, sampler, index)."""
    # By index first: a teacher that caches prefixes then computes each prompt once.
    return [
        ask_for(problem, config, index, style)
        for index in range(config.num_attempts)
        for problem in problems
        for style in config.styles_of(problem.domain)
        if (problem.id, config.sampler(problem.domain, style), index) not in done
    ]


def drop_id(ask: Ask, model_id: str) -> str:
    """Name an attempt that could not be made, as its Drop does."""
    return content_id(ask.problem_id, model_id, ask.sampler, ask.index, ask.failed_attempt_id)


def dropped(store: Store, run: str) -> set[str]:
    """Return the names of the attempts that were refused for good, in a step."""
    return {row["record_id"] for row in store.rows("SELECT record_id FROM drops WHERE step = $run", {"run": run})}
