"""The store at a million problems and 16 million attempts, beside plain DuckDB over the same Parquet, in one run.

    python benchmarks/big_workspace.py FOLDER && python benchmarks/bench_store.py FOLDER [--times 7]

`ingest` builds the database from the parts: seconds for each table as it is taken in, with what is noted for look-ups,
then scoring, checkpoint and snapshot; beside it `CREATE TABLE AS FROM read_parquet`, which checks nothing and scores
nothing, with the same memory and threads. `curves` is pass@1…16 of every problem, Wilson's interval and the histogram,
into a temporary table: from the store, which keeps passes and attempts of each problem; beside it the same from the
Parquet files (two, joined), and from a DuckDB table that holds the joined rows already. The answers are compared first.
`views` are the other aggregates of difficulty, in ms. An existing database in FOLDER is built anew.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import duckdb
import torch
from common import about

from gradus.engine.publish import publish
from gradus.engine.store import MEMORY_LIMIT, SQL, WAL_LIMIT, Store, open_snapshot_file
from gradus.engine.workspace import Workspace

CURVES = """
CREATE OR REPLACE TEMP TABLE found AS
SELECT problem_id, model_id, num_attempts, num_passed, curve, wilson_low, wilson_high FROM pass_curves
"""
HISTOGRAM = (
    "SELECT least(floor(curve[1] * 10), 9)::INTEGER AS tenth, count(*) AS n FROM found GROUP BY ALL ORDER BY ALL"
)
CHECK = """
SELECT count(*) AS n, sum(num_attempts) AS attempts, bit_xor(hash(problem_id, num_passed)) AS passes,
       round(sum(list_sum(curve)), 3) AS curves, round(sum(wilson_low + 2 * wilson_high), 3) AS ends
FROM found
"""
BARE_CURVES = """
CREATE OR REPLACE TEMP TABLE found AS
WITH counted AS (
    SELECT problem_id, model_id, count(*) AS num_attempts, count(*) FILTER (outcome = 'pass') AS num_passed
    FROM {joined}
    GROUP BY ALL
), curves AS (
    SELECT num_attempts, num_passed, [pass_at(k, num_attempts, num_passed) FOR k IN range(1, 17)] AS curve
    FROM (SELECT DISTINCT num_attempts, num_passed FROM counted)
)
SELECT problem_id, model_id, num_attempts, num_passed, curve,
       wilson_low(num_passed, num_attempts) AS wilson_low, wilson_high(num_passed, num_attempts) AS wilson_high
FROM counted JOIN curves USING (num_attempts, num_passed)
"""
VIEWS = {
    "histogram": (SQL / "histogram.sql").read_text(),
    "rates by domain and model": (SQL / "view_rates.sql").read_text(),
    "pass_rates": "FROM pass_rates",
    "funnel": "FROM funnel",
    "tokens": "FROM tokens",
    "hardest 100": "FROM difficulty ORDER BY pass_at_1 LIMIT 100",
}


def timed(once: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    once()
    return time.perf_counter() - start


def spread(once: Callable[[], Any], times: int) -> dict[str, float]:
    """Return median and range of so many calls, after one that is not counted, in ms."""
    once()
    ms = [1000 * timed(once) for _ in range(times)]
    return {"ms": round(statistics.median(ms), 1), "from": round(min(ms), 1), "to": round(max(ms), 1)}


class Watched(Store):
    """A store that says how long it took for what."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        super().__init__(connection)
        self.seconds: Counter[str] = Counter()

    def _take(self, table: str, paths: Sequence[Path], parts: Path) -> None:
        self.seconds[table] += timed(lambda: Store._take(self, table, paths, parts))

    def _note_places(self) -> None:
        self.seconds["places"] += timed(lambda: Store._note_places(self))

    def _score(self) -> None:
        self.seconds["scoring"] += timed(lambda: Store._score(self))


