"""Write the records of a workspace for others: Parquet, JSON lines, or a folder that `datasets` loads, with its card.

All or nothing: the folder appears when it is complete (`folder.py`). One pass in constant memory. Held-out problems,
and what was said about them, go into a split of their own; with a manifest, every stage is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gradus.engine.exchange.memory import READING_MB, limit_memory, row_bytes
from gradus.engine.export.card import Facts, write_card
from gradus.engine.export.census import Census
from gradus.engine.export.files import Files
from gradus.engine.export.folder import replacing, write_mark, write_text
from gradus.engine.export.plots import write_plots
from gradus.engine.export.tables import COLUMNS, Row, read_chosen, read_rows
from gradus.engine.store import Store, open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import DataError

NOT_CHOSEN = "not in the manifest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The records that a manifest names: by split, their ids in order, a few thousand at a time."""

    manifest: str
    ids: Iterable[tuple[str, list[str]]]


def export(workspace: Workspace, folder: Path, *, what: str, form: str, chosen: Chosen | None = None) -> dict[str, Any]:
    """Write the folder and return the counts; DataError if there is nothing to write."""
    with open_snapshot(workspace) as store:
        limit_memory(store, READING_MB, row_bytes((workspace.parts / what).rglob("[0-9]*.parquet")))
        return _export(store, folder, what=what, form=form, chosen=chosen)


def _export(store: Store, folder: Path, *, what: str, form: str, chosen: Chosen | None) -> dict[str, Any]:
    rows = read_chosen(store, what, chosen.ids) if chosen else read_rows(store, what)
    with replacing(folder) as part:
        census, dropped, paths = _write(rows, part, what, form)
        if not census.num_rows:
            raise DataError(f"there are no {what} to export" + (": all were dropped" if dropped else ""))
        counts = _counts(store, what, census, dropped)
        manifest = chosen.manifest if chosen else ""
        if form == "datasets":
            facts = Facts(name=folder.name, what=what, manifest=manifest, version=store.version, counts=counts)
            facts = replace(facts, plots=write_plots(part, store, census))
            write_text(part / "README.md", write_card(store, census, facts))
        write_mark(part, {"what": what, "format": form, "manifest": manifest, "store": store.version} | counts)
    return counts | {"splits": {split: len(files) for split, files in paths.items()}}


def _write(
    batches: Iterator[list[Row]], part: Path, what: str, form: str
) -> tuple[Census, Counter[str], dict[str, list[Path]]]:
    census, dropped = Census(what), Counter[str]()
    files: dict[str, Files] = {}
    folder = part / "data" if form == "datasets" else part
    folder.mkdir(exist_ok=True)
    for batch in batches:
        dropped.update(row["dropped"] for row in batch if row["dropped"])
        kept = [row for row in batch if not row["dropped"]]
        for split in dict.fromkeys(row["split"] for row in kept):
            rows = [row for row in kept if row["split"] == split]
            if split not in files:
                files[split] = Files(folder, split, form, COLUMNS[what])
            files[split].write(rows)
            for row in rows:
                census.add(row)
    for file in files.values():
        file.close()
    return census, dropped, {split: file.paths for split, file in files.items()}


def _counts(store: Store, what: str, census: Census, dropped: Counter[str]) -> dict[str, Any]:
    total = int(store.rows(f"SELECT count(*) AS n FROM {what}")[0]["n"])
    if rest := total - census.num_rows - sum(dropped.values()):
        dropped[NOT_CHOSEN] = rest
    return {"in": total, "kept": census.num_rows, "dropped": dict(sorted(dropped.items()))}
