"""Which attempts at which problems: what a recipe plans, less what has been made or refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from gradus.engine.prompts import DomainConfig
from gradus.engine.records import Message, Problem, content_id
from gradus.engine.spending import Budget
from gradus.engine.store import Store
from gradus.engine.teachers.base import SamplingConfig


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

    def __post_init__(self) -> None:
        if self.num_attempts < 1:
            raise ValueError(f"num_attempts must be at least 1, not {self.num_attempts}")
        if not 0 <= self.until_passed <= self.num_attempts:
            raise ValueError(f"until_passed must be between 0 and num_attempts, not {self.until_passed}")

    def domain(self, name: str) -> DomainConfig:
        return self.domains.get(name) or self.domains.get("default") or DomainConfig()

    def sampler(self, domain: str) -> str:
        """Name how attempts come about: stopping at a pass is part of it, for it moves the share that pass."""
        name = self.domain(domain).sampler
        return f"{name}-until-{self.until_passed}" if self.until_passed else name


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


def ask_for(problem: Problem, config: SampleConfig, index: int) -> Ask:
    """Return the ask for a problem's attempt of that index."""
    domain = config.domain(problem.domain)
    return Ask(
        problem_id=problem.id,
        messages=domain.prompt.messages(problem),
        sampler=config.sampler(problem.domain),
        sampling=domain.sampling,
        seed=config.seed + index,
        index=index,
    )


def plan(problems: Sequence[Problem], config: SampleConfig, done: set[tuple[str, str, int]]) -> list[Ask]:
    """Return the attempts still to be made; done holds (problem id, sampler, index)."""
    # By index first: a teacher that caches prefixes then computes each prompt once.
    return [
        ask_for(problem, config, index)
        for index in range(config.num_attempts)
        for problem in problems
        if (problem.id, config.sampler(problem.domain), index) not in done
    ]


def attempts_done(store: Store, model_id: str) -> set[tuple[str, str, int]]:
    """Return (problem id, sampler, index) of this model's attempts; corrections are not among them."""
    query = 'SELECT problem_id, sampler, "index" FROM attempts WHERE model_id = $model AND failed_attempt_id IS NULL'
    return {(row["problem_id"], row["sampler"], row["index"]) for row in store.rows(query, {"model": model_id})}


def drop_id(ask: Ask, model_id: str) -> str:
    """Name an attempt that could not be made, as its Drop does."""
    return content_id(ask.problem_id, model_id, ask.sampler, ask.index, ask.failed_attempt_id)


def dropped(store: Store, run: str) -> set[str]:
    """Return the names of the attempts that were refused for good, in a step."""
    return {row["record_id"] for row in store.rows("SELECT record_id FROM drops WHERE step = $run", {"run": run})}
