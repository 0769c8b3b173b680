"""Give every attempt its verdict, under the verifier's present version; re-judge when that changes."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradus.engine.parts import write_part
from gradus.engine.records import JudgedAttempt
from gradus.engine.store import Store
from gradus.errors import DataError
from gradus.verifiers.base import SpecError, Verdict, version_of
from gradus.verifiers.pool import verify_all

FLUSH_S = 5.0


def unjudged(store: Store) -> list[dict[str, Any]]:
    """Return the attempts that have no verdict of their verifier's present version."""
    rows = store.named("unjudged")
    return [row for row in rows if _version(row) not in (row["versions"] or ())]


def judge(
    rows: list[dict[str, Any]], parts: Path, *, run: str, workers: int, advance: Callable[[int], None] = lambda _: None
) -> Counter[str]:
    """Judge the attempts, write the verdicts into parts, and count the outcomes."""
    outcomes: Counter[str] = Counter()
    waiting: list[JudgedAttempt] = []
    flushed = time.monotonic()
    tasks = ((row["verifier"], row["answer"], json.loads(row["spec"])) for row in rows)
    try:
        for row, verdict in zip(rows, verify_all(tasks, workers=workers), strict=True):
            waiting.append(_judged(row, verdict))
            outcomes[verdict.outcome] += 1
            advance(1)
            if time.monotonic() - flushed > FLUSH_S:
                write_part(parts, run, waiting)
                waiting, flushed = [], time.monotonic()
    finally:
        write_part(parts, run, waiting)
    return outcomes


def _version(row: dict[str, Any]) -> str:
    """Return the present version of the attempt's verifier."""
    try:
        return version_of(row["verifier"], json.loads(row["spec"]))
    except SpecError as error:
        raise DataError(f"{error} Attempts at its problems cannot be judged without it.") from None


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
