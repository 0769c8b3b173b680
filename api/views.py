"""What the page shows: aggregates of the newest snapshot, and a problem or trace with all that belongs to it.

Over a million problems some aggregates take seconds. A snapshot never changes, so they are kept until another is
published; of several who ask for the same at once, one computes and the others wait.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from gradus.api.snapshots import Snapshots
from gradus.curricula.find import find_manifest, list_manifests
from gradus.curricula.lengths import stage_lengths
from gradus.curricula.manifest import Manifest, read, shard_path
from gradus.engine.store import Store
from gradus.engine.workspace import Workspace

Row = dict[str, Any]
KEPT = 64
MAX_ATTEMPTS = 200

_answers: OrderedDict[tuple[str, str, str], tuple[Lock, list[Any]]] = OrderedDict()
_guard = Lock()


def once(workspace: Workspace, snapshots: Snapshots, name: str, compute: Callable[[Store], Any] | None = None) -> Any:
    """Return what compute says of the newest snapshot, or the rows of the query of that name; computed once."""
    with snapshots.read() as snapshot:
        with _guard:
            key = (str(workspace.root), snapshot.version, name)
            lock, answer = _answers.setdefault(key, (Lock(), []))
            _answers.move_to_end(key)
            while len(_answers) > KEPT:
                _answers.popitem(last=False)
        with lock:
            if not answer:
                answer.append(compute(snapshot.store) if compute else snapshot.store.named(name))
            return answer[0]


def rates(workspace: Workspace, snapshots: Snapshots, manifest: str | None) -> list[Row]:
    """Return pass rates by domain and model: of all problems (stage is empty), and of each stage of a manifest."""
    rows: list[Row] = once(workspace, snapshots, "view_rates")
    path = _manifest(workspace, manifest)
    if path is None:
        return rows
    files = _stage_files(path, read(path))
    named = {"stages": [stage for stage, _ in files], "paths": [str(file) for _, file in files]}
    by_stage: list[Row] = once(workspace, snapshots, f"rates {path.stem}", lambda s: s.named("view_stage_rates", named))
    order = list(dict.fromkeys(named["stages"]))
    return rows + sorted(by_stage, key=lambda row: order.index(row["stage"]))


def lengths(workspace: Workspace, snapshots: Snapshots, manifest: str | None) -> Row:
    """Return lengths and packing of each stage of a manifest, and the lengths of answers by model."""
    path = _manifest(workspace, manifest)
    stages = (
        once(workspace, snapshots, f"lengths {path.stem}", lambda _: stage_lengths(path, read(path))) if path else []
    )
    return {
        "manifest": path and path.stem,
        "stages": stages,
        "answers": once(workspace, snapshots, "view_answer_lengths"),
    }


def problem(store: Store, id: str) -> Row | None:
    """Return what belongs to a problem: attempts with verdicts, traces, variants, and what was said of it."""
    row = _one(store, "problems", id)
    if row is None:
        return None
    attempts = _attempts(store, id, row["verifier"])[:MAX_ATTEMPTS]
    traces = store.rows_of("traces", "problem_id", [id])
    made = store.rows("SELECT id, prompt FROM problems WHERE list_contains(parents, $id) LIMIT 20", {"id": id})
    named = [{key: trace[key] for key in ("id", "kind", "teacher", "failed_attempt_id")} for trace in traces]
    return {"attempts": attempts, "traces": named, "children": made} | _said_of(store, id)


def trace(store: Store, id: str) -> Row | None:
    """Return a trace with its problem, the attempt that it is made of, the failed one beside it, and verdicts."""
    row = _one(store, "traces", id)
    if row is None:
        return None
    problem = _one(store, "problems", row["problem_id"])
    attempts = _attempts(store, problem["id"], problem["verifier"]) if problem else []
    by_id = {attempt["id"]: attempt for attempt in attempts}
    attempt, failed = by_id.get(row["attempt_id"]), by_id.get(row["failed_attempt_id"])
    revised = store.named("view_trace", {"attempt": row["attempt_id"], "failed": row["failed_attempt_id"]})
    return {
        "trace": row | {"messages": json.loads(row["messages"])},
        "problem": problem and problem | {"spec": json.loads(problem["spec"])},
        "attempt": attempt,
        "failed": failed,
        "revision": revised[0] if revised else None,
        "corrected": _corrected(attempt, failed, revised[0] if revised else None),
    } | _said_of(store, id)


def _corrected(attempt: Row | None, failed: Row | None, revision: Row | None) -> str | None:
    """Return the whole answer that a correction comes to: what it keeps of the failed one, and what it says instead."""
    if attempt is None or failed is None:
        return None
    return failed["answer"][: revision["kept"]] + revision["text"] if revision else attempt["answer"]


def _one(store: Store, table: str, id: str) -> Row | None:
    rows = store.rows_of(table, "id", [id])
    return rows[0] if rows else None


def _attempts(store: Store, problem_id: str, verifier: str) -> list[Row]:
    places = store.places("attempts", "problem_id", [problem_id])
    return store.named("view_attempts", {"places": places, "verifier": verifier})


def _said_of(store: Store, id: str) -> Row:
    curated = store.named("view_curated", {"id": id})
    state = curated[0] if curated else {"excluded": False, "weight": 1.0, "labels": []}
    return {"said": store.named("view_said_of", {"id": id}), "curated": state}


def _manifest(workspace: Workspace, name: str | None) -> Path | None:
    """Return the manifest of that name; without one the newest, if there is any."""
    if name is None and not list_manifests(workspace):
        return None
    return find_manifest(workspace, name or "latest")


def _stage_files(path: Path, manifest: Manifest) -> list[tuple[str, Path]]:
    files = [(stage.name, shard_path(path, shard)) for stage in manifest.stages for shard in stage.shards]
    return files + ([("rl", shard_path(path, manifest.rl.problems))] if manifest.rl else [])
