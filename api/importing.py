"""Importing: others' problems and conversations into the workspace."""

from __future__ import annotations

from typing import Any

from gradus.api.progress import progress
from gradus.engine.exchange.layouts.base import Told, layouts
from gradus.engine.exchange.rows import Rows
from gradus.engine.exchange.take_in import KNOWN, Import, take_in
from gradus.engine.sources.base import importers
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def import_rows(workspace: Workspace, rows: Rows, form: str, told: Told) -> dict[str, Any]:
    """Store what is new of the rows, and return the counts."""
    if form not in formats():
        raise ConfigError(f"no format {form!r}. Known: {', '.join(formats())}.")
    with workspace.writing(), open_store(workspace) as store, progress("import", rows.total) as advance:
        return take_in(store, workspace.parts, Import(rows, form, told), advance=advance)


def formats() -> list[str]:
    """Return every format that can be imported."""
    return sorted([*importers.names(), *layouts.names()])


def summary(counts: dict[str, Any]) -> str:
    """Say the counts in a line, and a line for every reason to drop a row."""
    reasons = {kind: num for kind, num in counts["dropped"].items() if kind != KNOWN}
    added = f"{counts['problems']} problems" + (f" and {counts['traces']} traces" if counts["traces"] else "")
    lines = [f"{added} added, {counts['dropped'].get(KNOWN, 0)} were there already"]
    if reasons:
        lines[0] += f"; {sum(reasons.values())} of {counts['in']} rows dropped"
    return "\n".join([*lines, *(f"  {num:>8} {kind}" for kind, num in reasons.items())])
