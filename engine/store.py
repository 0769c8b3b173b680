"""The DuckDB file of a workspace, built from its parts, and the snapshots that queries read.

One process writes, for moments only: `sync` takes in new parts, each in one transaction with the
note that it is in, so a part is never taken twice. Readers open a snapshot, so nobody waits.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from gradus.engine.parts import list_parts
from gradus.engine.records import Problem, Trace
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

if TYPE_CHECKING:
    import polars as pl

SQL = Path(__file__).parent / "sql"
SNAPSHOTS_KEPT = 2
BATCH_ROWS = 1000


class Store:
    """An open database; `with open_store(workspace) as store`."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._db = connection

    def rows(self, query: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Return a query's rows; `$name` parameters are bound, never spliced."""
        result = self._db.execute(query, parameters or {})
        names = [column[0] for column in result.description or ()]
        return [dict(zip(names, row, strict=True)) for row in result.fetchall()]

    def frame(self, query: str, parameters: dict[str, Any] | None = None) -> pl.DataFrame:
        """Return a query's rows as a polars frame."""
        return self._db.sql(query, params=parameters or {}).pl()

    def batches(self, query: str, parameters: dict[str, Any] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Yield a query's rows in lists: what is read one list at a time need not fit in memory."""
        for batch in self._db.sql(query, params=parameters or {}).to_arrow_reader(BATCH_ROWS):
            yield batch.to_pylist()

    def named(self, name: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run `sql/<name>.sql`."""
        return self.rows((SQL / f"{name}.sql").read_text(), parameters)

    def problems(self, where: str = "true", parameters: dict[str, Any] | None = None) -> list[Problem]:
        """Return the problems that match a condition, in the order of their ids."""
        return [to_problem(row) for row in self.rows(f"SELECT * FROM problems WHERE {where} ORDER BY id", parameters)]

    @property
    def version(self) -> str:
        """Return a hash of the migrations and parts that are in: equal versions hold equal records."""
        names = [row["name"] for row in self.rows("FROM migrations UNION ALL FROM ingested ORDER BY ALL")]
        return hashlib.sha256("\n".join(names).encode()).hexdigest()

    def sync(self, parts: Path) -> int:
        """Take in the parts that are not yet in; return how many there were."""
        known = {row["part"] for row in self.rows("SELECT part FROM ingested")}
        new = [(t, p) for t, p in list_parts(parts) if str(p.relative_to(parts)) not in known]
        for table, path in new:
            with self._transaction():
                self._db.execute(f"INSERT OR IGNORE INTO {table} BY NAME FROM read_parquet($path)", {"path": str(path)})
                self._db.execute("INSERT INTO ingested VALUES ($part)", {"part": str(path.relative_to(parts))})
        if any(table in ("attempts", "verdicts") for table, _ in new):
            self.refresh_difficulty()
        return len(new)

    def refresh_difficulty(self) -> None:
        """Compute the difficulty table anew from attempts and verdicts."""
        with self._transaction():
            self._db.execute("DELETE FROM difficulty")
            self._db.execute((SQL / "difficulty.sql").read_text())

    def migrate(self) -> None:
        """Apply the numbered migrations that have not been applied."""
        self._db.execute("CREATE TABLE IF NOT EXISTS ingested (part VARCHAR PRIMARY KEY)")
        self._db.execute("CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY)")
        done = {row["name"] for row in self.rows("SELECT name FROM migrations")}
        for path in sorted(SQL.glob("[0-9]*.sql")):
            if path.name not in done:
                with self._transaction():
                    self._db.execute(path.read_text())
                    self._db.execute("INSERT INTO migrations VALUES ($name)", {"name": path.name})

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.begin()
        try:
            yield
        except BaseException:
            self._db.rollback()
            raise
        self._db.commit()


@contextmanager
def open_store(workspace: Workspace) -> Iterator[Store]:
    """Open the workspace's database with every part in it; publish a snapshot afterwards."""
    with _connect(workspace.database, read_only=False) as connection, _naming_a_full_disk(workspace.database):
        store = Store(connection)
        store.migrate()
        store.sync(workspace.parts)
        yield store
        store.sync(workspace.parts)
        version = store.version
        # Closing does this too, but says nothing when it fails, and the file that is published would be the old one.
        connection.execute("CHECKPOINT")
    publish(workspace, version)


@contextmanager
def open_snapshot(workspace: Workspace) -> Iterator[Store]:
    """Open the newest snapshot, read-only."""
    path = workspace.snapshots / "current.duckdb"
    if not path.exists():
        raise WorkspaceError(f"{workspace.root}: nothing in it yet; `gradus problems generate` starts it")
    with _connect(path.resolve(), read_only=True) as connection:
        yield Store(connection)


def publish(workspace: Workspace, version: str) -> Path:
    """Copy the closed database to `snapshots/<version>.duckdb` and point `current.duckdb` at it."""
    path = workspace.snapshots / f"{version[:16]}.duckdb"
    if not path.exists():
        fresh = path.with_suffix(".tmp")
        try:
            shutil.copyfile(workspace.database, fresh)
            fresh.rename(path)
        finally:
            fresh.unlink(missing_ok=True)
    link = workspace.snapshots / ".current.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(path.name)
    link.rename(workspace.snapshots / "current.duckdb")
    others = sorted(
        (p for p in workspace.snapshots.glob("*.duckdb") if not p.is_symlink() and p != path),
        key=lambda p: p.stat().st_mtime,
    )
    for old in others[: -(SNAPSHOTS_KEPT - 1)]:
        old.unlink()
    return path


def to_problem(row: dict[str, Any]) -> Problem:
    """Return a row of `problems` as the record."""
    data = {key: value for key, value in row.items() if key != "id"}
    lists = {key: tuple(data[key]) for key in ("parents", "tags")}
    return Problem(**(data | {"spec": json.loads(data["spec"])} | lists))


def stored_trace(row: dict[str, Any]) -> Trace:
    """Return a row of `traces` as the record."""
    data = {key: value for key, value in row.items() if key != "id"}
    return Trace(**(data | {"messages": tuple(json.loads(row["messages"])), "learn": tuple(row["learn"])}))


@contextmanager
def _naming_a_full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise WorkspaceError(
            f"{path}: cannot be written: {reason}; free space and run the same command again"
        ) from error


@contextmanager
def _connect(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path), read_only=read_only)
    except duckdb.IOException as error:
        raise WorkspaceError(f"{path}: cannot be opened: {str(error).splitlines()[0]}") from None
    try:
        yield connection
    finally:
        connection.close()
