"""One answer in every format, cut where the limits say, and never silently."""

import csv
import io
import json

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gradus.api.sql.formats import FORMATS, MEDIA_TYPES, wanted_format
from gradus.api.sql.query import Limits, ask, stream
from gradus.errors import DataError

READERS = {
    "json": lambda data: json.loads(data)["rows"],
    "ndjson": lambda data: [json.loads(line) for line in data.splitlines()],
    "csv": lambda data: list(csv.DictReader(io.StringIO(data.decode()))),
    "arrow": lambda data: pa.ipc.open_stream(data).read_all().to_pylist(),
    "parquet": lambda data: pq.read_table(io.BytesIO(data)).to_pylist(),
}


@pytest.fixture
def get(finished):
    def ask_in(sql, format, **limits):
        answer = ask(finished.workspace, sql, format=format, limits=Limits(**limits))
        return answer, b"".join(answer.chunks())

    return ask_in


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_holds_the_same_rows(get, format):
    sql = "SELECT range AS n, 'x' || range AS s, range / 2 AS h FROM range(5000) ORDER BY n"
    answer, data = get(sql, format)
    rows = READERS[format](data)
    assert answer.columns == ["n", "s", "h"]
    assert (answer.num_rows, answer.cut) == (5000, "no")
    assert [(int(row["n"]), row["s"], float(row["h"])) for row in rows] == [(i, f"x{i}", i / 2) for i in range(5000)]


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("limit", [1, 100, 2048, 5000])
def test_rows_beyond_the_limit_are_cut_off_and_that_is_said(get, format, limit):
    answer, data = get("SELECT range AS n FROM range(5001)", format, max_rows=limit)
    rows = READERS[format](data)
    assert (answer.num_rows, answer.cut) == (limit, "rows")
    if format == "ndjson":
        assert rows.pop() == {"_end": {"truncated": "rows", "rows": limit}}
    assert [int(row["n"]) for row in rows] == list(range(limit))


@pytest.mark.parametrize("format", FORMATS)
def test_exactly_as_many_rows_as_the_limit_are_all(get, format):
    answer, data = get("SELECT range AS n FROM range(3000)", format, max_rows=3000)
    assert (answer.num_rows, answer.cut) == (3000, "no")
    assert len(READERS[format](data)) == 3000


@pytest.mark.parametrize("format", FORMATS)
def test_bytes_beyond_the_limit_are_cut_off_between_rows(get, format):
    answer, data = get("SELECT repeat('x', 1000) AS s FROM range(5000)", format, max_bytes=1 << 20)
    rows = READERS[format](data)
    assert answer.cut == "bytes"
    if format == "ndjson":
        assert rows.pop()["_end"]["truncated"] == "bytes"
    assert len(rows) == answer.num_rows
    assert 900 < answer.num_rows < 1050
    assert all(row["s"] == "x" * 1000 for row in rows)


@pytest.mark.parametrize("format", FORMATS)
def test_a_row_larger_than_the_limit_is_an_error(get, format):
    with pytest.raises(DataError, match="the answer is larger than 1 MB"):
        get("SELECT repeat('x', 2000000) AS s", format, max_bytes=1 << 20)


@pytest.mark.parametrize("format", FORMATS)
def test_no_rows_are_an_answer_too(get, format):
    answer, data = get("SELECT 1 AS x WHERE false", format)
    assert (answer.columns, answer.num_rows, answer.cut) == (["x"], 0, "no")
    assert READERS[format](data) == []


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "value",
    [
        "DATE '2026-01-02'",
        "TIMESTAMPTZ '2026-01-02 03:04:05+00'",
        "TIMESTAMP_NS '2026-01-02 03:04:05.123456789'",
        "TIME '03:04:05'",
        "'03:04:05+01'::TIMETZ",
        "INTERVAL 3 DAY",
        "[INTERVAL 3 DAY]",
        "170141183460469231731687303715884105727::HUGEINT",
        "340282366920938463463374607431768211455::UHUGEINT",
        "12345678901234567890123456789::BIGNUM",
        "1.5::DECIMAL(38, 10)",
        "'nan'::DOUBLE",
        "'-inf'::FLOAT",
        "[1, NULL]",
        "[1, 2]::INTEGER[2]",
        "{'a': [1], 'b': {'c': 'x'}}",
        "MAP {'a': 1}",
        "union_value(k := 1)",
        "'x'::ENUM('x', 'y')",
        "'101'::BIT",
        "'\\xFF'::BLOB",
        "uuid()",
        "NULL",
        "'[1]'::JSON",
        "1::VARIANT",
        "true",
    ],
)
def test_every_type_can_be_answered_in_every_format(get, format, value):
    answer, data = get(f"SELECT {value} AS x, 1 AS x", format)
    assert answer.columns == ["x", "x_1"]
    (row,) = READERS[format](data)
    assert list(row) == ["x", "x_1"]
    assert str(row["x_1"]) == "1"
    assert (row["x"] in (None, "")) == (
        value == "NULL" or (value in ("'nan'::DOUBLE", "'-inf'::FLOAT") and "json" in format)
    )


