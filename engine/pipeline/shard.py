"""A rank's share of a workspace: one snapshot, seen through views that show the rank's problems alone.

A problem belongs to the rank that its id, a hash, leaves over when divided by their number; its attempts, traces and
difficulty go with it, and a trace without a problem goes by its own id. Tables that name no problem are seen whole.
Nothing is copied, so every function that reads a store reads a shard; nobody can write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb

from gradus.engine.store import Store

COLUMNS = """
    SELECT table_name AS name, list(column_name) AS columns
    FROM duckdb_columns()
    JOIN duckdb_tables() USING (database_name, table_name)
    WHERE database_name = 'whole'
    GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Shard:
    """One of world equal shares of the problems."""

    rank: int
    world: int


@contextmanager
def open_shard(snapshot: Path, shard: Shard, *, threads: int = 1) -> Iterator[Store]:
    """Open a snapshot as if it held nothing but the shard."""
    with duckdb.connect(":memory:", config={"threads": threads}) as connection:
        store = Store(connection)
        store.migrate()  # for the views and macros, which then find our views where they name tables
        path = str(snapshot).replace("'", "''")
        connection.execute(f"ATTACH '{path}' AS whole (READ_ONLY)")
        for row in store.rows(COLUMNS):
            connection.execute(f"DROP TABLE IF EXISTS {row['name']}")
            # The views look replaced verdicts up by their place.
            columns = "rowid, *" if row["name"] == "verdicts" else "*"
            connection.execute(
                f"CREATE VIEW {row['name']} AS SELECT {columns} FROM whole.{row['name']} {_where(row, shard)}"
            )
        yield store


def _where(table: dict[str, object], shard: Shard) -> str:
    columns = table["columns"]
    assert isinstance(columns, list)
    if table["name"] == "problems":
        key = "id"
    elif "problem_id" not in columns:
        return ""
    else:
        key = "coalesce(nullif(problem_id, ''), id)" if "id" in columns else "problem_id"
    return f"WHERE ('0x' || {key}[1:15])::UBIGINT % {shard.world} = {shard.rank}"
