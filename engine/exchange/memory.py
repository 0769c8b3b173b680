"""How much memory the database may take while rows stream into it or out of it.

A store keeps what it has read and written until its limit is reached. Here that is a cache of a fixed size, and room
for the rows in hand, of which it takes 2,048 at a time, some of them twice, on every thread.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pyarrow.parquet as pq

from gradus.engine.store import Store

WRITING_MB, READING_MB = 256, 256
ROWS_IN_HAND = 8 * 2048


def limit_memory(store: Store, cache_mb: int, row_bytes: float) -> None:
    """Limit the database by how long its rows are."""
    more_mb = int(row_bytes * ROWS_IN_HAND) >> 20
    store.rows(f"SET memory_limit = '{cache_mb + more_mb}MB'")


def row_bytes(parts: Iterable[Path]) -> float:
    """Return how long the rows of some parts are, on average, where they are longest."""
    groups = (meta.row_group(i) for meta in map(pq.read_metadata, parts) for i in range(meta.num_row_groups))
    return max((group.total_byte_size / group.num_rows for group in groups if group.num_rows), default=0.0)
