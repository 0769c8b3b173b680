"""Layouts of others' data sets: from one row to a problem, a trace, or both. One file adds one.

A row that gives neither is refused with a reason, `<kind>: <detail>`, and costs nothing but itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gradus.engine.records import DOMAINS, Message, Problem, Trace
from gradus.errors import DataError
from gradus.registry import Registry

Row = Mapping[str, Any]


class UnusableError(DataError):
    """A row that gives neither a problem nor a trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What whoever imports says of rows that do not say it themselves."""

    source: str
    licence: str = ""
    domain: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one row gives."""

    problem: Problem | None = None
    trace: Trace | None = None
    row: str = ""
    """The row's own id, if it has one."""
    licence: str = ""
    prior: tuple[str, float] | None = None
    """The model of another, and its pass rate of the problem."""


Layout = Callable[[Row, Told], Found]
"""From a row to what it gives; an UnusableError, KeyError or error of MALFORMED if it gives nothing."""

layouts: Registry[Layout] = Registry("gradus.engine.exchange.layouts", "format")


def imported(messages: tuple[Message, ...], *, domain: str, teacher: str, problem: Problem | None = None) -> Trace:
    """Return a trace that teaches what the assistant says; nobody of ours has verified it."""
    return Trace(
        kind="imported",
        domain=domain,
        messages=messages,
        learn=tuple(message["role"] == "assistant" for message in messages),
        problem_id=problem.id if problem else "",
        attempt_id="",
        teacher=teacher,
    )


def domain_of(value: Any, known: Mapping[str, str], told: Told) -> str:
    """Return our domain for another's word; what was told serves rows without one."""
    word = str(value or "").strip().lower()
    if not word:
        if told.domain:
            return told.domain
        raise UnusableError("no domain: the row does not say it; --domain does")
    domain = known.get(word, word if word in DOMAINS else told.domain)
    if not domain:
        raise UnusableError(f"unknown domain: {word[:40]!r}; --domain names ours")
    return domain


def text_of(row: Row, *names: str) -> str:
    """Return the first of the columns that holds text; empty if none does."""
    found = (row.get(name) for name in names)
    return next((value for value in found if isinstance(value, str) and value.strip()), "")
