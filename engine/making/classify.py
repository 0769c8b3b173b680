"""Give every failed attempt its kind, once for each verdict and version of the rules."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradus.engine.making.kinds.base import WRONG, Failed, Kind, classifiers, kind_of
from gradus.engine.making.work import worked
from gradus.engine.parts import write_part
from gradus.engine.records import FailureKind
from gradus.engine.store import Store

RUN = "classify"


def classify(store: Store, parts: Path, *, workers: int, advance: Callable[[int], None] = lambda _: None) -> int:
    """Write the kinds of the failed attempts that have none by the present rules, and return how many there were."""
    total = 0
    for batch in worked(classified, store.stream("unclassified", _rules()), lost=_lost, workers=workers):
        write_part(parts, RUN, batch)
        total += len(batch)
        advance(len(batch))
    return total


def num_unclassified(store: Store) -> int:
    """Count the failed attempts without a kind for their newest verdict."""
    return store.count("unclassified", _rules())


def classified(row: dict[str, Any]) -> FailureKind:
    """Return the kind of one row of `unclassified.sql`."""
    failed = Failed(
        answer=row["answer"],
        outcome=row["outcome"],
        reason=row["reason"],
        finish_reason=row["finish_reason"],
        verifier=row["verifier"],
        spec=json.loads(row["spec"]),
        reasoning=json.loads(row["messages"])[-1].get("reasoning") or "",
    )
    return _record(row, kind_of(row["domain"], failed))


def _lost(row: dict[str, Any], reason: str) -> FailureKind:
    return _record(row, Kind((WRONG,), f"no kind could be found: {reason}"))


def _record(row: dict[str, Any], kind: Kind) -> FailureKind:
    return FailureKind(
        attempt_id=row["id"],
        version=classifiers[row["domain"]].version,
        verdict=row["verifier_version"],
        kinds=kind.names,
        detail=kind.detail,
    )


def _rules() -> dict[str, Any]:
    domains = classifiers.names()
    return {"domains": domains, "versions": [classifiers[domain].version for domain in domains]}
