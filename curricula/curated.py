"""What curation does to a curriculum: what is excluded is not drawn, and weights say how often the rest is.

A trace's weight is its own times its problem's. Its whole part is how often it is offered to the stages, and its
fraction the chance of once more: weight 2.5 is two or three rows. The draw depends on the seed and the trace alone, so
that no other trace's weight changes it. Whatever is excluded never gets here: the view `dropped` holds it. Not covered:
the RL section, in which a problem is there once or, excluded or of weight 0, not at all.
"""

from __future__ import annotations

import math
import random
from collections import Counter

from gradus.curricula.manifest import Curation
from gradus.engine.records import Trace
from gradus.engine.store import Store


class Weights:
    """The weights of a store's traces, for one seed; counts what it leaves out."""

    def __init__(self, store: Store, seed: int) -> None:
        rows = store.rows("SELECT record_id, weight FROM curated WHERE weight <> 1")
        self._weights: dict[str, float] = {row["record_id"]: row["weight"] for row in rows}
        self._seed = seed
        self.dropped = Counter[str]()

    def of(self, trace: Trace) -> float:
        """Return the trace's weight."""
        return self._weights.get(trace.id, 1.0) * self._weights.get(trace.problem_id, 1.0)

    def copies(self, trace: Trace) -> int:
        """Return how often a trace is drawn; count it as dropped if never."""
        weight = self.of(trace)
        fraction, whole = math.modf(weight)
        copies = int(whole) + (fraction > 0 and random.Random(f"{self._seed}/{trace.id}").random() < fraction)
        if not copies:
            self.dropped[f"not drawn: weight {weight:g}"] += 1
        return copies


def curation(store: Store) -> Curation | None:
    """Return the state of curation; None if nobody has excluded, restored or weighed anything."""
    query = """SELECT max("at") AS until FROM labels WHERE action IN ('exclude', 'weight') OR "value" = ''"""
    until = store.rows(query)[0]["until"]
    if until is None:
        return None
    query = "SELECT count(*) FILTER (excluded) AS excluded, count(*) FILTER (weight <> 1) AS weighed FROM curated"
    counts = store.rows(query)[0]
    return Curation(until=until, num_excluded=counts["excluded"], num_weighed=counts["weighed"])
