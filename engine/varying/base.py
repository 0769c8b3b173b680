"""What a way of making new problems from old is; one file adds one.

A way makes a draft at once, or puts a question to a teacher and reads the draft from the answer. A draft becomes a
problem only when independent solutions agree: see `agreement.py`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from gradus.engine.records import Message, Problem, content_id
from gradus.engine.varying.config import VaryConfig
from gradus.registry import Registry


class UnusableError(Exception):
    """A variant that comes to nothing; says why, as `<kind>: <detail>`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A problem that is not yet believed."""

    prompt: str
    domain: str
    verifier: str
    spec: Mapping[str, Any]
    source: str
    answer: Literal["open", "kept", "computed"]
    """What spec says of it: nothing (`expected` is still to be found), the parent's, or what a program computed."""
    tags: tuple[str, ...] = ()
    like: str = ""
    """An answer of the kind that is wanted; empty: any kind."""

    @property
    def id(self) -> str:
        """Name the draft in attempts. Not the problem's id: solutions that chose a problem do not measure it."""
        return content_id("draft", self.prompt, self.verifier, self.spec)


@dataclass(frozen=True, slots=True)
class Question:
    """Asks a teacher to write."""

    messages: tuple[Message, ...]
    read: Callable[[str], Draft]
    """Makes a draft of the answer, or raises UnusableError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What a way is given besides the problems."""

    config: VaryConfig
    rng: random.Random
    fits: Callable[[Problem], bool] = lambda _: True
    """Whether a drawn problem is of the skill that is wanted."""


@dataclass(frozen=True, slots=True)
class Way:
    """How new problems come of old ones."""

    refuses: Callable[[Problem], str]
    """Says why it can make nothing of a problem; empty if it can."""
    begin: Callable[[tuple[Problem, ...], Task], Draft | Question]
    num_parents: int = 1


ways: Registry[Way] = Registry("gradus.engine.varying", "way")


def has_one_value(problem: Problem) -> bool:
    """Whether a problem asks for one value, which solutions can agree on."""
    return problem.verifier == "math" and not problem.spec.get("choices")


def varied_source(problem: Problem) -> str:
    """Return what a problem made from this one has for a source: the text is no longer that source's own."""
    return f"varied/{problem.source}"


def user(text: str) -> tuple[Message, ...]:
    """Return a conversation of one turn."""
    return (Message(role="user", content=text),)