def ingest(workspace: Workspace) -> dict[str, Any]:
    """Build the database, as `open_store` does, and time each part of it."""
    for path in (*workspace.snapshots.iterdir(), workspace.database):
        path.unlink(missing_ok=True)
    with duckdb.connect(str(workspace.database), config={"memory_limit": MEMORY_LIMIT}) as connection:
        store = Watched(connection)
        connection.execute(f"SET checkpoint_threshold = '{WAL_LIMIT}'")
        store.migrate()
        everything = timed(lambda: store.sync(workspace.parts))
        again = timed(lambda: (store.mend(), store.sync(workspace.parts)))
        checkpoint = timed(lambda: connection.execute("CHECKPOINT"))
        num = {table: count(store, table) for table in ("problems", "attempts", "verdicts")}
        version = store.version
    snapshot = timed(lambda: publish(workspace, version))
    seconds = {name: round(s, 1) for name, s in store.seconds.items()}
    seconds |= {"all": round(everything, 1), "again": round(again, 3), "checkpoint": round(checkpoint, 1)}
    rate = round(num["attempts"] / store.seconds["attempts"])
    size = workspace.database.stat().st_size >> 20
    return {"rows": num, "seconds": seconds | {"snapshot": round(snapshot, 2)}, "attempts_per_s": rate, "mb": size}


def bare_ingest(workspace: Workspace) -> dict[str, Any]:
    """Build a database from the same files by plain DuckDB."""
    with tempfile.TemporaryDirectory(dir=workspace.root) as folder:
        connection = duckdb.connect(f"{folder}/bare.duckdb", config={"memory_limit": MEMORY_LIMIT})
        connection.execute("SET preserve_insertion_order = false")
        seconds = {}
        for table in ("problems", "attempts", "verdicts"):
            query = f"CREATE TABLE {table} AS FROM read_parquet($files)"
            files = [str(path) for path in (workspace.parts / table).rglob("*.parquet")]
            seconds[table] = round(
                timed(lambda query=query, files=files: connection.execute(query, {"files": files})), 1
            )
        connection.close()
    return {"seconds": seconds}


def count(store: Store, table: str) -> int:
    """Return how many rows a table has."""
    found: int = store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]
    return found


def curves(store: Store, workspace: Workspace, times: int) -> dict[str, Any]:
    """Compare pass@1…16, interval and histogram of every problem."""
    parts = {table: str(workspace.parts / table / "**" / "*.parquet") for table in ("attempts", "verdicts")}
    joined = f"""(SELECT problem_id, model_id, outcome FROM '{parts["attempts"]}' AS a
                  JOIN '{parts["verdicts"]}' AS v ON v.attempt_id = a.id)"""
    store.rows(f"CREATE TEMP TABLE joined AS FROM {joined}")
    queries = {"store": CURVES, "DuckDB, Parquet": BARE_CURVES.format(joined=joined)}
    queries["DuckDB, one table of joined rows"] = BARE_CURVES.format(joined="joined")
    figures, answers = {}, []
    for name, query in queries.items():
        few = times if name == "store" else max(1, times // 2)
        figures[name] = spread(lambda query=query: (store.rows(query), store.rows(HISTOGRAM)), few)
        answers.append((store.rows(HISTOGRAM), store.rows(CHECK)))
    assert all(answer == answers[0] for answer in answers), "they disagree"
    return figures | {"histogram": [row["n"] for row in answers[0][0]]}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="made by big_workspace.py")
    parser.add_argument("--times", type=int, default=7)
    parser.add_argument("--skip-ingest", action="store_true", help="the database is there")
    args = parser.parse_args()
    workspace = Workspace.find(args.folder)
    line: dict[str, Any] = {"bench": "store"}
    if not args.skip_ingest:
        line |= {"ingest": ingest(workspace), "plain DuckDB": bare_ingest(workspace)}
    with open_snapshot_file((workspace.snapshots / "current.duckdb").resolve()) as store:
        line["views"] = {
            name: spread(lambda query=query: store.rows(query), args.times) for name, query in VIEWS.items()
        }
        line["curves"] = curves(store, workspace, args.times)
    print(json.dumps(line | about(torch.device("cpu"))))


if __name__ == "__main__":
    main()
