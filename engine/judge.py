"""Give every attempt its verdict, under the verifier's present version; re-judge when that changes.

Attempts stream from the store and verdicts into parts: memory does not depend on how many there are.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import tee
from pathlib import Path
from typing import Any

from gradus.engine.parts import write_part
from gradus.engine.records import JudgedAttempt
from gradus.engine.store import Store
from gradus.errors import DataError
from gradus.verifiers.base import SpecError, Verdict, find, version_of
from gradus.verifiers.pool import verify_all

FLUSH_S, FLUSH_RECORDS = 5.0, 10_000


def unjudged(store: Store) -> Iterator[dict[str, Any]]:
    """Yield the attempts that have no verdict of their verifier's present version; the store stays open meanwhile."""
    rows = store.stream("unjudged", _versions(store))
    yield from (row for row in rows if _version(row) not in (row["versions"] or ()))


def count_unjudged(store: Store) -> int:
    """Return how many attempts have no such verdict; those of composite verifiers all count."""
    return store.count("unjudged", _versions(store))


def _versions(store: Store) -> dict[str, list[str | None]]:
    """Return the verifiers of what was attempted, with their versions; None where those depend on the problem."""
    query = "SELECT DISTINCT verifier FROM problems SEMI JOIN attempts ON attempts.problem_id = problems.id"
    try:
        found = [find(row["verifier"]) for row in store.rows(query)]
    except SpecError as error:
        raise DataError(f"{error} Attempts at its problems cannot be judged without it.") from None
    versions = [one.version if isinstance(one.version, str) else None for one in found]
    return {"verifiers": [one.name for one in found], "versions": versions}


def judge(
    rows: Iterable[dict[str, Any]],
    parts: Path,
    *,
    run: str,
    workers: int,
    rank: int = 0,
    advance: Callable[[int], None] = lambda _: None,
) -> Counter[str]:
    """Judge the attempts, write the verdicts into parts under a rank, and count the outcomes."""
    outcomes: Counter[str] = Counter()
    waiting: list[JudgedAttempt] = []
    flushed = time.monotonic()
    rows, ahead = tee(rows)
    tasks = ((row["verifier"], row["answer"], json.loads(row["spec"])) for row in ahead)
    try:
        for row, verdict in zip(rows, verify_all(tasks, workers=workers), strict=True):
            waiting.append(_judged(row, verdict))
            outcomes[verdict.outcome] += 1
            advance(1)
            if time.monotonic() - flushed > FLUSH_S or len(waiting) >= FLUSH_RECORDS:
                write_part(parts, run, waiting, rank=rank)
                waiting, flushed = [], time.monotonic()
    finally:
        write_part(parts, run, waiting, rank=rank)
    return outcomes


def _version(row: dict[str, Any]) -> str:
    """Return the present version of the attempt's verifier."""
    return row["version"] or version_of(row["verifier"], json.loads(row["spec"]))


def _judged(row: dict[str, Any], verdict: Verdict) -> JudgedAttempt:
    return JudgedAttempt(
        attempt_id=row["id"],
        verifier=row["verifier"],
        version=_version(row),
        outcome=verdict.outcome,
        score=verdict.score,
        reason=verdict.reason,
        seconds=verdict.seconds,
    )
