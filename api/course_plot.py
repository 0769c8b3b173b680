"""A manifest as a picture: for every stage its mixture over time, the lengths of its traces, and how hard they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gradus.api.pictures import save_picture
from gradus.api.report import COLOURS
from gradus.curricula.course import courses
from gradus.curricula.lengths import BINS, stage_lengths
from gradus.curricula.manifest import Manifest

SHADES = ("#3565c0", "#c0603a", "#3f9155", "#8a5bb5", "#b8892f", "#4aa3a8", "#b5487f", "#777777")


def write_course(path: Path, manifest: Manifest, target: Path) -> None:
    """Write the picture; the name's ending says the format."""
    figure = Figure(figsize=(13, 0.6 + 2.9 * len(manifest.stages)), layout="constrained")
    grid = figure.subplots(len(manifest.stages), 3, squeeze=False, width_ratios=(3, 2, 2))
    stages = zip(grid, courses(path, manifest), stage_lengths(path, manifest), strict=True)
    for (mixture, lengths, difficulty), course, measured in stages:
        _mixture(mixture, course)
        _lengths(lengths, measured)
        _difficulty(difficulty, course)
    save_picture(figure, target)


def _mixture(axes: Any, course: dict[str, Any]) -> None:
    names = list(course["tokens"])
    tokens = np.array([course["tokens"][name] for name in names], float)
    shares = tokens / np.maximum(tokens.sum(axis=0), 1)
    edges = np.array([0, *course["upto"]])
    colours = [SHADES[i % len(SHADES)] for i in range(len(names))]
    # Steps, not slopes: what is drawn of a part holds for the whole of it.
    axes.stackplot(edges, np.concatenate([shares, shares[:, -1:]], axis=1), step="post", labels=names, colors=colours)
    if course["scheduled"]:
        middles = (edges[:-1] + edges[1:]) / 2
        for level in np.cumsum([course["scheduled"][name] for name in names], axis=0)[:-1]:
            axes.plot(middles, level, color="black", linewidth=1, linestyle="--")
    policy = f", {course['policy']}" if course["policy"] else ""
    axes.set(title=f"{course['name']}{policy}", xlabel="sequence", ylabel="share of tokens", ylim=(0, 1))
    axes.set_xlim(0, edges[-1])
    axes.legend(fontsize=7, loc="lower left", framealpha=0.85)


def _lengths(axes: Any, measured: dict[str, Any]) -> None:
    edges = np.arange(BINS) * measured["context_length"] / BINS
    width = measured["context_length"] / BINS
    axes.bar(edges, measured["lengths"], width * 0.92, align="edge", color="#3565c0")
    title = f"{measured['num_traces']} traces, {1 - measured['waste']:.2%} of sequences filled"
    axes.set(title=title, xlabel=f"tokens (context {measured['context_length']})", ylabel="traces")


def _difficulty(axes: Any, course: dict[str, Any]) -> None:
    rows = course["difficulty"]
    if not rows:
        axes.set_axis_off()
        axes.text(0.5, 0.5, "a manifest of format 2\nstates no pass counts", ha="center", va="center", color="#777777")
        return
    bands = list(dict.fromkeys(row["band"] for row in rows))
    bottom = np.zeros(len(bands))
    for domain in dict.fromkeys(row["domain"] for row in rows):
        tokens = {row["band"]: row["tokens"] for row in rows if row["domain"] == domain}
        heights = np.array([tokens.get(band, 0) for band in bands])
        axes.bar(bands, heights, bottom=bottom, label=domain, color=COLOURS.get(domain, "#888888"))
        bottom += heights
    axes.set(title="difficulty for the student", ylabel="tokens")
    axes.tick_params(axis="x", labelsize=8)
    axes.legend(fontsize=7, framealpha=0.85)
