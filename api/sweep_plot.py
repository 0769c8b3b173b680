"""A sweep as a picture: what each trial's loss was as tokens went by, and where it ended along an axis."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gradus.api.pictures import save_picture
from gradus.api.runs import read_metrics
from gradus.api.sweep import Sweep, Tried

SMOOTH = 20
"""A training loss is drawn as its mean over this share of a trial's steps."""


def write_plot(found: Sweep, path: Path, *, by_heldout: bool) -> None:
    """Write the picture; the name's ending says the format."""
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    curves, ends = figure.subplots(1, 2)
    colours = [f"C{number % 10}" for number in range(len(found.tried))]
    for one, colour in zip(found.tried, colours, strict=True):
        tokens, losses = _curve(one, by_heldout=by_heldout)
        width = 1.0 + (one.rung == found.num_rungs)
        curves.plot(tokens, losses, color=colour, linewidth=width, label=str(one.trial))
    name = "loss on held-out traces" if by_heldout else "training loss"
    curves.set(title=f"{len(found.tried)} trials in {found.num_rungs} rungs", xlabel="tokens", ylabel=name)
    curves.legend(fontsize=7, framealpha=0.85)
    _ends(ends, found, colours, name)
    for axes in (curves, ends):
        axes.spines[["top", "right"]].set_visible(False)
    save_picture(figure, path)


def _curve(one: Tried, *, by_heldout: bool) -> tuple[list[float], list[float]]:
    rows = [row for row in read_metrics(one.run.folder) if 1 <= row["step"] <= one.step]
    tokens, key = np.cumsum([row["tokens"] for row in rows]), "eval_loss" if by_heldout else "loss"
    points = [(at, row[key]) for at, row in zip(tokens, rows, strict=True) if row.get(key) is not None]
    if not points:
        return [], []
    x, y = np.array(points).T
    window = 1 if by_heldout else max(1, len(y) // SMOOTH)
    return list(x[window - 1 :]), list(np.convolve(y, np.ones(window) / window, mode="valid"))


def _ends(axes: Any, found: Sweep, colours: list[str], name: str) -> None:
    """Draw where trials ended along the first axis; hollow: ended early, after fewer tokens."""
    key = next(iter(found.tried[0].trial.settings), "")
    words = [one.trial.settings.get(key, "") for one in found.tried]
    places, is_number = _places(words)
    for one, x, colour in zip(found.tried, places, colours, strict=True):
        if np.isfinite(one.loss):
            axes.plot(x, one.loss, "o", color=colour, fillstyle="full" if one.rung == found.num_rungs else "none")
    axes.set(title="at the end; hollow: ended early", xlabel=key, ylabel=name)
    if not is_number:
        axes.set_xticks(places, words, fontsize=8)
    elif min(places) > 0 and max(places) > 5 * min(places):
        axes.set_xscale("log")


def _places(words: list[str]) -> tuple[list[float], bool]:
    """Return where values lie on their axis: as numbers if they are."""
    try:
        return [float(word) for word in words], True
    except ValueError:
        order = list(dict.fromkeys(words))
        return [float(order.index(word)) for word in words], False
