"""What the cleaning steps read: the problems or traces of a store, a few at a time, held-out problems first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, TypeVar

from gradus.engine.calls import with_calls
from gradus.engine.clean.guard import answer_of, called, defined
from gradus.engine.records import HELDOUT, Message
from gradus.engine.store import Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """A record as text. A fixed one is compared with, but never dropped."""

    id: str
    text: str
    answer: str = ""
    """What must be equal in duplicates besides the text."""
    names: frozenset[str] = frozenset()
    """The functions that it is about."""
    fixed: bool = False


Texts = Callable[[], Iterable[Text]]
"""Reads the same texts in the same order each time: some steps look twice."""
Drop = Callable[[str, str], None]
"""Called with a record's id and a reason, `<kind>: <detail>`."""


def problem_texts(store: Store, step: str) -> Iterator[Text]:
    """Yield the problems that no step but this has dropped."""
    for row in store.stream("clean_problems", {"step": step, "heldout": HELDOUT}):
        yield problem_text(row["id"], row["prompt"], json.loads(row["spec"]), fixed=row["heldout"])


def problem_text(id: str, prompt: str, spec: Mapping[str, Any], *, fixed: bool) -> Text:
    """Return a problem as text."""
    names = frozenset(called(spec.get("tests", ())) | defined(prompt))
    return Text(id, prompt, answer_of(spec), names, fixed)


def trace_texts(store: Store, step: str) -> Iterator[Text]:
    """Yield the traces that no step but this has dropped: everything said and thought in them."""
    for row in store.stream("clean_traces", {"step": step}):
        text, spec = said(json.loads(row["messages"])), json.loads(row["spec"] or "{}")
        yield Text(row["id"], text, answer_of(spec) if spec else "", frozenset(defined(text)))


def count_texts(store: Store, what: str, step: str) -> int:
    """Count the `problems` or `traces` that no step but this has dropped."""
    parameters = {"step": step} | ({"heldout": HELDOUT} if what == "problems" else {})
    return store.count(f"clean_{what}", parameters)


def said(messages: Sequence[Message]) -> str:
    """Return a conversation's text, with its reasoning and its calls."""
    turns = ((turn.get("reasoning"), with_calls(turn)["content"]) for turn in messages)
    return "\n".join(text for turn in turns for text in turn if text)


def batched(items: Iterable[T], num: int) -> Iterator[list[T]]:
    """Yield lists of num items; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, num)):
        yield batch
