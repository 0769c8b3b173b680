"""What users want to ask is answered: the allow-list refuses no honest query."""

import pytest

from gradus.api.sql import saved
from gradus.api.sql.query import Limits, ask

# The workspace: 40 problems, 35 of them for training; problem i has i % 5 of four answers right.
ANSWERED = [
    ("SELECT count(*) AS n FROM difficulty WHERE pass_at_1 BETWEEN 0.2 AND 0.8", [{"n": 24}]),
    ("SELECT DISTINCT num_passed FROM difficulty ORDER BY ALL DESC LIMIT 1", [{"num_passed": 4}]),
    (
        "SELECT tenth, count(*) AS n FROM (SELECT floor(pass_at_1 * 4)::INTEGER AS tenth FROM difficulty) GROUP BY 1 "
        "ORDER BY 1 LIMIT 2",
        [{"tenth": 0, "n": 8}, {"tenth": 1, "n": 8}],
    ),
    ("SELECT round(wilson_low(3, 4), 3) AS low, round(wilson_high(3, 4), 3) AS high", [{"low": 0.301, "high": 0.954}]),
    ("SELECT wanted_passes('x-until-3') AS n", [{"n": 3}]),
    ("SELECT quantile_cont(pass_at_1, 0.5) AS q FROM difficulty", [{"q": 0.5}]),
    ("SELECT quantile_disc(pass_at_1, [0.25, 0.75]) AS q FROM difficulty", [{"q": [0.25, 0.75]}]),
    ("SELECT median(pass_at_1) AS m, mad(pass_at_1) AS d FROM difficulty", [{"m": 0.5, "d": 0.25}]),
    ("SELECT approx_count_distinct(problem_id) > 30 AS many FROM attempts", [{"many": True}]),
    ("SELECT corr(pass_at_1, num_passed) > 0.99 AS linear FROM difficulty", [{"linear": True}]),
    ("SELECT arg_max(problem_id, pass_at_1) IS NOT NULL AS found FROM difficulty", [{"found": True}]),
    ("SELECT bool_and(num_attempts = 4) AS four FROM difficulty", [{"four": True}]),
    (
        'SELECT count(*) AS n FROM (SELECT *, row_number() OVER (PARTITION BY problem_id ORDER BY "index") AS r '
        "FROM attempts WHERE failed_attempt_id IS NULL) WHERE r = 1",
        [{"n": 40}],
    ),
    ("SELECT lag(x, 1, 0) OVER (ORDER BY x) AS l FROM range(2) t(x)", [{"l": 0}, {"l": 0}]),
    ("SELECT ntile(2) OVER (ORDER BY x) AS h, percent_rank() OVER (ORDER BY x) AS p FROM range(2) t(x)", None),
    ("SELECT sum(x) OVER w AS s FROM range(3) t(x) WINDOW w AS (ORDER BY x ROWS UNBOUNDED PRECEDING)", None),
    ("SELECT x, count(*) FILTER (y > 0) AS n FROM (VALUES (1, 0), (1, 2)) t(x, y) GROUP BY x", [{"x": 1, "n": 1}]),
    ("SELECT x FROM range(4) t(x) QUALIFY row_number() OVER (ORDER BY x DESC) = 1", [{"x": 3}]),
    ("WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS x FROM a) SELECT * FROM b", [{"x": 2}]),
    ("WITH a AS MATERIALIZED (SELECT 1 AS x) SELECT a.x + b.x AS s FROM a, a AS b", [{"s": 2}]),
    ("SELECT (WITH a AS (SELECT 2 AS x) SELECT x FROM a) AS x", [{"x": 2}]),
    ("SELECT domain, count(*) AS n FROM problems GROUP BY ROLLUP (domain) ORDER BY n, domain NULLS LAST", None),
    (
        "SELECT grouping(domain) AS g FROM problems GROUP BY GROUPING SETS ((domain), ()) ORDER BY g",
        [{"g": 0}, {"g": 1}],
    ),
    ("SELECT count(*) AS n FROM problems SEMI JOIN difficulty ON problem_id = id", [{"n": 40}]),
    ("SELECT count(*) AS n FROM problems ANTI JOIN difficulty ON problem_id = id", [{"n": 0}]),
    ("SELECT count(*) AS n FROM attempts LEFT JOIN traces ON traces.attempt_id = attempts.id", None),
    (
        "SELECT p.domain, d.n FROM problems p, LATERAL (SELECT count(*) AS n FROM attempts WHERE problem_id = p.id) d",
        None,
    ),
    ("SELECT a.x FROM range(3) a(x) POSITIONAL JOIN range(3) b(y) WHERE y = 2", [{"x": 2}]),
    ("SELECT y FROM (VALUES (1.5)) a(x) ASOF JOIN (VALUES (1), (2)) b(y) ON x >= y", [{"y": 1}]),
    (
        "SELECT count(*) AS n FROM problems WHERE id IN (SELECT problem_id FROM difficulty WHERE pass_at_1 = 0)",
        [{"n": 8}],
    ),
    ("SELECT count(*) AS n FROM problems p WHERE EXISTS (FROM traces WHERE problem_id = p.id AND kind = 'cot')", None),
    ("SELECT id FROM problems EXCEPT SELECT problem_id FROM difficulty", []),
    ("SELECT 1 AS x UNION BY NAME SELECT 2 AS y ORDER BY x", [{"x": 1, "y": None}, {"x": None, "y": 2}]),
    ("SELECT unnest(tags) AS tag, count(*) AS n FROM problems GROUP BY 1", [{"tag": "heldout", "n": 5}]),
    ("SELECT t.tag FROM problems, unnest(tags) AS t(tag) LIMIT 1", [{"tag": "heldout"}]),
    ("SELECT list_filter([1, 2, 3], lambda x: x > 1) AS l, list_sum([1, 2]) AS s", [{"l": [2, 3], "s": 3}]),
    ("SELECT [x * 2 FOR x IN [1, 2] IF x > 1] AS l", [{"l": [4]}]),
    ("SELECT list_sort(list_distinct(['b', 'a', 'b'])) AS l, [1, 2, 3][2:] AS s", [{"l": ["a", "b"], "s": [2, 3]}]),
    ("SELECT {'a': 1, 'b': 'x'}.b AS b, struct_pack(k := 2).k AS k", [{"b": "x", "k": 2}]),
    ("SELECT MAP {'a': 1}['a'] AS v, map_keys(MAP {'a': 1}) AS k", [{"v": 1, "k": ["a"]}]),
    ("SELECT unnest({'a': 1, 'b': 2})", [{"a": 1, "b": 2}]),
    ("SELECT spec->>'expected' AS e FROM problems WHERE prompt = 'What is 3 + 4?'", [{"e": "7"}]),
    ("SELECT json_extract_string(messages, '$[0].role') AS r FROM traces LIMIT 1", [{"r": "user"}]),
    ("SELECT json_array_length(messages) > 1 AS more FROM traces LIMIT 1", [{"more": True}]),
    (
        "SELECT e.value->>'role' AS r FROM traces, json_each(messages) AS e ORDER BY traces.id, e.key LIMIT 1",
        [{"r": "user"}],
    ),
    ('SELECT from_json(messages, \'[{"role": "VARCHAR"}]\')[1].role AS r FROM traces LIMIT 1', [{"r": "user"}]),
    ("SELECT json_type(sampling) AS t FROM attempts LIMIT 1", [{"t": "OBJECT"}]),
    (
        "SELECT regexp_extract(prompt, '([0-9]+) \\+', 1)::INTEGER AS n FROM problems ORDER BY n DESC LIMIT 1",
        [{"n": 39}],
    ),
    (
        "SELECT count(*) AS n FROM problems WHERE prompt ILIKE 'what%' AND prompt ~ '[0-9]' AND prompt ^@ 'W'",
        [{"n": 40}],
    ),
    ("SELECT string_split('a,b', ',') AS l, string_agg(x, '-' ORDER BY x) AS s FROM (VALUES ('b'), ('a')) t(x)", None),
    (
        "SELECT format('{:.2f}', 0.123) AS f, printf('%05d', 7) AS p, bar(1, 0, 2, 4) AS b",
        [{"f": "0.12", "p": "00007", "b": "██  "}],
    ),
    ("SELECT levenshtein('abc', 'abd') AS l, jaro_winkler_similarity('a', 'a') AS j", [{"l": 1, "j": 1.0}]),
    ("SELECT sha256(prompt) IS NOT NULL AS h, length(md5(prompt)) AS n, hash(1) > 0 AS k FROM problems LIMIT 1", None),
    (
        "SELECT try_cast('x' AS INTEGER) AS x, coalesce(NULL, 2) AS c, nullif(1, 1) AS n",
        [{"x": None, "c": 2, "n": None}],
    ),
    ("SELECT CASE WHEN 1 > 0 THEN 'a' ELSE 'b' END AS c, if(true, 1, 2) AS i", [{"c": "a", "i": 1}]),
    (
        "SELECT date_diff('day', DATE '2026-01-01', DATE '2026-02-01') AS d, strftime(DATE '2026-01-02', '%Y') AS y",
        [{"d": 31, "y": "2026"}],
    ),
    ("SELECT date_trunc('month', TIMESTAMP '2026-01-15 10:00:00') AS m", [{"m": "2026-01-01T00:00:00"}]),
    ("SELECT TIMESTAMPTZ '2026-01-01 12:00:00+00' AT TIME ZONE 'Europe/Berlin' AS t", [{"t": "2026-01-01T13:00:00"}]),
    (
        "SELECT now() > TIMESTAMP '2020-01-01' AS later, current_date > DATE '2020-01-01' AS day",
        [{"later": True, "day": True}],
    ),
    ("SELECT count(*) AS n FROM (SELECT * FROM problems USING SAMPLE 10 ROWS (reservoir, 42))", [{"n": 10}]),
    ("SELECT random() BETWEEN 0 AND 1 AS r, uuid() IS NOT NULL AS u", [{"r": True, "u": True}]),
    ("SELECT setseed(0.5), x FROM (SELECT 1 AS x)", None),
    ("SELECT generate_series AS x FROM generate_series(1, 5, 2)", [{"x": 1}, {"x": 3}, {"x": 5}]),
    ("SELECT columns('num_.*') FROM difficulty LIMIT 1", None),
    ("SELECT * EXCLUDE (messages, token_ids, token_logprobs) FROM attempts LIMIT 1", None),
    ("SELECT * REPLACE (upper(domain) AS domain) FROM (SELECT domain FROM problems LIMIT 1)", [{"domain": "MATH"}]),
    ("SELECT * RENAME (domain AS field) FROM (SELECT domain FROM problems LIMIT 1)", [{"field": "math"}]),
    ("FROM funnel WHERE step = 'attempts'", [{"step": "attempts", "records": 188}]),
    ("FROM problems SELECT count(*) AS n WHERE domain = 'math'", [{"n": 40}]),
    ("TABLE funnel", None),
    ("SUMMARIZE difficulty", None),
    ("DESCRIBE problems", None),
    ("SHOW TABLES", None),
    ("SELECT name FROM (SHOW TABLES) WHERE name = 'corrections'", [{"name": "corrections"}]),
    (
        "FROM (SELECT kind, domain FROM traces) PIVOT (count(*) FOR kind IN ('cot', 'none') GROUP BY domain)",
        None,
    ),
    (
        "SELECT * FROM (SELECT 1 AS a, 2 AS b) UNPIVOT (v FOR k IN (a, b)) ORDER BY k",
        [{"k": "a", "v": 1}, {"k": "b", "v": 2}],
    ),
    (
        "WITH RECURSIVE up AS (SELECT 1 AS x UNION ALL SELECT x * 2 FROM up WHERE x < 100) SELECT max(x) AS m FROM up",
        [{"m": 128}],
    ),
    (
        "WITH pairs AS (SELECT failed.answer, fixed.answer AS mended FROM attempts AS fixed JOIN attempts AS failed "
        "ON failed.id = fixed.failed_attempt_id) SELECT count(*) > 0 AS some FROM pairs",
        [{"some": True}],
    ),
    ("SELECT token_ids[1] IS NULL AS none, len(token_logprobs) AS n FROM attempts LIMIT 1", None),
    ("SELECT avg(tokens_out) AS mean, sum(seconds) AS s FROM attempts GROUP BY model_id ORDER BY mean", None),
    ("SELECT m.rule_outcome, m.outcome FROM model_judged AS m", []),
    ("SELECT reason, count(*) AS n FROM judged WHERE outcome = 'unparseable' GROUP BY 1", None),
    ("SELECT x FROM (VALUES (1), (2)) t(x) ORDER BY x DESC LIMIT 1 OFFSET 1", [{"x": 1}]),
    ("SELECT 'COPY x TO y; DROP TABLE problems' AS s -- COPY\n", [{"s": "COPY x TO y; DROP TABLE problems"}]),
    ('SELECT 1 AS "a b", 2 AS "ü"', [{"a b": 1, "ü": 2}]),
    ("SELECT 1_000 AS n, 1e3 AS e", [{"n": 1000, "e": 1000.0}]),
    ("SELECT $$it's$$ AS s, E'a\\tb' AS t", [{"s": "it's", "t": "a\tb"}]),
]


