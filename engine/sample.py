"""Ask a teacher for attempts, keep them in parts as they come, and go on where a killed run stopped."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from gradus.engine.parts import write_part
from gradus.engine.prompts import DomainConfig
from gradus.engine.records import Attempt, Message, Problem
from gradus.engine.store import Store
from gradus.engine.teachers.base import Completion, Request, SamplingConfig, Teacher
from gradus.errors import ConfigError

WINDOW = 4096
"""Requests handed to the teacher at once: enough to fill any batch, little enough to hold."""
FLUSH_S = 5.0
"""A kill loses at most this much sampling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleConfig:
    """How problems are attempted."""

    num_attempts: int = 4
    seed: int = 0
    domains: dict[str, DomainConfig] = field(default_factory=dict)
    """By domain; `default` serves those not named."""

    def domain(self, name: str) -> DomainConfig:
        return self.domains.get(name) or self.domains.get("default") or DomainConfig()


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


def plan(problems: Sequence[Problem], config: SampleConfig, done: set[tuple[str, str, int]]) -> list[Ask]:
    """Return the attempts still to be made; done holds (problem id, sampler, index)."""
    if config.num_attempts < 1:
        raise ConfigError(f"num_attempts must be at least 1, not {config.num_attempts}")
    asks = []
    # By index first: a teacher that caches prefixes then computes each prompt once.
    for index in range(config.num_attempts):
        for problem in problems:
            domain = config.domain(problem.domain)
            if (problem.id, domain.sampler, index) not in done:
                asks.append(
                    Ask(
                        problem_id=problem.id,
                        messages=domain.prompt.messages(problem),
                        sampler=domain.sampler,
                        sampling=domain.sampling,
                        seed=config.seed + index,
                        index=index,
                    )
                )
    return asks


def attempts_done(store: Store, model_id: str) -> set[tuple[str, str, int]]:
    """Return (problem id, sampler, index) of this model's attempts; corrections are not among them."""
    query = 'SELECT problem_id, sampler, "index" FROM attempts WHERE model_id = $model AND failed_attempt_id IS NULL'
    return {(row["problem_id"], row["sampler"], row["index"]) for row in store.rows(query, {"model": model_id})}


def sample(
    asks: Sequence[Ask], teacher: Teacher, parts: Path, *, run: str, advance: Callable[[int], None] = lambda _: None
) -> int:
    """Make the attempts and write them into parts; return how many. advance(n) reports progress."""
    waiting: list[Attempt] = []
    written, flushed = 0, time.monotonic()
    try:
        for attempt in _attempts(asks, teacher):
            waiting.append(attempt)
            advance(1)
            if time.monotonic() - flushed > FLUSH_S:
                write_part(parts, run, waiting)
                written += len(waiting)
                waiting, flushed = [], time.monotonic()
    finally:  # an interrupted run keeps what it has paid for
        write_part(parts, run, waiting)
    return written + len(waiting)


def _attempts(asks: Sequence[Ask], teacher: Teacher) -> Iterator[Attempt]:
    for start in range(0, len(asks), WINDOW):
        window = asks[start : start + WINDOW]
        requests = [Request(messages=ask.messages, sampling=ask.sampling, seed=ask.seed) for ask in window]
        for index, completion in teacher.answer(requests):
            yield _attempt(window[index], completion, teacher.model_id)


def _attempt(ask: Ask, completion: Completion, model_id: str) -> Attempt:
    answer = Message(role="assistant", content=completion.text)
    if completion.reasoning:
        answer["reasoning"] = completion.reasoning
    return Attempt(
        problem_id=ask.problem_id,
        model_id=model_id,
        sampler=ask.sampler,
        index=ask.index,
        seed=ask.seed,
        sampling=asdict(ask.sampling),
        messages=(*ask.messages, answer),
        token_ids=completion.token_ids,
        token_logprobs=completion.token_logprobs,
        tokens_in=len(completion.prompt_token_ids),
        seconds=completion.seconds,
        finish_reason=completion.finish_reason,
        failed_attempt_id=ask.failed_attempt_id,
    )
