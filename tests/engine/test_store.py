"""The database holds what the parts hold, once; snapshots can be read while it is being written."""

import shutil
import subprocess
import sys

import duckdb
import pytest

from gradus.engine.parts import SCHEMAS, key_of, write_part
from gradus.engine.records import JudgedAttempt
from gradus.engine.store import PLACES, SQL, Store, open_snapshot, open_store
from gradus.errors import WorkspaceError


def count(store, table="problems"):
    return store.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]


def tables(store):
    """Return the tables whose rows do not say where other rows stand."""
    names = [row["table_name"] for row in store.rows("SELECT table_name FROM information_schema.tables ORDER BY 1")]
    return sorted({*names} - {*PLACES.values(), "several_verdicts", "verdict_places"})


def test_a_part_is_taken_in_once(workspace, problems):
    write_part(workspace.parts, "r", problems)
    with open_store(workspace) as store:
        assert count(store) == len(problems)
        assert store.sync(workspace.parts) == 0
    with open_store(workspace) as store:
        assert count(store) == len(problems)


def test_a_record_in_two_parts_is_stored_once(workspace, problems):
    write_part(workspace.parts, "r", problems)
    write_part(workspace.parts, "q", problems[:3])
    with open_store(workspace) as store:
        assert count(store) == len(problems)
        assert count(store, "ingested") == 2


def test_a_part_that_cannot_be_read_is_not_noted_as_in(workspace, problems):
    path = write_part(workspace.parts, "r", problems)
    whole = path.read_bytes()
    path.write_bytes(whole[:100])
    with pytest.raises(duckdb.Error), open_store(workspace):
        pass
    path.write_bytes(whole)
    with open_store(workspace) as store:
        assert count(store) == len(problems)


def test_the_database_can_be_rebuilt_from_the_parts(spoilable):
    with open_snapshot(spoilable.workspace) as store:
        before = {name: store.rows(f"FROM {name} ORDER BY ALL") for name in tables(store)}
    spoilable.workspace.database.unlink()
    with open_store(spoilable.workspace) as store:
        assert {name: store.rows(f"FROM {name} ORDER BY ALL") for name in tables(store)} == before


def test_migrations_are_applied_once_and_in_order():
    store = Store(duckdb.connect(":memory:"))
    store.migrate()
    names = sorted(path.name for path in SQL.glob("[0-9]*.sql"))
    assert [row["name"] for row in store.rows("FROM migrations")] == names
    store.migrate()
    assert count(store, "migrations") == len(names)


def test_every_migration_has_a_number_of_its_own():
    numbers = [path.name[:4] for path in SQL.glob("[0-9]*.sql")]
    assert len(set(numbers)) == len(numbers)


def test_a_snapshot_is_readable_while_a_writer_has_the_database_open(workspace, problems):
    write_part(workspace.parts, "r", problems[:4])
    with open_store(workspace):
        pass
    code = (
        "import sys; from pathlib import Path; from gradus.engine.store import open_snapshot\n"
        "from gradus.engine.workspace import Workspace\n"
        "with open_snapshot(Workspace(Path(sys.argv[1]))) as s: print(len(s.problems()))"
    )
    with open_store(workspace) as store:
        write_part(workspace.parts, "r", problems[4:])
        store.sync(workspace.parts)
        command = [sys.executable, "-c", code, str(workspace.root)]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "4\n"
    with open_snapshot(workspace) as store:
        assert count(store) == len(problems)


def test_a_reader_keeps_its_snapshot_when_newer_ones_are_published(workspace, problems):
    with open_store(workspace):
        pass
    with open_snapshot(workspace) as old:
        for number in range(4):
            write_part(workspace.parts, "r", problems[number : number + 1])
            with open_store(workspace):
                pass
        assert count(old) == 0
    assert len(list(workspace.snapshots.glob("[0-9a-f]*.duckdb"))) <= 3


def test_a_snapshot_cannot_be_written(finished):
    with open_snapshot(finished.workspace) as store, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        store.rows("DELETE FROM problems")


def test_equal_parts_give_equal_versions(workspace, problems):
    with open_store(workspace) as store:
        empty = store.version
    with open_store(workspace) as store:
        assert store.version == empty
        write_part(workspace.parts, "r", problems)
        store.sync(workspace.parts)
        assert store.version != empty


def test_a_workspace_without_a_database_says_so(workspace):
    with pytest.raises(WorkspaceError, match="nothing in it yet"), open_snapshot(workspace):
        pass


@pytest.mark.parametrize("content", [b"not a database", b"x" * 20_000])
def test_a_spoilt_database_is_one_clear_error(workspace, content):
    workspace.database.write_bytes(content)
    with pytest.raises(WorkspaceError, match="cannot be opened"), open_store(workspace):
        pass


