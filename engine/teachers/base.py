"""A teacher answers requests; one file adds one. Nothing here needs torch, vLLM or the store."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from gradus.engine.records import Message
from gradus.errors import DataError
from gradus.registry import Registry

WAIT_S = 1.0


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
    """One answer. token_ids includes the end token when the model produced it; empty where the endpoint gives none."""

    text: str
    token_ids: tuple[int, ...]
    token_logprobs: tuple[float, ...]
    prompt_token_ids: tuple[int, ...]
    finish_reason: str
    """`stop` or `length`; an endpoint may have others."""
    seconds: float
    reasoning: str = ""
    counted: tuple[int, int] = (0, 0)
    """Tokens of prompt and answer as the endpoint counts them, for where it gives no ids."""
    cached: bool = False
    """Found, not made: costs nothing."""

    @property
    def tokens_in(self) -> int:
        return len(self.prompt_token_ids) or self.counted[0]

    @property
    def tokens_out(self) -> int:
        return len(self.token_ids) or self.counted[1]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that was not answered, though others may be. final: asking again would not help."""

    reason: str
    final: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TeacherConfig:
    """Which teacher, and how it is opened. options go to it unchanged."""

    kind: str = "vllm"
    model: str = "default"
    """A folder of Hugging Face weights, `default` (the small model that comes with Gradus), or an endpoint's name."""
    max_context: int = 1024
    options: dict[str, Any] = field(default_factory=dict)


class Teacher(ABC):
    """An open model. Requests go in by `submit`, answers come out by `collect`, in any order, each exactly once."""

    model_id: str
    """Names the very weights: attempts of different weights never share an id."""
    costly: ClassVar[bool] = True
    """False: answers are free, so that nobody need keep them."""

    @property
    @abstractmethod
    def room(self) -> int:
        """How many more requests it would take now; it may take more, and may have none for a while."""

    @abstractmethod
    def submit(self, name: int, request: Request) -> None:
        """Take a request; its answer comes back under this name."""

    @abstractmethod
    def collect(self, timeout_s: float) -> list[tuple[int, Completion | Refusal]]:
        """Return the answers that are there, having waited no more than about timeout_s for the first."""

    @abstractmethod
    def cancel(self) -> None:
        """Forget every request that has not been collected."""

    @abstractmethod
    def load_weights(self, folder: str) -> None:
        """Take over the weights of a Hugging Face folder with the same architecture."""

    @abstractmethod
    def close(self) -> None:
        """Give back memory and processes."""

    def answer(self, requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        """Yield (index into requests, completion) in any order, each exactly once; a refusal is an error."""
        flying, waiting = 0, list(enumerate(requests))[::-1]
        try:
            while waiting or flying:
                while waiting and self.room > 0:
                    self.submit(*waiting.pop())
                    flying += 1
                for index, answer in self.collect(WAIT_S):
                    flying -= 1
                    if isinstance(answer, Refusal):
                        raise DataError(f"{self.model_id} refuses {brief(requests[index])}: {answer.reason}")
                    yield index, answer
        finally:  # a caller that stops early leaves nothing running
            if flying:
                self.cancel()


class TeacherKind(Protocol):
    """A registered class of teachers."""

    costly: bool

    def __call__(self, config: TeacherConfig) -> Teacher: ...

    def identify(self, config: TeacherConfig) -> str:
        """Return the model_id that the opened teacher would have, without opening it."""
        ...


teachers: Registry[TeacherKind] = Registry("gradus.engine.teachers", "teacher")


def open_teacher(config: TeacherConfig) -> Teacher:
    """Open the teacher that config names."""
    return teachers[config.kind](config)


def brief(request: Request) -> str:
    """Name a request in an error: the beginning of its last message, and its seed."""
    text = request.messages[-1]["content"]
    return f"{text[:60]!r}{'…' if len(text) > 60 else ''} (seed {request.seed})"
