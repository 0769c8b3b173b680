"""The card's plots, as PNG: lengths by domain, and difficulty by domain where there is any."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from gradus.engine.export.census import BINS_A_DOUBLING, Census
from gradus.engine.store import Store


def write_plots(folder: Path, store: Store, census: Census) -> tuple[str, ...]:
    """Draw into `<folder>/plots`; return the paths within folder."""
    from matplotlib.figure import Figure  # takes half a second

    drawings: dict[str, Callable[[Any], None]] = {"lengths": partial(_lengths, census=census)}
    histogram = store.named("histogram")
    for number, model in enumerate(sorted({row["model_id"] for row in histogram}), 1):
        rows = [row for row in histogram if row["model_id"] == model]
        drawings[f"difficulty-{number}"] = partial(_difficulty, rows=rows, model=model)
    (folder / "plots").mkdir()
    for name, draw in drawings.items():
        figure = Figure(figsize=(7.5, 3.0), layout="constrained", dpi=120)
        axes = figure.subplots()
        axes.spines[["top", "right"]].set_visible(False)
        draw(axes)
        axes.legend(frameon=False)
        figure.savefig(folder / "plots" / f"{name}.png", metadata={"Software": None})
    return tuple(f"plots/{name}.png" for name in drawings)


def _lengths(axes: Any, *, census: Census) -> None:
    for domain, counts in sorted(census.lengths.items()):
        places = range(min(counts), max(counts) + 2)
        edges = [2 ** (place / BINS_A_DOUBLING) for place in places]
        axes.stairs([counts[place] for place in places[:-1]], edges, label=domain, linewidth=1.5)
    axes.set(xscale="log", xlabel="characters", ylabel="rows")


def _difficulty(axes: Any, *, rows: list[dict[str, Any]], model: str) -> None:
    bottom = [0] * 10
    for domain in sorted({row["domain"] for row in rows}):
        counts = {row["tenth"]: row["problems"] for row in rows if row["domain"] == domain}
        heights = [counts.get(tenth, 0) for tenth in range(10)]
        axes.bar([0.05 + tenth / 10 for tenth in range(10)], heights, 0.09, bottom=bottom, label=domain)
        bottom = [below + height for below, height in zip(bottom, heights, strict=True)]
    axes.set(xlim=(0, 1), xlabel="pass@1", ylabel="problems", title=model)
