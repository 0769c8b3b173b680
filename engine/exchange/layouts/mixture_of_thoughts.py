"""Mixture-of-Thoughts (open-r1): `messages`, `num_tokens`, `source`. Conversations without expected answers."""

from __future__ import annotations

from gradus.engine.exchange.conversation import read_turns
from gradus.engine.exchange.layouts.base import Found, Row, Told, UnusableError, imported, layouts, text_of

SOURCES = {"math": "math", "codeforces": "code", "code": "code", "science": "stem", "nemotron": "stem"}
"""By a word in the source; the first that fits."""


@layouts.register("mixture-of-thoughts")
def mixture_of_thoughts(row: Row, told: Told) -> Found:
    """The row's domain is that of its source; --domain says it for a source that we do not know."""
    source = text_of(row, "source").lower()
    domain = next((ours for word, ours in SOURCES.items() if word in source), told.domain)
    if not domain:
        raise UnusableError(f"unknown domain: of source {source[:40]!r}; --domain names ours")
    return Found(trace=imported(read_turns(row["messages"]), domain=domain, teacher=told.source))
