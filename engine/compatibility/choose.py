"""Which traces are compared: every model's passing first answers in the student's template, and imported ones.

Nothing is written: that an answer is compared does not make it part of a curriculum.
"""

from __future__ import annotations

from gradus.engine.exchange.imported import imported_traces
from gradus.engine.records import HELDOUT, Trace
from gradus.engine.store import Store
from gradus.engine.traces import TraceConfig, to_trace


def choose_traces(store: Store, config: TraceConfig, *, limit: int) -> list[Trace]:
    """Return traces of at most `limit` problems of each teacher and domain, each trace once."""
    rows = store.named("teacher_answers", {"per_problem": config.per_problem, "heldout": HELDOUT, "limit": limit})
    traces = [to_trace(row, config) for row in rows]
    traces += imported_traces(store, limit=limit)
    dropped = {row["record_id"] for row in store.rows("SELECT record_id FROM dropped")}
    return [trace for trace in traces if trace.id not in dropped]
