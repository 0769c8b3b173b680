"""What curation does to a curriculum: what is excluded is not drawn, and weights say how often the rest is.

A trace's weight is its own times its problem's; `choosing.py` says how often a trace is offered for it. Whatever is
excluded never gets here: the view `dropped` holds it. Not covered: the RL section, in which a problem is there once or,
excluded or of weight 0, not at all.
"""

from __future__ import annotations

from gradus.curricula.manifest import Curation
from gradus.engine.store import Store


class Weights:
    """The weights that people gave to a store's traces."""

    def __init__(self, store: Store) -> None:
        rows = store.rows("SELECT record_id, weight FROM curated WHERE weight <> 1")
        self._weights: dict[str, float] = {row["record_id"]: row["weight"] for row in rows}

    def of(self, trace_id: str, problem_id: str) -> float:
        """Return a trace's weight."""
        return self._weights.get(trace_id, 1.0) * self._weights.get(problem_id, 1.0)


def curation(store: Store) -> Curation | None:
    """Return the state of curation; None if nobody has excluded, restored or weighed anything."""
    query = """SELECT max("at") AS until FROM labels WHERE action IN ('exclude', 'weight') OR "value" = ''"""
    until = store.rows(query)[0]["until"]
    if until is None:
        return None
    query = "SELECT count(*) FILTER (excluded) AS excluded, count(*) FILTER (weight <> 1) AS weighed FROM curated"
    counts = store.rows(query)[0]
    return Curation(until=until, num_excluded=counts["excluded"], num_weighed=counts["weighed"])
