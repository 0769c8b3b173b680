"""Rendered traces on disk: written once, read in any order, so that a curriculum need not fit into memory."""

from __future__ import annotations

import pickle
import tempfile
from pathlib import Path
from typing import Any


class RenderedRows:
    """Rows of TRACE_SCHEMA in a file that is gone when it is closed, or when we are; without a folder, none is kept."""

    def __init__(self, folder: Path | None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder) if folder else None  # noqa: SIM115

    def add(self, row: dict[str, Any]) -> int:
        """Keep a row; return the place that it is read from. All rows are added before the first is read."""
        if self._file is None:
            return 0
        place = self._file.tell()
        pickle.dump(row, self._file, protocol=pickle.HIGHEST_PROTOCOL)
        return place

    def read(self, place: int) -> dict[str, Any]:
        """Return the row at a place."""
        if self._file is None:
            raise ValueError("these rows were not kept")
        self._file.seek(place)
        row: dict[str, Any] = pickle.load(self._file)
        return row

    def close(self) -> None:
        """Give back the disk."""
        if self._file:
            self._file.close()
