"""What corrections need besides asking: the kinds of failures, whose they are, and what corrections come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gradus.api.asking import Asking
from gradus.api.progress import progress
from gradus.curricula.recipe import Recipe
from gradus.engine.answers import Feed
from gradus.engine.correct import Failure, corrections_done, failures, limited, plan_corrections
from gradus.engine.making import classify as classifying
from gradus.engine.making import revise as revising
from gradus.engine.records import HELDOUT
from gradus.engine.store import Store
from gradus.engine.teachers.base import TeacherConfig, teachers
from gradus.engine.workspace import Workspace
from gradus.errors import DataError


def classify(store: Store, workspace: Workspace, *, workers: int) -> int:
    """Give the failed attempts that have none their kinds; return how many there were."""
    with progress("classify", classifying.num_unclassified(store)) as advance:
        total = classifying.classify(store, workspace.parts, workers=workers, advance=advance)
    store.sync(workspace.parts)
    return total


def revise(store: Store, workspace: Workspace, *, workers: int) -> int:
    """Read the corrections that passed and have not been read; return how many there were."""
    with progress("revise", revising.num_unrevised(store)) as advance:
        total = revising.revise(store, workspace.parts, workers=workers, advance=advance)
    store.sync(workspace.parts)
    return total


def corrections_feed(asking: Asking, store: Store, model: str) -> tuple[list[Failure], int, Feed]:
    """Return the failures to be corrected, how many were set aside by their kind, and what is still to be asked."""
    config = asking.recipe.correct
    done = corrections_done(store, asking.model_id)
    every = failures(store, model, config.failures_per_problem)
    found = limited(every, config.most, done)
    asks = plan_corrections(found, config, done)
    return found, len(every) - len(found), asking.listed(store, asks, len(found) * config.tries)


def failing_model(store: Store, recipe: Recipe) -> str:
    """Return the id of the model whose failures are corrected; a finder must have made attempts."""
    if not (finder := recipe.correct.finder):
        return teachers["vllm"].identify(TeacherConfig(model=recipe.student))
    query = "SELECT DISTINCT model_id FROM attempts WHERE failed_attempt_id IS NULL ORDER BY ALL"
    known = [row["model_id"] for row in store.rows(query)]
    if finder in known:
        return finder
    name = teachers["vllm"].identify(TeacherConfig(model=finder)) if Path(finder).exists() else finder
    if name not in known:
        made = f"`gradus sample --recipe {recipe.name} teacher.model={finder}` makes some"
        raise DataError(
            f"correct.finder: no attempts of {finder!r}: {made}. Attempts are there of: {', '.join(known)}."
        )
    return name


def kinds(found: Sequence[Failure]) -> Counter[tuple[str, str]]:
    """Count failures by domain and kind."""
    return Counter((failure.problem.domain, failure.kind) for failure in found)


def correction_counts(store: Store, chosen: Counter[tuple[str, str]]) -> dict[str, Any]:
    """Return what became of all corrections, in all and by the kind of failure; chosen counts those to be corrected."""
    rows = {(row["domain"], row["kind"]): row for row in store.named("corrections")}
    by_kind = [
        {"domain": domain, "kind": kind, "failures": chosen[domain, kind]}
        | {name: rows.get((domain, kind), {}).get(name, 0) for name in ("corrections", "passed", "kept")}
        for domain, kind in sorted(chosen.keys() | rows.keys())
    ]
    total = {name: sum(row[name] for row in rows.values()) for name in ("corrections", "passed", "kept")}
    dropped = {row["reason"]: row["n"] for row in store.named("corrections_dropped")}
    return {"in": total["corrections"], **total, "dropped": dropped, "by_kind": by_kind}


def clusters(store: Store, *, model: str | None, domain: str | None, num_examples: int) -> list[dict[str, Any]]:
    """Return the failures by domain, kind and model, each with a few examples; held-out problems are left out."""
    parameters = {"model": model, "domain": domain, "heldout": HELDOUT}
    found = store.named("failure_clusters", parameters)
    examples = store.named("failure_examples", parameters | {"num": num_examples})
    for row in found:
        key = {name: row[name] for name in ("domain", "kind", "model")}
        row["examples"] = [
            {name: value for name, value in example.items() if name not in key}
            for example in examples
            if key.items() <= example.items()
        ]
    return found
