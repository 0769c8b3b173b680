"""What kind of mistake a failed answer makes; one file adds the kinds of a domain.

Two kinds are every domain's: `incomplete`, an answer that was cut off, and `format`, one in which no answer was found.
The others are read off the verdict's reason and the answer's own steps. `wrong answer` is what no rule fits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradus.registry import Registry

WRONG = "wrong answer"
_PART = re.compile(r"^part \d+ \(\w+\): \w+: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A failed answer, and the verdict on it."""

    answer: str
    outcome: str
    reason: str
    finish_reason: str
    verifier: str
    spec: Mapping[str, Any]
    reasoning: str = ""

    @property
    def text(self) -> str:
        """All that was said."""
        return f"{self.reasoning}\n{self.answer}" if self.reasoning else self.answer


@dataclass(frozen=True, slots=True)
class Kind:
    """What went wrong: usually one name, several where several rules were broken; detail is the evidence."""

    names: tuple[str, ...]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Classifier:
    """How a domain's wrong answers are told apart. version grows whenever any kind could change."""

    version: int
    classify: Callable[[Failed], Kind]


classifiers: Registry[Classifier] = Registry("gradus.engine.making.kinds", "kinds of failures for the domain")


def kinds(domain: str, *, version: int) -> Callable[[Callable[[Failed], Kind]], Callable[[Failed], Kind]]:
    """Register a function that tells a domain's wrong answers apart; it sees those of outcome `fail` alone."""

    def keep(classify: Callable[[Failed], Kind]) -> Callable[[Failed], Kind]:
        classifiers.register(domain)(Classifier(version, classify))
        return classify

    return keep


def kind_of(domain: str, failed: Failed) -> Kind:
    """Return the kind of any failed answer."""
    if failed.finish_reason == "length":
        return Kind(("incomplete",), failed.reason)
    if failed.outcome == "unparseable":
        return Kind(("format",), failed.reason)
    return classifiers[domain].classify(failed)


def own_reason(reason: str) -> str:
    """Return what the part of a composite verifier said."""
    while found := _PART.match(reason):
        reason = reason[found.end() :]
    return reason
