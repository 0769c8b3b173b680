"""Users' SQL reads the records and nothing else: no file, no setting, no second statement, no endless query."""

import tempfile
import time

import pytest

from gradus.api.sql.query import Limits
from gradus.api.sql.query import ask as ask_sql
from gradus.errors import DataError, WorkspaceError

LIMITS = Limits(timeout_s=1.0, max_rows=100, memory_mb=256)


class Rows:
    """An answer, read."""

    def __init__(self, answer):
        self.columns, self.truncated = answer.columns, answer.cut != "no"
        self.rows = answer.rows()


@pytest.fixture
def ask(finished):
    def run(sql, parameters=None, limits=LIMITS):
        return Rows(ask_sql(finished.workspace, sql, parameters, limits=limits))

    return run


def everything(folder):
    return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


@pytest.mark.parametrize(
    "sql",
    [
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t) SELECT count(*) FROM t",
        "WITH RECURSIVE t AS (SELECT 1 AS x UNION SELECT x + 1 FROM t) SELECT max(x) FROM t",
        "SELECT count(*) FROM range(10000000000) a, range(10000000000) b",
        "SELECT sum(a.range * b.range) FROM range(10000000) a JOIN range(10000000) b ON a.range < b.range",
    ],
)
def test_an_endless_query_is_stopped(ask, sql):
    start = time.monotonic()
    with pytest.raises(DataError, match=r"the query took longer than 0\.3 s"):
        ask(sql, limits=Limits(timeout_s=0.3, memory_mb=256))
    assert time.monotonic() - start < 20


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT length(repeat('x', 500000000) || 'y')",
        "SELECT length(repeat('x', 2000000000))",
        "SELECT list_sum(range(3000000000))",
        "SELECT len(array_agg(range)) FROM range(1000000000)",
    ],
)
def test_one_huge_value_is_stopped_too(ask, sql):
    start = time.monotonic()
    with pytest.raises(DataError, match=r"Out of Memory|took longer"):
        ask(sql)
    assert time.monotonic() - start < 20  # test_hostile.py says how soon on a machine that does nothing else


