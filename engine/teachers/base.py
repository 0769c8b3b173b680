"""A teacher answers requests; one file adds one. Nothing here needs torch, vLLM or the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gradus.engine.records import Message
from gradus.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplingConfig:
    """How tokens are drawn. max_tokens bounds the answer alone."""

    temperature: float = 0.8
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()
    logprobs: bool = True
    """Keep each token's log-probability: needed to train on the answers by reinforcement."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Ask for one answer to a conversation; equal requests give equal answers, up to rounding."""

    messages: tuple[Message, ...]
    sampling: SamplingConfig
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """One answer. token_ids includes the end token when the model produced it."""

    text: str
    token_ids: tuple[int, ...]
    token_logprobs: tuple[float, ...]
    prompt_token_ids: tuple[int, ...]
    finish_reason: str
    """`stop` or `length`."""
    seconds: float
    reasoning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherConfig:
    """Which teacher, and how it is opened. options go to it unchanged."""

    kind: str = "vllm"
    model: str = "default"
    """A folder of Hugging Face weights, or `default`: the small model that comes with Gradus."""
    max_context: int = 1024
    options: dict[str, Any] = field(default_factory=dict)


class Teacher(Protocol):
    """An open model."""

    model_id: str
    """Names the very weights: attempts of different weights never share an id."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """Yield (index into requests, completion) in any order, each exactly once."""
        ...

    def load_weights(self, folder: str) -> None:
        """Take over the weights of a Hugging Face folder with the same architecture."""
        ...

    def close(self) -> None:
        """Give back memory and processes."""
        ...


class TeacherKind(Protocol):
    """A registered class of teachers."""

    def __call__(self, config: TeacherConfig) -> Teacher: ...

    def identify(self, config: TeacherConfig) -> str:
        """Return the model_id that the opened teacher would have, without opening it."""
        ...


teachers: Registry[TeacherKind] = Registry("gradus.engine.teachers", "teacher")


def open_teacher(config: TeacherConfig) -> Teacher:
    """Open the teacher that config names."""
    return teachers[config.kind](config)
