"""Imported traces for a curriculum. Nobody of ours has verified their answers: a recipe has to ask for them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from gradus.engine.records import HELDOUT, Trace
from gradus.engine.store import Store


def imported_traces(store: Store, domains: Sequence[str]) -> list[Trace]:
    """Return those of some domains that cleaning did not drop, in the order of their ids."""
    if not domains:
        return []
    return [_trace(row) for row in store.named("imported", {"domains": list(domains), "heldout": HELDOUT})]


def _trace(row: dict[str, Any]) -> Trace:
    data = {key: value for key, value in row.items() if key != "id"}
    return Trace(**(data | {"messages": tuple(json.loads(row["messages"])), "learn": tuple(row["learn"])}))
