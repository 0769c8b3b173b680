"""The demo's report: one HTML file with its plots inside, that opens without a network."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from matplotlib.figure import Figure

from gradus.api.run_plot import run_figure
from gradus.curricula.manifest import Manifest, shard_path
from gradus.curricula.report import stage_rows
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

WEB = Path(__file__).parent / "web"
COLOURS = {"math": "#3565c0", "code": "#c0603a", "instruction": "#3f9155", "stem": "#8a5bb5", "tool": "#888888"}


def write_report(workspace: Workspace, found: dict[str, Any], seconds: dict[str, float]) -> Path:
    """Write `report.html` into the workspace and return its path."""
    manifest: Manifest = found["curriculum"]["manifest"]
    sft, rl = found["train sft"]["history"], found["train rl"]["history"]
    figures = [
        ("Held-out pass rate, before and after training", _figure(_before_after, found)),
        ("Difficulty: problems by pass rate of the untrained model", _figure(_difficulty, found["score"]["histogram"])),
        ("Supervised training, by step", _image(run_figure(sft))),
        ("GSPO, by step; every step asks other problems", _image(run_figure(rl))),
        ("Lengths of the traces, by stage", _figure(_lengths, found["curriculum"]["path"], manifest)),
    ]
    with open_snapshot(workspace) as store:
        funnel = store.rows("FROM funnel")
        corrections = store.named("example_corrections")
    parts = [f"<section><h2>{html.escape(title)}</h2>{image}</section>" for title, image in figures]
    parts.append(f"<section><h2>Funnel</h2>{_table(funnel)}</section>")
    parts.append(f"<section><h2>Failed, then corrected</h2>{_table(corrections)}</section>")
    parts.append(f"<section><h2>Manifest {manifest.id[:12]}</h2>{_table(stage_rows(manifest))}</section>")
    times = [{"step": name, "seconds": f"{value:.0f}"} for name, value in seconds.items()]
    parts.append(f"<section><h2>Time</h2>{_table(times)}</section>")
    path = workspace.root / "report.html"
    path.write_text((WEB / "report.html").read_text().replace("<!-- sections -->", "\n".join(parts)))
    return path


def _figure(draw: Callable[..., None], *data: Any) -> str:
    """Draw on a fresh figure, and return that as an image inside the page."""
    figure = Figure(figsize=(7.5, 3.0), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    draw(axes, *data)
    return _image(figure)


def _image(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg")
    return f'<img alt="" src="data:image/svg+xml;base64,{base64.b64encode(buffer.getvalue()).decode()}">'


def _before_after(axes: Any, found: dict[str, Any]) -> None:
    for offset, name, rows, colour in (
        (-0.2, "before", found["sample"]["before"]["rates"], "#b9c3d6"),
        (0.2, "after", found["re-score"]["after"]["rates"], "#3565c0"),
    ):
        rates = [row["pass_at_1"] for row in rows]
        errors = [[r["pass_at_1"] - r["low"] for r in rows], [r["high"] - r["pass_at_1"] for r in rows]]
        places = [i + offset for i in range(len(rows))]
        axes.bar(places, rates, 0.38, yerr=errors, capsize=3, label=name, color=colour)
    axes.set_xticks(range(len(rows)), [row["domain"] for row in rows])
    axes.set(ylim=(0, 1), ylabel="pass@1, with 95% interval")
    axes.legend(frameon=False)


def _difficulty(axes: Any, rows: Sequence[dict[str, Any]]) -> None:
    bottom = [0] * 10
    for domain in sorted({row["domain"] for row in rows}):
        counts = {row["tenth"]: row["problems"] for row in rows if row["domain"] == domain}
        heights = [counts.get(tenth, 0) for tenth in range(10)]
        places = [0.05 + tenth / 10 for tenth in range(10)]
        axes.bar(places, heights, 0.09, bottom=bottom, label=domain, color=COLOURS[domain])
        bottom = [b + h for b, h in zip(bottom, heights, strict=True)]
    axes.set(xlim=(0, 1), xlabel="pass@1", ylabel="problems")
    axes.legend(frameon=False)


def _lengths(axes: Any, path: Path, manifest: Manifest) -> None:
    for stage in manifest.stages:
        tables = [pq.read_table(shard_path(path, shard), columns=["num_tokens"]) for shard in stage.shards]
        lengths = [n for table in tables for n in table["num_tokens"].to_pylist()]
        axes.hist(lengths, bins=20, alpha=0.7, label=f"{stage.name} (context {stage.context_length})")
    axes.set(xlabel="tokens", ylabel="traces")
    axes.legend(frameon=False)


def _table(rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "<p>none</p>"
    head = "".join(f"<th>{html.escape(name)}</th>" for name in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row.values()) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
