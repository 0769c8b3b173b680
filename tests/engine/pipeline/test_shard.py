"""Shards share a snapshot out: every record of a problem is in one of them, and nobody can write."""

import duckdb
import pytest

from gradus.engine.parts import write_part
from gradus.engine.pipeline.shard import Shard, open_shard
from gradus.engine.records import Trace
from gradus.engine.store import open_snapshot, open_store

WORLD = 3
TABLES = ("problems", "attempts", "traces", "difficulty")


def ids(store, table):
    column = "problem_id" if table == "difficulty" else "id"
    return [row[column] for row in store.rows(f"SELECT {column} FROM {table} ORDER BY ALL")]


@pytest.fixture(scope="module")
def snapshot(finished):
    return (finished.workspace.snapshots / "current.duckdb").resolve()


@pytest.mark.parametrize("table", TABLES)
def test_every_record_is_in_one_shard(finished, snapshot, table):
    found = []
    for rank in range(WORLD):
        with open_shard(snapshot, Shard(rank, WORLD)) as store:
            share = ids(store, table)
        assert share
        found += share
    with open_snapshot(finished.workspace) as whole:
        assert sorted(found) == ids(whole, table)


def test_what_belongs_to_a_problem_goes_with_it(snapshot):
    with open_shard(snapshot, Shard(0, WORLD)) as store:
        own = set(ids(store, "problems"))
        for view in ("judged", "traces", "difficulty"):
            assert {row["problem_id"] for row in store.rows(f"SELECT problem_id FROM {view}")} <= own
        verdicts = store.rows("SELECT count(*) AS n FROM judged")[0]["n"]
        assert verdicts == len(ids(store, "attempts"))  # all were judged, so every one has found its verdict


def test_a_shard_has_the_version_of_the_whole(finished, snapshot):
    with open_shard(snapshot, Shard(1, WORLD)) as store, open_snapshot(finished.workspace) as whole:
        assert store.version == whole.version


def test_a_trace_without_a_problem_is_in_one_shard(workspace):
    message = {"role": "user", "content": "Hello"}
    alone = Trace(kind="imported", domain="math", messages=(message,), learn=(True,), problem_id="", attempt_id="")
    write_part(workspace.parts, "t", [alone])
    with open_store(workspace):
        pass
    snapshot, found = workspace.snapshots / "current.duckdb", []
    for rank in range(WORLD):
        with open_shard(snapshot, Shard(rank, WORLD)) as store:
            found += ids(store, "traces")
    assert found == [alone.id]


def test_a_shard_cannot_be_written(snapshot):
    with open_shard(snapshot, Shard(0, 1)) as store:
        for statement in ("DELETE FROM problems", "INSERT INTO whole.drops VALUES ('a', 'b', 'c')"):
            with pytest.raises(duckdb.Error, match=r"base table|read-only"):
                store.rows(statement)
