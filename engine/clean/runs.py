"""The runs of a cleaning step, and how to take one back.

Parts are never changed. A run writes its drops under `<step>/<number>` and a drop without a record that marks it, and
says how many records it looked at; the view `dropped` shows the newest run of each step, `cleaning_runs` what was
looked at. So a run that drops nothing restores everything, and can be told from a step that was never run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gradus.engine.parts import write_part
from gradus.engine.records import Drop
from gradus.engine.store import Store

TAKEN_BACK = "taken back"


def record_run(store: Store, parts: Path, step: str, reasons: Mapping[str, str], *, looked_at: int) -> bool:
    """Write a run of the step, unless its newest run says the same; return whether one was written."""
    return _write(store, parts, step, reasons, f"looked at {looked_at}")


def take_back(store: Store, parts: Path, step: str) -> int:
    """Restore what the newest run of a step dropped, and forget that it was run; return how many records that is."""
    run, mark = _newest(store, step)
    num = len(_reasons(store, step))
    if num or (run and mark != TAKEN_BACK):
        _write(store, parts, step, {}, TAKEN_BACK)
    return num


def reason_kinds(reasons: Mapping[str, str]) -> dict[str, int]:
    """Count the reasons by what stands before their colon."""
    return dict(sorted(Counter(reason.partition(":")[0] for reason in reasons.values()).items()))


def _write(store: Store, parts: Path, step: str, reasons: Mapping[str, str], mark: str) -> bool:
    run, newest = _newest(store, step)
    if newest == mark and _reasons(store, step) == dict(reasons):
        return False
    name = f"{step}/{run + 1}"
    drops = [Drop(record_id=record, step=name, reason=reason) for record, reason in sorted(reasons.items())]
    write_part(parts, step.replace(" ", "-"), [Drop(record_id="", step=name, reason=mark), *drops])
    return True


def _reasons(store: Store, step: str) -> dict[str, str]:
    query = "SELECT record_id, reason FROM dropped WHERE step = $step"
    return {row["record_id"]: row["reason"] for row in store.rows(query, {"step": step})}


def _newest(store: Store, step: str) -> tuple[int, str]:
    """Return number and mark of the newest run; 0 and nothing if there is none."""
    query = (
        "SELECT regexp_extract(step, '/([0-9]+)$', 1)::INTEGER AS run, reason FROM drops "
        "WHERE record_id = '' AND regexp_replace(step, '/[0-9]+$', '') = $step ORDER BY run DESC LIMIT 1"
    )
    rows = store.rows(query, {"step": step})
    return (int(rows[0]["run"]), rows[0]["reason"]) if rows else (0, "")
