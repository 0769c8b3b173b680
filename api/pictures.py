"""Pictures on the disk: PNG or SVG, whole or not there, without the date."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gradus.engine.parts import atomic_file
from gradus.errors import ConfigError

if TYPE_CHECKING:  # matplotlib takes a second, and a path is checked before anything is computed
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")


def picture_format(path: Path) -> str:
    """Return the format that a path's ending names; ConfigError if it cannot be drawn."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in FORMATS:
        raise ConfigError(f"{path}: a picture's name ends in {' or '.join('.' + one for one in FORMATS)}")
    if not path.parent.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent} to draw into; make it first")
    return kind


def save_picture(figure: Figure, path: Path) -> None:
    """Write a figure in the format that the path's ending names."""
    kind = picture_format(path)
    with atomic_file(path) as file:
        figure.savefig(file, format=kind, dpi=150, metadata={"Date": None} if kind == "svg" else None)
