"""Attempts with the verdict that counts: the newest of their problem's verifier, as the view `judged` has it.

The view joins whole tables; a page needs a hundred rows, so their verdicts are looked up by where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradus.api.listings import Cursor, Listing, Page, after, read_pages
from gradus.api.negotiation import Row, Table
from gradus.api.snapshots import Snapshot
from gradus.engine.store import Store

ROUNDS = (1, 4, 16)
"""While a page of one outcome is not full, so many times as many attempts are read; what there is then is the page."""
MOST_AT_ONCE = 2000
Verdict = tuple[str | None, float | None, str | None]
UNJUDGED: Verdict = (None, None, None)


def read_judged(
    snapshot: Snapshot, listing: Listing, filters: Mapping[str, Any], *, limit: int, cursor: Cursor | None, **_: int
) -> list[Page]:
    """Return a page of attempts with outcome, score and reason; with an outcome in filters, those of it alone."""
    rest = {name: value for name, value in filters.items() if name not in ("problem", "outcome")}
    problem, outcome = filters["problem"], filters["outcome"]
    places = None if problem is None else snapshot.store.places("attempts", "problem_id", [problem])
    rows: list[Row] = []
    for times in ROUNDS:
        most = min(times * limit, max(limit, MOST_AT_ONCE))
        ((table, cursor),) = read_pages(snapshot, listing, {**rest, "places": places}, limit=most, cursor=cursor)
        rows += (row for row in _with_verdicts(snapshot.store, table) if outcome in (None, row[-3]))
        if cursor is None or len(rows) >= limit:
            break
    if len(rows) > limit:
        cursor = after(snapshot, listing, {"place": rows[limit - 1][0], "id": rows[limit - 1][1]})
    columns = [*table.columns[1:], "outcome", "score", "reason"]
    types = [*table.types[1:], "VARCHAR", "DOUBLE", "VARCHAR"]
    return [(Table(columns, types, [row[1:] for row in rows[:limit]]), cursor)]


def _with_verdicts(store: Store, table: Table) -> list[tuple[Any, ...]]:
    own, problem = table.columns.index("id"), table.columns.index("problem_id")
    verifiers = _verifiers(store, sorted({row[problem] for row in table.rows}))
    newest = _newest(store, table.rows, {row[own]: verifiers.get(row[problem]) for row in table.rows})
    return [(*row, *newest.get(row[own], UNJUDGED)) for row in table.rows]


def _verifiers(store: Store, problem_ids: list[str]) -> dict[str, str]:
    """Return the verifier of each problem."""
    rows = store.rows_of("problems", "id", problem_ids, select="id, verifier")
    return {row["id"]: row["verifier"] for row in rows}


def _newest(store: Store, attempts: Sequence[Row], by: dict[str, str | None]) -> dict[str, Verdict]:
    """Return the newest verdict of each attempt by the verifier that judges its problem."""
    rows = store.verdicts_at([attempt[0] for attempt in attempts])
    rows = [row for row in rows if row["verifier"] == by.get(row["attempt_id"], "")]
    rows.sort(key=lambda row: _order(row["version"]))
    return {row["attempt_id"]: (row["outcome"], row["score"], row["reason"]) for row in rows}


def _order(version: str) -> tuple[float, str]:
    """Order versions as the store does: numbers as numbers, after those that are none."""
    try:
        return float(version), version
    except ValueError:
        return float("-inf"), version
