"""Attempts with the verdict that counts: the newest of their problem's verifier, as the view `judged` has it.

The view joins whole tables; a page needs a hundred rows, so their verdicts are looked up by where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradus.api.listings import Cursor, Listing, read_page
from gradus.api.negotiation import Table
from gradus.api.snapshots import Snapshot
from gradus.engine.store import Store

MAX_ROUNDS = 8
"""So often more attempts are read to fill a page of one outcome; what there is then is the page."""
Verdict = tuple[str | None, float | None, str | None]
UNJUDGED: Verdict = (None, None, None)


def read_judged(
    snapshot: Snapshot, listing: Listing, filters: Mapping[str, Any], *, limit: int, cursor: Cursor | None
) -> tuple[Table, Cursor | None]:
    """Return a page of attempts with outcome, score and reason; with an outcome in filters, those of it alone."""
    rest = {name: value for name, value in filters.items() if name not in ("problem", "outcome")}
    problem, outcome = filters["problem"], filters["outcome"]
    places = None if problem is None else snapshot.store.places("attempts", "problem_id", [problem])
    rows: list[Any] = []
    for _ in range(MAX_ROUNDS):
        wanted = limit - len(rows)
        table, following = read_page(snapshot, listing, {**rest, "places": places}, limit=wanted, cursor=cursor)
        rows += (row for row in _with_verdicts(snapshot.store, table) if outcome in (None, row[-3]))
        cursor = following
        if following is None or len(rows) == limit:
            break
    columns, types = [*table.columns, "outcome", "score", "reason"], [*table.types, "VARCHAR", "DOUBLE", "VARCHAR"]
    return Table(columns, types, rows), cursor


def _with_verdicts(store: Store, table: Table) -> list[tuple[Any, ...]]:
    own, problem = table.columns.index("id"), table.columns.index("problem_id")
    verifiers = _verifiers(store, sorted({row[problem] for row in table.rows}))
    newest = _newest(store, [(row[own], verifiers.get(row[problem], "")) for row in table.rows])
    return [(*row, *newest.get(row[own], UNJUDGED)) for row in table.rows]


def _verifiers(store: Store, problem_ids: list[str]) -> dict[str, str]:
    """Return the verifier of each problem."""
    rows = store.rows_of("problems", "id", problem_ids)
    return {row["id"]: row["verifier"] for row in rows}


def _newest(store: Store, attempts: list[tuple[str, str]]) -> dict[str, Verdict]:
    """Return the newest verdict of each attempt by the verifier that stands beside it."""
    by = dict(attempts)
    rows = store.rows_of("verdicts", "attempt_id", list(by))
    rows = [row for row in rows if row["verifier"] == by[row["attempt_id"]]]
    rows.sort(key=lambda row: _order(row["version"]))
    return {row["attempt_id"]: (row["outcome"], row["score"], row["reason"]) for row in rows}


def _order(version: str) -> tuple[float, str]:
    """Order versions as the store does: numbers as numbers, after those that are none."""
    try:
        return float(version), version
    except ValueError:
        return float("-inf"), version
