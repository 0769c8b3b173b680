"""Drift as a picture: for each domain, from band to band as a heat map, and the mean changes of pass@1 by band."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gradus.api.pictures import save_picture
from gradus.curricula.drift import DomainDrift, Drift

LIGHT = 1.8
"""The shade of the whole, beyond all shares: counts stay legible."""


def write_plot(found: Drift, path: Path) -> None:
    """Write the picture as PNG or SVG."""
    num = max(1, len(found.domains))
    figure = Figure(figsize=(3.6 * num + 0.8, 6.4), layout="constrained")
    figure.suptitle(f"{found.a} → {found.b}", fontsize=10)
    above, below = figure.subplots(2, num, squeeze=False, sharex="row")
    for axes, domain in zip(above, found.domains, strict=False):
        _moves(axes, domain, found.bands)
    for axes, domain in zip(below, found.domains, strict=False):
        _changes(axes, domain)
    save_picture(figure, path)


def _moves(axes: Any, domain: DomainDrift, bands: tuple[str, ...]) -> None:
    """Draw each band's problems for the first checkpoint as a row: shaded by their share, and counted."""
    counts = np.array(domain.moves)
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=LIGHT)
    for (row, column), count in np.ndenumerate(counts):
        axes.text(column, row, str(count), ha="center", va="center", color="#c0603a" if row != column else "#222222")
    axes.set_xticks(range(len(bands)), bands, fontsize=8)
    axes.set_yticks(range(len(bands)), bands, fontsize=8)
    chance = f"{domain.moved} moved, {domain.moved_by_chance:.1f} by chance"
    axes.set_title(f"{domain.domain}: {domain.overall.problems} problems\n{chance}", fontsize=9)
    axes.set(xlabel="after", ylabel="before")


def _changes(axes: Any, domain: DomainDrift) -> None:
    """Draw the mean change of pass@1 of each band of both together, and of all, with 95% intervals."""
    changes = [*domain.by_band, domain.overall]
    for place, change in enumerate(changes):
        colour = "#3565c0" if change.band else "#222222"
        axes.plot([change.low, change.high], [place, place], color=colour, linewidth=1.5)
        axes.plot(change.change, place, "o", color=colour, markersize=5)
    axes.axvline(0, color="#bbbbbb", linewidth=1)
    axes.set_yticks(range(len(changes)), [f"{c.band or 'all'}, {c.problems}" for c in changes], fontsize=8)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    axes.set(xlabel="change of pass@1, 95%")
