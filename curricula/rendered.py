"""Rendered traces on disk: written once, read in any order, so that a curriculum need not fit into memory."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any


class RenderedRows:
    """Rows of TRACE_SCHEMA in a file that is gone when it is closed, or when we are."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115

    def add(self, row: dict[str, Any]) -> int:
        """Keep a row; return the place that it is read from. All rows are added before the first is read."""
        place = self._file.tell()
        pickle.dump(row, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        return place

    def read(self, place: int) -> dict[str, Any]:
        """Return the row at a place."""
        self._file.seek(place)
        row: dict[str, Any] = pickle.load(self._file)
        return row

    def close(self) -> None:
        """Give back the disk."""
        self._file.close()
