"""Curation: what people say of problems and traces. Nothing is changed or deleted; what is said last counts.

`exclude` leaves a record out of everything that comes after, a problem's traces with it; `restore` takes that back.
`weight` says how often a trace is drawn into a curriculum, a problem's weight that of all its traces: 2 twice, 0.5
every other one. `label` notes a name, for filters and SQL; `restore` with that name takes it away.

A label is on disk when `curate` returns, also while another process writes the workspace; then it shows in queries once
that process publishes. Not covered: attempts and verdicts, which only follow their problem.
"""

from __future__ import annotations

import fcntl
import math
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, Literal

from gradus.engine.parts import write_part
from gradus.engine.records import Label
from gradus.engine.store import Store, open_snapshot, open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError, WorkspaceError

Kind = Literal["problem", "trace"]
Action = Literal["label", "exclude", "restore", "weight"]
ACTIONS: tuple[Action, ...] = ("label", "exclude", "restore", "weight")
RUN = "curate"
SHORTEST = 6
"""Characters of an id's start that stand for it."""
MAX_WEIGHT = 100.0
AS_IT_WAS = "as it was already"
_turn = Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What is said, by whom and why."""

    action: Action
    value: str = ""
    actor: str
    reason: str

    def __post_init__(self) -> None:
        if self.action not in ACTIONS:
            raise ConfigError(f"no action {self.action!r}; there are: {', '.join(ACTIONS)}")
        for name in ("actor", "reason"):
            if not getattr(self, name).strip():
                raise ConfigError(f"{self.action} needs a {name}: others will ask")
        if self.action == "label" and not self.value.strip():
            raise ConfigError("label needs a value: the label's name")
        if self.action == "exclude" and self.value:
            raise ConfigError(f"exclude takes no value, as {self.value!r}; the reason says why")
        if self.action == "weight" and not 0 <= _number(self.value) <= MAX_WEIGHT:
            raise ConfigError(f"weight must be a number from 0 to {MAX_WEIGHT:g}, not {self.value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions that a record meets, all of them; None: any. Rates are pass@1 of some model, or of `model`."""

    domain: str | None = None
    source: str | None = None
    tag: str | None = None
    text: str | None = None
    """Stands in the prompt, or in what the trace's messages say; small and capital letters are the same."""
    trace_kind: Literal["cot", "correction", "imported"] | None = None
    """Of a problem: it has such a trace."""
    teacher: str | None = None
    label: str | None = None
    model: str | None = None
    min_rate: float | None = None
    max_rate: float | None = None


def matching(workspace: Workspace, kind: Kind, conditions: Filter) -> list[str]:
    """Return the ids of the problems or traces that meet the conditions; at least one has to be given."""
    given = asdict(conditions)
    if all(value is None for value in given.values()):
        raise ConfigError(f"a filter without conditions means every {kind}; name one of {', '.join(given)}")
    with open_snapshot(workspace) as store:
        return [row["id"] for row in store.named(f"curate_{kind}", given)]


def curate(workspace: Workspace, ids: Sequence[str], said: Said, *, kind: Kind | None = None) -> dict[str, Any]:
    """Say something of records by their ids, or starts of ids; one that is not there, or not of kind, refuses all."""
    with open_snapshot(workspace) as store:
        kinds = _find(store, ids, kind)
        present = {row["record_id"]: row for row in store.rows("FROM curated WHERE list_contains($ids, record_id)",
                                                              {"ids": list(kinds)})}  # fmt: skip
    new = {record: kind for record, kind in kinds.items() if _changes(said, present.get(record))}
    part = _write(workspace, new, said) if new else None
    dropped = {AS_IT_WAS: len(kinds) - len(new)} if len(new) < len(kinds) else {}
    visible = part is None or _publish(workspace, part)
    return {"in": len(kinds), "kept": len(new), "dropped": dropped, "visible": visible}


def _find(store: Store, ids: Sequence[str], wanted: Kind | None) -> dict[str, Kind]:
    """Return the records that ids or starts of ids stand for, each with its kind."""
    where = "WHERE list_contains($ids, id)"
    query = f"SELECT id, 'problem' AS kind FROM problems {where} UNION ALL SELECT id, 'trace' FROM traces {where}"
    found: dict[str, Kind] = {row["id"]: row["kind"] for row in store.rows(query, {"ids": list(ids)})}
    for start in dict.fromkeys(one for one in ids if one not in found):
        starts = query.replace(where, "WHERE starts_with(id, $start)")
        rows = store.rows(starts, {"start": start}) if len(start) >= SHORTEST else []
        if len(rows) != 1:
            how_many = "more than one" if rows else "no"
            raise DataError(f"{how_many} problem or trace has an id that starts with {start!r}; nothing was changed")
        found[rows[0]["id"]] = rows[0]["kind"]
    if other := [record for record, kind in found.items() if wanted not in (None, kind)]:
        raise DataError(f"{other[0]} is no {wanted}; nothing was changed")
    return found


def _changes(said: Said, present: dict[str, Any] | None) -> bool:
    """Say whether the record's state would be another one."""
    state = present or {"excluded": False, "weight": 1.0, "labels": []}
    if said.action == "weight":
        return bool(state["weight"] != _number(said.value))
    if said.action == "label" or said.value:
        return bool((said.value in state["labels"]) != (said.action == "label"))
    return bool(state["excluded"] != (said.action == "exclude"))


def _write(workspace: Workspace, records: dict[str, Kind], said: Said) -> Path | None:
    with _alone(workspace):
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        labels = [Label(record_id=record, kind=kind, at=at, **asdict(said)) for record, kind in records.items()]
        return write_part(workspace.parts, RUN, labels)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    """Hold other curators off for the moment that a part takes; other writers of the workspace are not held off."""
    with (workspace.root / ".labels.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _publish(workspace: Workspace, part: Path) -> bool:
    """Take the part in and publish a snapshot; False where somebody else writes, who will do that."""
    with _turn:  # many at once: the first who gets here publishes for those who wait
        with open_snapshot(workspace) as store:
            name = str(part.relative_to(workspace.parts))
            if store.rows("FROM ingested WHERE part = $part", {"part": name}):
                return True
        with ExitStack() as stack:
            try:
                stack.enter_context(workspace.writing())
            except WorkspaceError:
                return False
            with open_store(workspace):
                return True


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