@pytest.mark.parametrize(("sql", "rows"), ANSWERED, ids=lambda value: str(value)[:60])
def test_an_honest_query_is_answered(finished, sql, rows):
    answer = ask(finished.workspace, sql, limits=Limits())
    found = answer.rows()
    assert answer.cut == "no"
    if rows is None:
        assert found
    else:
        assert found == rows


@pytest.mark.parametrize("query", [path.stem for path in sorted(saved.SHIPPED.glob("*.sql"))])
@pytest.mark.parametrize("format", ["json", "parquet"])
def test_every_query_that_comes_with_us_runs(finished, query, format):
    found = saved.find_query(finished.workspace, query)
    assert found.shipped
    assert found.description.endswith(".")
    answer = ask(finished.workspace, found.sql, saved.bind(found, {}), format=format, limits=Limits())
    assert answer.columns
    assert answer.num_rows or query in ("teacher-fit", "unverified", "drops")


def test_the_queries_that_come_with_us_say_what_is_there(finished):
    def rows(name, **values):
        query = saved.find_query(finished.workspace, name)
        return ask(finished.workspace, query.sql, saved.bind(query, values), limits=Limits()).rows()

    assert sum(row["problems"] for row in rows("difficulty-histogram")) == 40
    assert rows("difficulty-histogram", model="nobody") == []
    hardest = rows("hardest-problems", limit=3)
    assert [row["pass_at_1"] for row in hardest] == [0, 0, 0]
    assert rows("hardest-problems", domain="code") == []
    (rate,) = rows("pass-rates")
    assert rate["low"] < rate["pass_rate"] == 0.5 < rate["high"]
    assert all(0.2 <= row["pass_at_1"] <= 0.8 for row in rows("learnable"))
    assert len(rows("learnable", low=0.5, high=0.5)) == 7
    assert sum(row["attempts"] for row in rows("verdicts")) == 188
    assert sum(row["problems"] for row in rows("sources")) == 40
    assert rows("unverified") == []
    (corrected,) = rows("correction-rates")
    assert 0 < corrected["corrected"] < corrected["tried"]
