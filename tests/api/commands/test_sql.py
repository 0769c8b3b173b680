"""`gradus sql`: what it prints, writes, saves and refuses."""

import io
import json

import pyarrow.parquet as pq
import pytest

from gradus.api.cli import main


@pytest.fixture
def sql(spoilable, capfdbinary):
    def run(*words):
        code = main(["sql", *words, "--workspace", str(spoilable.workspace.root)])
        out, err = capfdbinary.readouterr()
        return code, out, err.decode()

    return run


def test_a_table_is_shown(sql):
    code, out, err = sql("SELECT count(*) AS problems FROM problems")
    assert (code, err) == (0, "")
    assert out.decode().split() == ["problems", "────────", "40"]


@pytest.mark.parametrize("format", ["json", "ndjson", "csv", "arrow", "parquet"])
def test_every_format_goes_to_standard_output_or_a_file_alike(sql, tmp_path, format):
    words = ("SELECT range AS n FROM range(3)", "--format", format)
    _, printed, _ = sql(*words)
    code, out, _ = sql(*words, "-o", str(tmp_path / "x"), "--json")
    assert code == 0
    assert json.loads(out) == {"rows": 3, "truncated": "no", "output": str(tmp_path / "x")}
    written = (tmp_path / "x").read_bytes()
    assert written == printed
    if format == "parquet":
        assert pq.read_table(io.BytesIO(written)).num_rows == 3


def test_what_is_cut_off_is_said(sql):
    code, out, err = sql("SELECT range AS n FROM range(100)", "--max-rows", "5")
    assert code == 0
    assert len(out.splitlines()) == 2 + 5
    assert "only the first 5 rows: --max-rows shows more" in err
    _, out, _ = sql("SELECT range AS n FROM range(100)", "--max-rows", "5", "--json")
    assert json.loads(out)["truncated"] is True


@pytest.mark.parametrize(
    ("given", "bound"),
    [("x=1", 1), ("x=text", "text"), ('x="1"', "1"), ("$x=a=b", "a=b"), ("x=null", None), ("x=[1, 2]", [1, 2])],
)
def test_parameters_are_bound_by_type(sql, given, bound):
    _, out, _ = sql("SELECT $x AS x", "--param", given, "--json")
    assert json.loads(out)["rows"] == [{"x": bound}]


def test_a_query_can_come_from_standard_input(sql, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("SELECT 7 AS seven"))
    assert json.loads(sql("-", "--json")[1])["rows"] == [{"seven": 7}]


def test_a_query_is_saved_run_listed_and_forgotten(sql):
    code, out, _ = sql(
        "SELECT range AS n FROM range($most)", "--param", "most=2", "--save", "few", "--description", "Few."
    )
    assert code == 0
    assert b"gradus sql --saved few" in out
    assert json.loads(sql("--saved", "few", "--json")[1])["rows"] == [{"n": 0}, {"n": 1}]
    assert len(json.loads(sql("--saved", "few", "--param", "most=3", "--json")[1])["rows"]) == 3
    listed = {query["name"]: query for query in json.loads(sql("--list", "--json")[1])}
    assert listed["few"]["description"] == "Few."
    assert listed["funnel"]["shipped"]
    assert sql("--forget", "few")[0] == 0
    assert sql("--saved", "few")[0] == 2


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "one of a query, --saved NAME, --list"),
        (("SELECT 1", "--saved", "funnel"), 2, "one of a query"),
        (("--saved", "funnel", "--save", "x"), 2, "--save goes with a query"),
        (("SELECT 1", "--param", "x"), 2, "it is name=value"),
        (("SELECT 1", "-o", "x"), 2, "--format is needed"),
        (("SELECT 1", "--format", "csv", "--json"), 2, "-o FILE leaves it to --json"),
        (("SELECT 1", "--max-rows", "0"), 2, "--max-rows 0"),
        (("SELECT 1", "--timeout-s", "-1"), 2, "--timeout-s -1.0"),
        (("--saved", "nothing"), 2, "no saved query 'nothing'. Known: answer-lengths"),
        (("--forget", "funnel"), 2, "comes with Gradus"),
        (("DROP TABLE problems",), 3, "only a SELECT"),
        (("SELECT 1", "--save", "No"), 3, "is no name for a query"),
        (("SELECT $x", "--format", "csv"), 3, "x"),
    ],
)
def test_bad_input_is_one_clear_error(sql, words, code, said):
    found, out, err = sql(*words)
    assert (found, out) == (code, b"")
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_failed_query_leaves_the_file_that_was_there(sql, tmp_path):
    (tmp_path / "x").write_text("before")
    assert sql("SELECT error('no')", "--format", "csv", "-o", str(tmp_path / "x"))[0] == 3
    assert [path.read_text() for path in tmp_path.glob("x*")] == ["before"]