def test_what_arrow_cannot_hold_keeps_its_value_as_text(get):
    for value, text in [
        ("INTERVAL 3 DAY", "3 days"),
        ("340282366920938463463374607431768211455::UHUGEINT", "340282366920938463463374607431768211455"),
        ("'101'::BIT", "101"),
    ]:
        (row,) = READERS["parquet"](get(f'SELECT {value} AS "a ""b"""', "parquet")[1])
        assert row == {'a "b"': text}


def test_order_is_kept_where_a_type_has_to_become_text(get):
    _, data = get(
        "SELECT range AS n, INTERVAL (range) DAY AS i FROM range(50000) ORDER BY n DESC", "arrow", max_rows=60000
    )
    assert [row["n"] for row in READERS["arrow"](data)] == list(range(49999, -1, -1))


def test_polars_reads_what_we_write(get):
    frame = pl.read_parquet(io.BytesIO(get("SELECT id, tags FROM problems", "parquet")[1]))
    assert frame.shape == (40, 2)
    assert pl.read_ipc_stream(get("SELECT id FROM problems", "arrow")[1]).height == 40


def test_csv_quotes_what_needs_it(get):
    _, data = get(
        """SELECT 'a,"b"' || chr(10) || 'c' AS x, [1, 2] AS l, {'k': 'ü'} AS s, true AS t, 1.50 AS d""", "csv"
    )
    (row,) = READERS["csv"](data)
    assert row == {"x": 'a,"b"\nc', "l": "[1,2]", "s": '{"k":"ü"}', "t": "true", "d": "1.50"}


def test_a_name_with_a_percent_sign_is_a_name(get):
    assert READERS["ndjson"](get('SELECT 1 AS "a%s", 2 AS "100%"', "ndjson")[1]) == [{"a%s": 1, "100%": 2}]


def test_a_stream_begins_before_its_query_has_ended(finished):
    pieces = stream(
        finished.workspace, "SELECT repeat('x', 1000) AS s FROM range(1000000000)", limits=Limits(timeout_s=30)
    )
    first = next(pieces)
    assert json.loads(first.split(b"\n")[0]) == {"s": "x" * 1000}
    pieces.close()


def test_a_stream_says_what_went_wrong_on_its_way(finished):
    # Numbered by row_number, rows are made one after another; in parallel the error may come before the first of them.
    sql = """
        SELECT CASE WHEN n < 1000000 THEN n ELSE error('too far')::BIGINT END AS n
        FROM (SELECT row_number() OVER () - 1 AS n FROM range(1100000))
    """
    *rows, last = b"".join(stream(finished.workspace, sql, limits=Limits(max_rows=1_100_000))).splitlines()
    assert "too far" in json.loads(last)["_end"]["error"]
    assert json.loads(rows[-1])["n"] == len(rows) - 1


def test_a_stream_that_fails_at_once_is_an_error(finished):
    with pytest.raises(DataError, match="nothing"):
        stream(finished.workspace, "SELECT nothing", limits=Limits())


@pytest.mark.parametrize(
    ("accept", "format"),
    [
        ("", "json"),
        ("*/*", "json"),
        ("text/csv", "csv"),
        ("application/x-ndjson, application/json;q=0.5", "ndjson"),
        ("application/json;q=0.1, application/vnd.apache.parquet;q=0.9", "parquet"),
        ("text/html, application/vnd.apache.arrow.stream", "arrow"),
        ("TEXT/CSV; charset=utf-8", "csv"),
        ("text/html", None),
        ("application/json;q=0", None),
        ("application/json;q=much", None),
    ],
)
def test_the_format_is_the_one_that_is_accepted_most(accept, format):
    assert wanted_format(accept) == format


def test_every_format_has_a_media_type_of_its_own():
    assert len({wanted_format(media) for media in MEDIA_TYPES.values()}) == len(FORMATS)
