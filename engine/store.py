"""The DuckDB file of a workspace, built from its parts, and the snapshots that queries read.

One process writes: `sync` takes in new parts, many in one transaction with the notes that they are in, so a part is
never taken twice. What is in two parts is stored once. Readers open a snapshot, so nobody waits.

Memory stays below MEMORY_LIMIT whatever the tables hold: joins and sorts that need more go to `gradus.duckdb.tmp`.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from gradus.engine.parts import key_of, list_parts
from gradus.engine.publish import publish
from gradus.engine.records import Problem, Trace
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

if TYPE_CHECKING:
    import polars as pl

SQL = Path(__file__).parent / "sql"
BATCH_ROWS = 1000
BATCH_BYTES = 32 << 20
"""Of what is handed out at once; beneath, DuckDB has 2,048 rows in hand, however long they are."""
MEMORY_LIMIT = f"{max(1024, os.sysconf('SC_PHYS_PAGES') * os.sysconf('SC_PAGE_SIZE') // 2**21)}MB"
"""Half of the machine's: rows of long reasoning need it, for a table's last 122,880 rows may have to be in memory."""
WAL_LIMIT = "512MB"
"""Each checkpoint writes the last 122,880 rows of a table again: seldom, then, while rows stream in."""
TAKEN_BYTES = 256 << 20
"""Parts that are taken in at once: few transactions are faster, and what one holds may go to disk twice."""
SCORED_AT_ONCE = 100_000
"""Problems whose attempts are joined with their verdicts at once."""
TOUCHED = {
    "problems": "SELECT id FROM {read} WHERE hash(id) IN (SELECT key FROM attempts_of)",
    "attempts": "SELECT DISTINCT problem_id FROM {read}",
    "verdicts": """SELECT DISTINCT problem_id FROM attempts WHERE rowid IN
                   (SELECT place FROM attempt_places WHERE key IN (SELECT hash(attempt_id) FROM {read}))""",
}
"""Problems, of which some may have no attempts, whose difficulty parts change."""
PLACES = {
    ("problems", "id"): "problem_places",
    ("attempts", "id"): "attempt_places",
    ("attempts", "problem_id"): "attempts_of",
    ("verdicts", "attempt_id"): "verdicts_of",
    ("traces", "id"): "trace_places",
    ("traces", "problem_id"): "traces_of",
}
"""Which table knows the places of a column's values."""
NOTED = {table for table, _ in PLACES}
AMONG = "rowid IN (SELECT unnest($places::BIGINT[]))"


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
        # On a connection of its own: other queries may run before the last list is read.
        with self._db.cursor() as connection:
            for batch in connection.sql(query, params=parameters or {}).to_arrow_reader(BATCH_ROWS):
                rows = max(1, batch.num_rows * BATCH_BYTES // max(batch.nbytes, 1))
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows).to_pylist()

    def named(self, name: str, parameters: dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """Run `sql/<name>.sql`."""
        return self.rows((SQL / f"{name}.sql").read_text(), parameters)

    def stream(self, name: str, parameters: dict[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows of `sql/<name>.sql`, which need not fit in memory; the store stays open meanwhile."""
        for rows in self.batches((SQL / f"{name}.sql").read_text(), parameters):
            yield from rows

    def count(self, name: str, parameters: dict[str, Any] | None = None) -> int:
        """Return how many rows `sql/<name>.sql` has."""
        query = (SQL / f"{name}.sql").read_text()
        return int(self.rows(f"SELECT count(*) AS n FROM ({query})", parameters)[0]["n"])

    def execute(self, query: str, parameters: dict[str, Any]) -> duckdb.DuckDBPyConnection:
        """Run a query, and return its rows still to be fetched."""
        return self._db.execute(query, parameters)

    @contextmanager
    def another(self) -> Iterator[Store]:
        """Open the same database once more, for another thread."""
        with self._db.cursor() as connection:
            yield Store(connection)

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
        new: dict[str, list[Path]] = defaultdict(list)
        for table, path in list_parts(parts):
            if str(path.relative_to(parts)) not in known:
                new[table].append(path)
        for table, paths in new.items():
            for some in _by_size(paths, TAKEN_BYTES):
                self._take(table, some, parts)
                if table in NOTED:
                    self._note_places()
        if new:
            self._score()
        return sum(len(paths) for paths in new.values())

    def mend(self) -> None:
        """Do what a kill left undone of a part that is in."""
        counts = (f"(SELECT count(*) FROM {table}) <> (SELECT count(*) FROM {at})" for (table, _), at in PLACES.items())
        if self.rows(f"SELECT {' OR '.join(counts)} AS missing")[0]["missing"]:
            self._note_places()
        self._score()

    def _take(self, table: str, paths: Sequence[Path], parts: Path) -> None:
        """Take in parts of one table; the first of records with the same key is stored."""
        read = "read_parquet($paths, union_by_name = true)"
        files = {"paths": [str(path) for path in paths]}
        self._db.execute("SET preserve_insertion_order = false")  # as fast again, and nothing depends on it
        with self._transaction():
            rows = f"FROM {read}" if self._all_new(table, read, files) else _each_once(table, read)
            self._db.execute(f"INSERT INTO {table} BY NAME {rows}", files)
            if table in TOUCHED:
                self._db.execute(f"INSERT INTO unscored {TOUCHED[table].format(read=read)}", files)
            names = [str(path.relative_to(parts)) for path in paths]
            self._db.execute("INSERT INTO ingested SELECT unnest($names::VARCHAR[])", {"names": names})
        self._db.execute("RESET preserve_insertion_order")

    def _all_new(self, table: str, read: str, files: dict[str, Any]) -> bool:
        """Say whether no two rows, here or in the table, share a key; equal hashes are taken for equal keys."""
        column = key_of(table)[0]
        places = PLACES.get((table, column))
        if places is None:
            return False
        keys = f"SELECT hash({column}) AS key FROM {read}"
        twice = f"""SELECT EXISTS (FROM ({keys}) SEMI JOIN {places} USING (key))
                        OR EXISTS (SELECT key FROM ({keys}) GROUP BY key HAVING count(*) > 1) AS found"""
        return not self.rows(twice, files)[0]["found"]

    def _note_places(self) -> None:
        """Note where the rows stand that came in since; a kill leaves that to the next time."""
        since: dict[str, dict[str, int]] = {}
        with self._transaction():
            for (table, column), places in PLACES.items():
                since[places] = self.rows(f"SELECT coalesce(max(place), -1) AS place FROM {places}")[0]
                self._db.execute(
                    f"INSERT INTO {places} SELECT hash({column}), rowid FROM {table} WHERE rowid > $place ORDER BY ALL",
                    since[places],
                )
            self._db.execute((SQL / "several_verdicts.sql").read_text(), since["verdicts_of"])
            both = {"attempt": since["attempt_places"]["place"], "verdict": since["verdicts_of"]["place"]}
            self._db.execute((SQL / "verdict_places.sql").read_text(), both)

    def places(self, table: str, column: str, values: Sequence[str]) -> list[int]:
        """Return where the rows stand whose column is one of values, in order."""
        return [row["place"] for row in self.rows_of(table, column, values, select="rowid AS place")]

    def rows_of(self, table: str, column: str, values: Sequence[str], *, select: str = "*") -> list[dict[str, Any]]:
        """Return the rows whose column is one of values, in the order in which they came in.

        They are found by their hashes; those whose value is another are left out here, where it takes no scan.
        """
        places = PLACES[table, column]
        if len(values) == 1:  # its hash stands in one place; where several do, each row is asked
            there = self.rows(f"SELECT place FROM {places} WHERE key = hash($value)", {"value": values[0]})
        else:
            hashes = "SELECT hash(unnest($values::VARCHAR[]))"
            there = self.rows(f"SELECT place FROM {places} WHERE key IN ({hashes})", {"values": list(values)})
        query = f"SELECT {column} AS its_value, {select} FROM {table} WHERE {AMONG} ORDER BY rowid"
        rows = self.rows(query, {"places": [row["place"] for row in there]})
        return [row for row in rows if row.pop("its_value") in values]

    def verdicts_at(self, attempts: Sequence[int]) -> list[dict[str, Any]]:
        """Return the verdicts on the attempts that stand at these places."""
        query = "SELECT place FROM verdict_places WHERE attempt IN (SELECT unnest($places::BIGINT[]))"
        places = [row["place"] for row in self.rows(query, {"places": list(attempts)})]
        return self.rows(f"FROM verdicts WHERE {AMONG} ORDER BY rowid", {"places": places})

    def refresh_difficulty(self) -> None:
        """Compute the difficulty table anew from attempts and verdicts."""
        self._note_places()
        self._db.execute("INSERT INTO unscored SELECT DISTINCT problem_id FROM attempts")
        self._score()

    def _score(self) -> None:
        """Compute the difficulty of those problems that something new touched; a kill leaves the rest marked."""
        while self.rows("FROM unscored LIMIT 1"):
            with self._transaction():
                # In the order in which problems came in, as their attempts did: what stands together is read together.
                among = "FROM problems WHERE id IN (FROM unscored) ORDER BY rowid"
                self._db.execute(f"INSERT INTO scoring SELECT id {among} LIMIT {SCORED_AT_ONCE}")
                if self.rows("FROM scoring LIMIT 1"):
                    for table in ("tallies", "measured"):
                        self._db.execute(f"DELETE FROM {table} WHERE problem_id IN (FROM scoring)")
                        self._db.execute((SQL / f"{table}.sql").read_text())
                    self._db.execute("DELETE FROM unscored WHERE problem_id IN (FROM scoring)")
                else:  # attempts whose problem is not in; it will mark itself
                    self._db.execute("DELETE FROM unscored")
                self._db.execute("DELETE FROM scoring")

    def migrate(self) -> None:
        """Apply the numbered migrations that have not been applied."""
        self._db.execute("CREATE TABLE IF NOT EXISTS ingested (part VARCHAR PRIMARY KEY)")
        self._db.execute("CREATE TABLE IF NOT EXISTS migrations (name VARCHAR PRIMARY KEY)")
        done = {row["name"] for row in self.rows("SELECT name FROM migrations")}
        new = [path for path in sorted(SQL.glob("[0-9]*.sql")) if path.name not in done]
        for path in new:
            with self._transaction():
                self._db.execute(path.read_text())
                self._db.execute("INSERT INTO migrations VALUES ($name)", {"name": path.name})
        if new or not self._hashes_as_before():  # one of the migrations may have made a table anew
            self._forget_places()
            self.refresh_difficulty()

    def _hashes_as_before(self) -> bool:
        return bool(self.rows("FROM hashed_by WHERE probe = hash('gradus')"))

    def _forget_places(self) -> None:
        with self._transaction():
            for places in (*PLACES.values(), "several_verdicts", "verdict_places", "hashed_by"):
                self._db.execute(f"DELETE FROM {places}")
            self._db.execute("INSERT INTO hashed_by SELECT hash('gradus')")

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
        connection.execute(f"SET checkpoint_threshold = '{WAL_LIMIT}'")
        store.migrate()
        store.mend()
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
    with open_snapshot_file(path.resolve()) as store:
        yield store


@contextmanager
def open_snapshot_file(path: Path) -> Iterator[Store]:
    """Open one snapshot, read-only."""
    with _connect(path, read_only=True) as connection:
        yield Store(connection)


def to_problem(row: dict[str, Any]) -> Problem:
    """Return a row of `problems` as the record."""
    data = {key: value for key, value in row.items() if key != "id"}
    lists = {key: tuple(data[key]) for key in ("parents", "tags")}
    return Problem(**(data | {"spec": json.loads(data["spec"])} | lists))


def stored_trace(row: dict[str, Any]) -> Trace:
    """Return a row of `traces` as the record."""
    data = {key: value for key, value in row.items() if key != "id"}
    return Trace(**(data | {"messages": tuple(json.loads(row["messages"])), "learn": tuple(row["learn"])}))


def _each_once(table: str, read: str) -> str:
    """Return a query for those rows that are not in, the first of each key."""
    key = key_of(table)
    known = " AND ".join(f"old.{column} = new.{column}" for column in key)
    return f"""WITH fresh AS (
                   SELECT min({{'file': file_index, 'row': file_row_number}}) AS place FROM {read} AS new
                   WHERE NOT EXISTS (FROM {table} AS old WHERE {known}) GROUP BY {", ".join(key)}
               ) SELECT new.* FROM {read} AS new
               SEMI JOIN fresh ON place.file = new.file_index AND place.row = new.file_row_number"""


def _by_size(paths: Iterable[Path], most_bytes: int) -> Iterator[list[Path]]:
    """Yield the paths in lists of files that hold so much together, or of one file that holds more."""
    some: list[Path] = []
    size = 0
    for path in paths:
        more = path.stat().st_size
        if some and size + more > most_bytes:
            yield some
            some, size = [], 0
        some.append(path)
        size += more
    if some:
        yield some


@contextmanager
def _naming_a_full_disk(path: Path) -> Iterator[None]:
    try:
        yield
    except (duckdb.IOException, duckdb.FatalException, duckdb.TransactionException) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        lacking = "use a machine with more memory" if "pin block" in reason else "free space"
        raise WorkspaceError(
            f"{path}: cannot be written: {reason}; {lacking} and run the same command again"
        ) from error


@contextmanager
def _connect(path: Path, *, read_only: bool) -> Iterator[duckdb.DuckDBPyConnection]:
    try:
        connection = duckdb.connect(str(path), read_only=read_only, config={"memory_limit": MEMORY_LIMIT})
    except duckdb.IOException as error:
        raise WorkspaceError(f"{path}: cannot be opened: {str(error).splitlines()[0]}") from None
    try:
        yield connection
    finally:
        connection.close()
