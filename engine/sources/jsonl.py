"""Our own form: one `{"prompt", "domain", "verifier", "spec", "source"}` a line, `tags` optional."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import importers

FIELDS = ("prompt", "domain", "verifier", "spec", "source", "tags")


@importers.register("jsonl")
def read(row: Mapping[str, Any]) -> Problem:
    """Take a problem as `gradus problems list --json` prints it."""
    unknown = set(row) - {*FIELDS, "id", "parents"}
    if unknown:
        raise ValueError(f"unknown field {sorted(unknown)[0]!r}. Fields: {', '.join(FIELDS)}.")
    if not isinstance(row["spec"], dict):
        raise ValueError("spec must be an object")
    for name in ("prompt", "domain", "verifier", "source"):
        if not isinstance(row[name], str) or not row[name].strip():
            raise ValueError(f"{name} must be text")
    for name in ("parents", "tags"):
        if not isinstance(row.get(name, []), list) or not all(isinstance(word, str) for word in row.get(name, [])):
            raise ValueError(f"{name} must be a list of text, not {row[name]!r:.40}")
    return Problem(
        prompt=row["prompt"],
        domain=row["domain"],
        verifier=row["verifier"],
        spec=row["spec"],
        source=row["source"],
        parents=tuple(row.get("parents", ())),
        tags=tuple(row.get("tags", ())),
    )
