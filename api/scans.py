"""Snapshots opened once more, for scans that end after a few rows.

Each runs in the thread that asks: DuckDB with several would hand it to another, which costs more than the rows. How
many threads there are is a matter of the whole database, so it is opened again by a DuckDB of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import duckdb

from gradus.engine.store import Store
from gradus.errors import WorkspaceError

CONFIG = {"threads": 1, "memory_limit": "1GB", "temp_directory": ""}
Scanning = Callable[[], AbstractContextManager[Store]]
"""Opens a snapshot for one thread."""


@contextmanager
def open_for_scans(path: Path) -> Iterator[Scanning]:
    """Open a snapshot; what is handed out may be called by any thread."""
    with duckdb.connect(config=CONFIG) as connection:
        quoted = str(path).replace("'", "''")
        try:
            connection.execute(f"ATTACH '{quoted}' AS snapshot (READ_ONLY)")
        except duckdb.IOException as error:
            raise WorkspaceError(f"{path}: cannot be opened: {str(error).splitlines()[0]}") from None

        @contextmanager
        def scanning() -> Iterator[Store]:
            with Store(connection).another() as store:
                store.execute("USE snapshot", {})
                yield store

        yield scanning
