"""How a problem is put to a model: templates belong to the recipe, per domain.

`shots` are worked examples, shown as earlier turns. They teach a weak model the form of an answer; a
trace that training sees is written in the student's own template, which usually has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache

from gradus.engine.records import Message, content_id
from gradus.engine.teachers.base import SamplingConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Shot:
    """One worked example."""

    ask: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptConfig:
    """A template. `{prompt}` in user is the problem's own text."""

    system: str = ""
    shots: tuple[Shot, ...] = ()
    user: str = "{prompt}"

    def messages(self, prompt: str) -> tuple[Message, ...]:
        """Return the turns that end with a problem's text."""
        shots = [Shot(ask=self.user.replace("{prompt}", shot.ask), answer=shot.answer) for shot in self.shots]
        ask = Message(role="user", content=self.user.replace("{prompt}", prompt))
        return (*opening(self.system, shots), ask)


def opening(system: str, shots: Sequence[Shot]) -> tuple[Message, ...]:
    """Return a conversation's first turns: the system's, if any, and the worked examples."""
    first = [Message(role="system", content=system)] if system else []
    turns = [(("user", shot.ask), ("assistant", shot.answer)) for shot in shots]
    return (*first, *(Message(role=role, content=text) for turn in turns for role, text in turn))


@cache
def _sampler(config: DomainConfig) -> str:
    return content_id(asdict(config.prompt), asdict(config.sampling))[:12]


@dataclass(frozen=True, slots=True, kw_only=True)
class DomainConfig:
    """Prompt and sampling for the problems of one domain."""

    prompt: PromptConfig = PromptConfig()
    sampling: SamplingConfig = SamplingConfig()

    @property
    def sampler(self) -> str:
        """Name template and settings: attempts under the same name are comparable."""
        return _sampler(self)
