"""The comparison of teachers as a picture: a panel a metric, a row a teacher and domain, with 95% intervals."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from gradus.api.pictures import save_picture
from gradus.api.report import COLOURS
from gradus.engine.compatibility.panel import Panel

TITLES = {
    "rsr": "rank-surprisal ratio\n(lower is better)",
    "local_nll": "local NLL, nats\n(lower is better)",
    "nll": "mean NLL, nats\n(decides nothing)",
    "tokens": "tokens a trace",
    "style": "style distance, bits\n(|: within the student)",
}


def write_plot(panels: Sequence[Panel], path: Path) -> None:
    """Write the picture; the name's ending says the format."""
    rows = [panel.row() for panel in panels]
    figure = Figure(figsize=(14, 1.6 + 0.32 * len(rows)), layout="constrained")
    columns = figure.subplots(1, len(TITLES), sharey=True, squeeze=False)[0]
    for axes, (metric, title) in zip(columns, TITLES.items(), strict=True):
        axes.set_title(title, fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
        _draw(axes, rows, metric)
    columns[0].set_yticks(range(len(rows)), [_label(row) for row in rows], fontsize=8)
    columns[0].invert_yaxis()
    save_picture(figure, path)


def _draw(axes: Any, rows: Sequence[dict[str, Any]], metric: str) -> None:
    for place, row in enumerate(rows):
        if row[metric] is None:
            continue
        colour = COLOURS.get(row["domain"], "#888888")
        if row[f"{metric}_low"] is not None:
            axes.plot([row[f"{metric}_low"], row[f"{metric}_high"]], [place, place], color=colour, linewidth=1.5)
        axes.plot(row[metric], place, "o", color=colour, markersize=5, fillstyle="none" if row["own"] else "full")
        if metric == "style":
            axes.plot(row["style_floor"], place, "|", color="#444444", markersize=10)
    axes.set_xlim(0, 1.08 * axes.get_xlim()[1])


def _label(row: dict[str, Any]) -> str:
    return f"{row['domain']}: {row['teacher']}{' (the student)' if row['own'] else ''}, {row['problems']} problems"
