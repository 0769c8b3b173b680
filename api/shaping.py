"""Make traces of what passed, measure them, and leave out those beyond the recipe's limits."""

from __future__ import annotations

from typing import Any

from gradus.api.progress import progress
from gradus.engine.making.shape import measure, num_unshaped
from gradus.engine.store import Store, open_store
from gradus.engine.traces import TraceConfig, reject, write_traces
from gradus.engine.workspace import Workspace


def shape_traces(workspace: Workspace, config: TraceConfig, *, workers: int) -> dict[str, Any]:
    """Make and measure traces; return the counts, and a row of statistics for every domain, kind, style and teacher."""
    with workspace.writing(), open_store(workspace) as store:
        counts = make_traces(store, workspace, config, workers=workers)
        return counts | {"shapes": store.rows("FROM trace_shapes ORDER BY ALL")}


def make_traces(store: Store, workspace: Workspace, config: TraceConfig, *, workers: int) -> dict[str, Any]:
    """Write the traces that are not there, measure what is not measured, and drop what is beyond the limits."""
    new = write_traces(store, workspace.parts, config)
    store.sync(workspace.parts)
    with progress("traces", num_unshaped(store)) as advance:
        measured = measure(store, workspace.parts, workers=workers, advance=advance)
    store.sync(workspace.parts)
    counts = reject(store, workspace.parts, config)
    store.sync(workspace.parts)
    return counts | {"new": new, "measured": measured}