def test_a_failed_transaction_changes_nothing(workspace, problems):
    write_part(workspace.parts, "r", problems)
    with open_store(workspace) as store:
        with pytest.raises(duckdb.Error), store._transaction():
            store.rows("DELETE FROM problems; SELECT no_such_column FROM problems")
        assert count(store) == len(problems)


def test_a_frame_has_the_rows_of_the_query(finished):
    with open_snapshot(finished.workspace) as store:
        query = "SELECT id FROM problems WHERE domain = $domain ORDER BY id"
        assert store.frame(query, {"domain": "math"}).to_dicts() == store.rows(query, {"domain": "math"})


def test_long_rows_are_handed_out_in_short_lists():
    store = Store(duckdb.connect(":memory:"))
    query = "SELECT i, repeat('x', 1_000_000) AS said FROM range(100) AS t(i)"
    lists = [[row["i"] for row in rows] for rows in store.batches(query)]
    assert [i for found in lists for i in found] == list(range(100))
    assert max(map(len, lists)) <= 40
    assert [len(rows) for rows in store.batches("FROM range(900)")] == [900]


def test_a_record_twice_in_one_part_is_stored_once(workspace, problems):
    write_part(workspace.parts, "r", [*problems, problems[3]])
    with open_store(workspace) as store:
        assert count(store) == len(problems)


@pytest.mark.parametrize("table", SCHEMAS)
def test_every_table_has_a_key_among_its_columns(table):
    assert set(key_of(table)) <= set(SCHEMAS[table].names)


def test_more_parts_than_are_taken_in_at_once_all_come_in(workspace, problems, monkeypatch):
    monkeypatch.setattr("gradus.engine.store.TAKEN_BYTES", 1)
    for problem in problems[:5]:
        write_part(workspace.parts, "r", [problem])
    with open_store(workspace) as store:
        assert (count(store), count(store, "ingested")) == (5, 5)


def test_new_parts_change_the_difficulty_of_their_problems_alone(spoilable):
    with open_store(spoilable.workspace) as store:
        store.rows("UPDATE measured SET num_passed = 77")
        row = store.rows(
            "SELECT attempts.* FROM attempts JOIN difficulty USING (problem_id, model_id, sampler) LIMIT 1"
        )[0]
        verdict = JudgedAttempt(
            attempt_id=row["id"], verifier="math", version="99", outcome="pass", score=1.0, reason="so", seconds=0.0
        )
        write_part(spoilable.workspace.parts, "hand", [verdict])
        store.sync(spoilable.workspace.parts)
        changed = store.rows("SELECT DISTINCT problem_id FROM difficulty WHERE num_passed <> 77")
        assert changed == [{"problem_id": row["problem_id"]}]
        store.refresh_difficulty()
        assert store.rows("FROM difficulty WHERE num_passed = 77") == []


def test_difficulty_that_a_kill_left_undone_is_computed_at_the_next_opening(spoilable):
    with open_store(spoilable.workspace) as store:
        before = store.rows("FROM difficulty ORDER BY ALL")
        store.rows("INSERT INTO unscored SELECT problem_id FROM difficulty LIMIT 3")
        store.rows("DELETE FROM measured WHERE problem_id IN (FROM unscored)")
        assert len(store.rows("FROM difficulty")) < len(before)
    with open_store(spoilable.workspace) as store:
        assert store.rows("FROM difficulty ORDER BY ALL") == before


def test_other_queries_may_run_while_batches_are_read(finished):
    with open_snapshot(finished.workspace) as store:
        read = store.batches("SELECT id FROM attempts ORDER BY id")
        first = next(read)
        assert count(store) > 0
        assert len(first) + sum(map(len, read)) == count(store, "attempts")


@pytest.mark.parametrize(
    ("one", "other", "newer"),
    [
        ("2", "1", True),
        ("10", "9", True),
        ("1", "1", False),
        ("1", "math 1", True),
        ("b", "a", True),
        ("a", "2", False),
    ],
)
def test_versions_that_are_numbers_are_ordered_as_numbers_and_follow_the_others(finished, one, other, newer):
    with open_snapshot(finished.workspace) as store:
        assert store.rows("SELECT is_newer($one, $other) AS found", {"one": one, "other": other}) == [{"found": newer}]


def test_places_are_those_of_the_rows_and_of_no_others(finished):
    with open_snapshot(finished.workspace) as store:
        for (table, column), _ in PLACES.items():
            for value in [
                row["v"] for row in store.rows(f"SELECT DISTINCT {column} AS v FROM {table} ORDER BY 1 LIMIT 9")
            ]:
                told = {"value": value}
                rows = store.rows(f"SELECT rowid AS place FROM {table} WHERE {column} = $value ORDER BY 1", told)
                assert store.places(table, column, [value]) == [row["place"] for row in rows]
        assert store.places("problems", "id", ["no such"]) == []