def test_a_query_that_is_stopped_leaves_nothing_behind(ask, finished, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = everything(finished.workspace.root)
    with pytest.raises(DataError, match="took longer"):
        ask("SELECT count(*) FROM (SELECT repeat('x', 20) FROM range(30000000) ORDER BY hash(range) LIMIT 2000000)")
    assert everything(finished.workspace.root) == before
    assert not list(tmp_path.iterdir())


def test_an_answer_that_is_too_large_is_refused(ask):
    with pytest.raises(DataError, match="the answer is larger than 64 MB"):
        ask("SELECT repeat('x', 70000000)", limits=Limits(timeout_s=10.0))


def test_a_query_gets_no_more_memory_than_its_limit(ask):
    with pytest.raises(DataError, match=r"SQL: Out of Memory|took longer"):
        ask("SELECT count(*) FROM (SELECT DISTINCT hash(range), range::VARCHAR || 'abcdefgh' FROM range(100000000))")


@pytest.mark.parametrize("sql", ["SELECT " + "+".join(["1"] * 600), "SELECT " + "NOT " * 900 + "true"])
def test_a_deep_expression_is_answered_or_refused(ask, sql):
    try:
        ask(sql)
    except DataError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017


def test_a_text_that_is_no_unicode_is_refused(ask):
    with pytest.raises(Exception, match="surrogate") as error:
        ask("SELECT '\ud800'")
    assert isinstance(error.value, DataError)


@pytest.mark.parametrize(
    ("sql", "parameters", "rows"),
    [
        ("SELECT count(*) AS n FROM problems", {}, [{"n": 40}]),
        ("FROM problems SELECT count(*) AS n", {}, [{"n": 40}]),
        ("SELECT domain, count(*) AS n FROM problems GROUP BY ALL", {}, [{"domain": "math", "n": 40}]),
        ("WITH hard AS (SELECT * FROM difficulty WHERE pass_at_1 = 0) SELECT count(*) AS n FROM hard", {}, [{"n": 8}]),
        ("SELECT count(*) AS n FROM attempts JOIN verdicts ON attempts.id = attempt_id", {}, [{"n": 188}]),
        ("SELECT DISTINCT kind FROM traces ORDER BY kind", {}, [{"kind": "correction"}, {"kind": "cot"}]),
        ("SELECT 1 AS x UNION ALL SELECT 2 ORDER BY x", {}, [{"x": 1}, {"x": 2}]),
        ("SELECT sum(range) AS s FROM range(10)", {}, [{"s": 45}]),
        ("SELECT unnest([1, 2]) AS x", {}, [{"x": 1}, {"x": 2}]),
        ("VALUES (1, 'a')", {}, [{"col0": 1, "col1": "a"}]),
        (
            "WITH RECURSIVE t AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM t WHERE x < 4) SELECT sum(x) AS s FROM t",
            {},
            [{"s": 10}],
        ),
        ("SELECT row_number() OVER (ORDER BY id) AS r FROM problems QUALIFY r = 40", {}, [{"r": 40}]),
        ("SELECT spec->>'$.expected' AS e FROM problems WHERE prompt = 'What is 0 + 1?'", {}, [{"e": "1"}]),
        ("SELECT count(*) AS n FROM problems WHERE list_contains(tags, 'heldout')", {}, [{"n": 5}]),
        ("SELECT records FROM funnel WHERE step = 'problems'", {}, [{"records": 40}]),
        ("SELECT count(*) AS n FROM (SHOW TABLES) WHERE name = 'judged'", {}, [{"n": 1}]),
        ("SELECT column_name AS c FROM (DESCRIBE funnel)", {}, [{"c": "step"}, {"c": "records"}]),
        ("WITH Hard AS (SELECT 1 AS x) SELECT x FROM main.problems, hard LIMIT 1", {}, [{"x": 1}]),
        ("SELECT 1 AS x;", {}, [{"x": 1}]),
        ("SELECT $a + $b AS s", {"a": 1, "b": 2}, [{"s": 3}]),
        ("SELECT $a AS s", {"a": "'; DROP TABLE problems; --"}, [{"s": "'; DROP TABLE problems; --"}]),
        ("SELECT count(*) AS n FROM problems WHERE domain = $d", {"d": "x' OR '1' = '1"}, [{"n": 0}]),
        ("SELECT 'COPY x TO y; getenv(1)' AS s", {}, [{"s": "COPY x TO y; getenv(1)"}]),
    ],
)
def test_an_honest_query_is_answered(ask, sql, parameters, rows):
    answer = ask(sql, parameters)
    assert answer.rows == rows
    assert not answer.truncated


def test_more_rows_than_the_limit_are_cut_off(ask):
    answer = ask("SELECT * FROM range(1000)")
    assert (len(answer.rows), answer.truncated) == (100, True)
    exact = ask("SELECT * FROM range(100)")
    assert (len(exact.rows), exact.truncated) == (100, False)


@pytest.mark.parametrize(
    ("sql", "parameters"), [("SELECT $x", {}), ("SELECT 1", {"x": 1}), ("SELECT nothing FROM problems", {})]
)
def test_a_query_that_cannot_run_says_why(ask, sql, parameters):
    with pytest.raises(DataError, match=r"^SQL: "):
        ask(sql, parameters)


def test_no_column_is_lost(ask):
    answer = ask("SELECT * FROM problems JOIN attempts ON problems.id = problem_id LIMIT 1")
    assert list(answer.rows[0]) == answer.columns
    assert {"id", "id_1"} < answer.rows[0].keys()


def test_columns_of_one_name_are_numbered(ask):
    assert ask("SELECT 1 AS a, 2 AS a_1, 3 AS a, 4 AS a").rows == [{"a": 1, "a_1": 2, "a_2": 3, "a_3": 4}]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ("DATE '2026-01-02'", "2026-01-02"),
        ("TIMESTAMP '2026-01-02 03:04:05'", "2026-01-02T03:04:05"),
        ("TIME '03:04:05'", "03:04:05"),
        ("1.5", 1.5),
        ("170141183460469231731687303715884105727::HUGEINT", 2**127 - 1),
        ("'\\xFF\\x00'::BLOB", "ff00"),
        ("'nan'::DOUBLE", None),
        ("[1.5, '-inf'::DOUBLE]", [1.5, None]),
        ("{'a': [DATE '2026-01-02']}", {"a": ["2026-01-02"]}),
        ("MAP {1: true}", {"1": True}),
    ],
)
def test_what_json_lacks_comes_back_as_something_it_has(ask, value, plain):
    assert ask(f"SELECT {value} AS x").rows == [{"x": plain}]


def test_a_workspace_without_a_snapshot_says_so(workspace):
    with pytest.raises(WorkspaceError, match="nothing in it yet"):
        ask_sql(workspace, "SELECT 1", limits=LIMITS)
