"""How much memory the database may take while rows stream into it or out of it.

By default it keeps what it has read and written until most of the machine's memory is full. Here it gets a cache of a
fixed size; room for the rows in hand, of which it takes 2,048 at a time, some of them twice, on every thread; and room
for its indexes, which take about 40 bytes a record and have to fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

from gradus.engine.store import Store

WRITING_MB, READING_MB = 256, 128
ROWS_IN_HAND = 8 * 2048
INDEX_BYTES = 100


def limit_memory(store: Store, cache_mb: int, row_bytes: float) -> None:
    """Limit the database by what it holds and how long its rows are; call it again as there is more."""
    num = int(store.rows("SELECT sum(estimated_size) AS n FROM duckdb_tables()")[0]["n"] or 0)
    more_mb = int(num * INDEX_BYTES + row_bytes * ROWS_IN_HAND) >> 20
    store.rows(f"SET memory_limit = '{cache_mb + more_mb}MB'")


def row_bytes(parts: Iterable[Path]) -> float:
    """Return how long the rows of some parts are, on average, where they are longest."""
    groups = (meta.row_group(i) for meta in map(pq.read_metadata, parts) for i in range(meta.num_row_groups))
    return max((group.total_byte_size / group.num_rows for group in groups if group.num_rows), default=0.0)