def test_places_that_a_kill_left_out_are_noted_at_the_next_opening(spoilable):
    with open_store(spoilable.workspace) as store:
        name = store.rows("SELECT id FROM problems ORDER BY rowid DESC LIMIT 1")[0]["id"]
        before = store.places("problems", "id", [name])
        store.rows("DELETE FROM problem_places WHERE place >= $place", {"place": before[0]})
        assert store.places("problems", "id", [name]) == []
    with open_store(spoilable.workspace) as store:
        assert store.places("problems", "id", [name]) == before


def test_places_by_another_hash_are_made_anew(spoilable):
    with open_store(spoilable.workspace) as store:
        name = store.rows("SELECT min(id) AS id FROM problems")[0]["id"]
        before = store.places("problems", "id", [name])
        store.rows("UPDATE hashed_by SET probe = 1")
        store.rows("UPDATE problem_places SET key = 1")
    with open_store(spoilable.workspace) as store:
        assert store.places("problems", "id", [name]) == before


def test_different_records_whose_keys_hash_alike_are_both_stored(workspace, problems):
    write_part(workspace.parts, "r", problems[:2])
    write_part(workspace.parts, "s", problems[2:4])
    with open_store(workspace) as store:
        store.rows("INSERT INTO problem_places SELECT hash($id), 0", {"id": problems[4].id})
        write_part(workspace.parts, "t", problems[4:5])
        store.sync(workspace.parts)
        assert count(store) == 5
        place = store.places("problems", "id", [problems[4].id])
        assert len(place) == 1


@pytest.mark.parametrize("tables", [("attempts", "verdicts"), ("verdicts", "attempts")])
def test_verdicts_are_found_by_their_attempts_whichever_came_first(workspace, finished, tables):
    for table in tables:
        shutil.copytree(finished.workspace.parts / table, workspace.parts / table)
        with open_store(workspace):
            pass
    with open_snapshot(workspace) as store:
        rows = store.rows("SELECT id, rowid AS place FROM attempts ORDER BY rowid LIMIT 20")
        told = {"ids": [row["id"] for row in rows]}
        expected = store.rows("FROM verdicts WHERE attempt_id IN (SELECT unnest($ids::VARCHAR[])) ORDER BY rowid", told)
        assert store.verdicts_at([row["place"] for row in rows]) == expected
        assert len(expected) >= 20
        assert count(store, "verdict_places") == count(store, "verdicts")


def test_scoring_in_many_turns_is_scoring_at_once(spoilable, monkeypatch):
    with open_store(spoilable.workspace) as store:
        before = store.rows("FROM difficulty ORDER BY ALL"), store.rows("FROM tallies ORDER BY ALL")
        monkeypatch.setattr("gradus.engine.store.SCORED_AT_ONCE", 2)
        store.refresh_difficulty()
        assert (store.rows("FROM difficulty ORDER BY ALL"), store.rows("FROM tallies ORDER BY ALL")) == before
        assert len(before[0]) > 4
        assert count(store, "unscored") == count(store, "scoring") == 0


def test_the_funnel_counts_verdicts_as_they_stand(finished):
    with open_snapshot(finished.workspace) as store:
        funnel = {row["step"]: row["records"] for row in store.rows("FROM funnel")}
        outcomes = store.rows("SELECT outcome, count(*) AS n FROM judged GROUP BY ALL")
        assert {f"verdict: {row['outcome']}": row["n"] for row in outcomes} == {
            step: records for step, records in funnel.items() if step.startswith("verdict: ")
        }
        assert sum(row["attempts"] for row in store.rows("FROM tokens")) == count(store, "attempts")


def test_a_curve_begins_with_the_columns_of_difficulty(finished):
    with open_snapshot(finished.workspace) as store:
        rows = store.rows(
            "SELECT d.*, curve FROM difficulty AS d JOIN pass_curves USING (problem_id, model_id, sampler)"
        )
        assert rows
        for row in rows:
            assert row["curve"][:2] == pytest.approx([row["pass_at_1"], row["pass_at_2"]])
            assert [p is None for p in row["curve"]] == [k > row["num_attempts"] for k in range(1, 17)]


def test_lineage_leads_from_a_trace_to_its_problem(finished):
    with open_snapshot(finished.workspace) as store:
        told = store.rows("FROM lineage WHERE kind = 'trace' AND relation = 'solves' LIMIT 5")
        assert told
        for row in told:
            assert store.places("problems", "id", [row["from_id"]])


def test_the_published_snapshot_is_the_database(finished):
    snapshot = (finished.workspace.snapshots / "current.duckdb").resolve()
    assert snapshot.read_bytes() == finished.workspace.database.read_bytes()
