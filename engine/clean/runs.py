"""The runs of a cleaning step, and how to take one back.

Parts are never changed. A run writes its drops under `<step>/<number>` and a drop without a record that says that it
was made; the view `dropped` shows the newest run of each step. So a run that drops nothing restores everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from gradus.engine.parts import write_part
from gradus.engine.records import Drop
from gradus.engine.store import Store


def record_run(store: Store, parts: Path, step: str, reasons: Mapping[str, str]) -> bool:
    """Write a run of the step, unless its newest run says the same; return whether one was written."""
    query = "SELECT record_id, reason FROM dropped WHERE step = $step"
    if {row["record_id"]: row["reason"] for row in store.rows(query, {"step": step})} == dict(reasons):
        return False
    name = f"{step}/{_last_run(store, step) + 1}"
    drops = [Drop(record_id=record, step=name, reason=reason) for record, reason in sorted(reasons.items())]
    write_part(parts, step.replace(" ", "-"), [Drop(record_id="", step=name, reason="run"), *drops])
    return True


def reason_kinds(reasons: Mapping[str, str]) -> dict[str, int]:
    """Count the reasons by what stands before their colon."""
    return dict(sorted(Counter(reason.partition(":")[0] for reason in reasons.values()).items()))


def _last_run(store: Store, step: str) -> int:
    query = "SELECT max(regexp_extract(step, '/([0-9]+)$', 1)::INTEGER) AS run FROM drops WHERE step ^@ $prefix"
    return int(store.rows(query, {"prefix": f"{step}/"})[0]["run"] or 0)
