"""What a run measured as a picture: a panel for each thing, by step, with the beginnings of stages marked.

Points are steps, lines the mean of the last few, since steps see different batches. Held-out figures are not smoothed;
the pass rate has Wilson's 95% interval, with n the number of problems, for answers to one problem are not independent.
Crosses are steps that the guard did not take, or not all of.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from statistics import mean
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from gradus.api.pictures import save_picture
from gradus.engine.varying.skills import wilson
from gradus.errors import DataError

PANELS = {
    "loss, nats a token": ("loss", "eval_loss"),
    "reward": ("reward",),
    "pass rate of held-out problems": ("eval_pass_rate",),
    "learning rate": ("lr",),
    "norm of the gradient": ("grad_norm",),
    "tokens a second": ("tokens_per_s",),
    "share of the device's peak (MFU)": ("mfu",),
    "memory, GiB": ("memory_gib",),
    "share of ratios clipped": ("clip_fraction",),
    "entropy, nats": ("entropy",),
    "greatest attention logit": ("max_logit",),
}
COLOURS = ("#3565c0", "#c0603a")
SHARES = ("eval_pass_rate", "mfu", "clip_fraction")
EXACT = ("lr", "memory_gib")
"""What does not differ from batch to batch: drawn as it is, not smoothed."""
ACROSS = 2
PARTS = 50
"""A line smooths over this part of the steps, and over LEAST of them at least."""
LEAST = 4

Rows = Sequence[dict[str, Any]]


def write_run(rows: Rows, target: Path, *, title: str) -> None:
    """Write the picture; the name's ending says the format."""
    figure = run_figure(rows)
    figure.suptitle(title)
    save_picture(figure, target)


def run_figure(rows: Rows) -> Figure:
    """Draw a panel for everything that any step measured."""
    shown = {title: names for title, names in PANELS.items() if any(_points(rows, name) for name in names)}
    if not shown:
        raise DataError("nothing was measured yet; the first step is not over")
    down = -(-len(shown) // ACROSS)
    figure = Figure(figsize=(11, 0.5 + 2.4 * down), layout="constrained")
    panels = figure.subplots(down, ACROSS, squeeze=False).flatten()
    for axes, (title, names) in zip(panels, shown.items(), strict=False):
        _panel(axes, rows, names)
        axes.set_title(title, fontsize=10)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    return figure


def _panel(axes: Any, rows: Rows, names: Sequence[str]) -> None:
    measured = [(name, colour, _points(rows, name)) for name, colour in zip(names, COLOURS, strict=False)]
    drawn = [one for one in measured if one[2]]
    for name, colour, points in drawn:
        draw = _heldout if name.startswith("eval_") else _steps
        draw(axes, rows, points, label=name, color=colour)
    _stages(axes, rows)
    axes.spines[["top", "right"]].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if names[0] in SHARES:
        axes.yaxis.set_major_formatter(PercentFormatter(1))
    if len(drawn) > 1:
        axes.legend(frameon=False, fontsize=8)


def _points(rows: Rows, name: str) -> list[tuple[int, float]]:
    return [(row["step"], row[name]) for row in rows if row.get(name) is not None]


def _steps(axes: Any, rows: Rows, points: Sequence[tuple[int, float]], *, label: str, color: str) -> None:
    passed_over = {row["step"] for row in rows if row.get("guard") or row.get("skipped")}
    taken = [point for point in points if point[0] not in passed_over]
    steps, values = [step for step, _ in taken], [value for _, value in taken]
    axes.plot(steps, values, "o", markersize=2, alpha=0.4, color=color)
    width = 1 if label in EXACT else max(LEAST, len(values) // PARTS)
    smooth = [mean(values[max(0, i - width + 1) : i + 1]) for i in range(len(values))]
    axes.plot(steps, smooth, label=label, color=color)
    crosses = [point for point in points if point[0] in passed_over]
    axes.plot([step for step, _ in crosses], [value for _, value in crosses], "x", color="#b00020")


def _heldout(axes: Any, rows: Rows, points: Sequence[tuple[int, float]], *, label: str, color: str) -> None:
    steps, values = [step for step, _ in points], [value for _, value in points]
    axes.plot(steps, values, "o-", markersize=4, label=label, color=color)
    if label == "eval_pass_rate":
        counts = {row["step"]: row["eval_problems"] for row in rows if label in row}
        bounds = [wilson(rate * counts[step], counts[step]) for step, rate in points]
        axes.fill_between(steps, [low for low, _ in bounds], [high for _, high in bounds], alpha=0.15, color=color)


def _stages(axes: Any, rows: Rows) -> None:
    staged = [row for row in rows if row.get("stage")]
    for before, after in pairwise(staged):
        if before["stage"] != after["stage"]:
            axes.axvline(after["step"] - 0.5, color="#888888", linestyle=":")
            told = {"va": "top", "color": "#777777", "fontsize": 8, "transform": axes.get_xaxis_transform()}
            axes.text(after["step"] - 0.4, 1, after["stage"], **told)
