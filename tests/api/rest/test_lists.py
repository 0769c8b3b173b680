"""Lists: pages, filters, formats, cursors that outlive a snapshot, and ETags."""

import base64
import io
import json

import polars as pl
import pytest

from gradus.engine.records import Problem
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace

LISTS = ["problems", "attempts", "verdicts", "traces", "difficulty"]
IN_BAND = "SELECT problem_id FROM difficulty WHERE pass_at_1 BETWEEN 0.25 AND 0.5"
KEYS = {"difficulty": "problem_id", "verdicts": "attempt_id"}


def walk(client, path, **parameters):
    """Return the rows of every page, by the Link headers."""
    rows, url, query = [], f"/v1/{path}", parameters
    while url:
        response = client.get(url, params=query)
        assert response.status_code == 200, response.text
        rows += response.json()["rows"]
        url, query = response.links.get("next", {}).get("url"), None
        assert (url is None) == (response.json()["next"] is None)
    return rows


def count(finished, query, **parameters):
    with open_store(finished.workspace) as store:
        return store.rows(query, parameters)[0]["n"]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [7, 1000])
def test_pages_visit_every_row_once(rest, finished, path, limit):
    rows = walk(rest, path, limit=limit)
    key = KEYS.get(path, "id")
    assert len({row[key] for row in rows}) == len(rows) > 0
    assert len(rows) == count(finished, f"SELECT count(*) AS n FROM {path}")


@pytest.mark.parametrize(
    ("path", "filters", "where"),
    [
        ("problems", {"domain": "math"}, "true"),
        ("problems", {"domain": "code"}, "false"),
        ("problems", {"tag": "heldout"}, "list_contains(tags, 'heldout')"),
        ("problems", {"text": "IS 1"}, "prompt LIKE '% is 1%'"),
        ("problems", {"source": "elsewhere"}, "false"),
        ("problems", {"min_rate": 0.25, "max_rate": 0.5}, f"id IN ({IN_BAND})"),
        ("problems", {"model": "other"}, "false"),
        ("attempts", {"correction": True}, "failed_attempt_id IS NOT NULL"),
        ("attempts", {"correction": False, "text": "do not know"}, "answer = 'I do not know.'"),
        ("attempts", {"outcome": "pass"}, "id IN (SELECT id FROM judged WHERE outcome = 'pass')"),
        ("attempts", {"outcome": "verifier_error"}, "false"),
        ("verdicts", {"outcome": "unparseable"}, "outcome = 'unparseable'"),
        ("traces", {"kind": "correction"}, "kind = 'correction'"),
        ("traces", {"teacher": "nobody"}, "false"),
        ("difficulty", {"min_rate": 0.5, "max_rate": 0.5}, "pass_at_1 = 0.5"),
        ("difficulty", {"min_attempts": 5}, "num_attempts >= 5"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("limit", [3, 1000])
def test_filters_give_what_sql_gives(rest, finished, path, filters, where, limit):
    rows = walk(rest, path, limit=limit, **filters)
    assert len(rows) == count(finished, f"SELECT count(*) AS n FROM {path} WHERE {where}")


def test_attempts_of_a_problem_come_with_the_verdicts_that_count(rest, finished):
    attempts = walk(rest, "attempts", limit=50)
    with open_store(finished.workspace) as store:
        judged = {row["id"]: row for row in store.rows("SELECT id, outcome, score, reason FROM judged")}
    for row in attempts:
        assert {name: row[name] for name in ("id", "outcome", "score", "reason")} == judged[row["id"]]
    one = attempts[0]["problem_id"]
    of_one = [row for row in attempts if row["problem_id"] == one]
    assert walk(rest, "attempts", problem=one, limit=2) == of_one
    assert walk(rest, "verdicts", attempt=of_one[0]["id"])[0]["attempt_id"] == of_one[0]["id"]
    assert walk(rest, "attempts", problem="none") == walk(rest, "traces", problem="none") == []


@pytest.mark.parametrize(("order", "sign"), [("hardest", 1), ("easiest", -1)])
def test_difficulty_is_sorted_over_pages(rest, order, sign):
    rates = [row["pass_at_1"] for row in walk(rest, "difficulty", order=order, limit=3)]
    assert rates == sorted(rates, key=lambda rate: sign * rate)
    assert len(rates) == 40


@pytest.mark.parametrize("path", ["problems", "attempts", "traces"])
def test_a_record_is_read_by_its_id_with_what_its_list_says(rest, path):
    for row in walk(rest, path)[:5]:
        whole = rest.get(f"/v1/{path}/{row['id']}").json()
        told = {name: value for name, value in row.items() if name in whole}
        assert told == {name: whole[name] for name in told}
        assert len(told) >= len(row) - 3  # an attempt's row has its newest verdict, the attempt all of them


@pytest.mark.parametrize("path", LISTS)
def test_every_format_holds_the_same_rows(rest, path):
    def ask(media):
        response = rest.get(f"/v1/{path}?limit=9", headers={"Accept": media})
        assert response.status_code == 200
        assert response.headers["content-type"].partition(";")[0] == media
        assert response.headers["vary"] == "Accept"
        assert 'rel="next"' in response.headers["link"]
        return response

    rows = ask("application/json").json()["rows"]
    assert [json.loads(line) for line in ask("application/x-ndjson").text.splitlines()] == rows
    arrow = pl.read_ipc_stream(io.BytesIO(ask("application/vnd.apache.arrow.stream").content))
    parquet = pl.read_parquet(io.BytesIO(ask("application/vnd.apache.parquet").content))
    assert arrow.equals(parquet)
    as_text = [{name: value for name, value in row.items() if not isinstance(value, dict | list)} for row in rows]
    assert arrow.select(as_text[0].keys()).to_dicts() == as_text
    csv = pl.read_csv(io.BytesIO(ask("text/csv").content))
    assert (csv.columns, len(csv)) == (list(rows[0]), len(rows))


def test_a_format_that_nobody_has_is_406(rest):
    response = rest.get("/v1/problems", headers={"Accept": "image/png"})
    assert (response.status_code, response.json()["title"]) == (406, "Not Acceptable")


@pytest.mark.parametrize("path", [*LISTS, "manifests", "manifests/latest", "difficulty/summary"])
def test_what_the_client_has_is_not_sent_again(rest, path):
    first = rest.get(f"/v1/{path}")
    again = rest.get(f"/v1/{path}", headers={"If-None-Match": f'"other", {first.headers["etag"]}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", first.headers["etag"])
    assert rest.get(f"/v1/{path}", headers={"If-None-Match": '"other"'}).content == first.content


def add_problem(workspace, prompt):
    problem = Problem(prompt=prompt, domain="math", verifier="math", spec={"expected": "1"}, source="later")
    from gradus.api import steps

    steps.add_problems(workspace, [problem], f"later-{len(prompt)}")
    return problem.id


def test_a_walk_goes_on_through_a_new_snapshot(own, spoilable):
    first = own.get("/v1/problems?limit=39").json()
    tag = own.get("/v1/problems").headers["etag"]
    new = add_problem(spoilable.workspace, "What is one?")
    rest_of_it = own.get("/v1/problems", params={"cursor": first["next"]}).json()["rows"]
    found = [row["id"] for row in first["rows"] + rest_of_it]
    assert len(found) == len(set(found)) == 41
    assert found[-1] == new
    assert own.get("/v1/problems").headers["etag"] != tag


def test_a_walk_goes_on_where_the_database_was_built_anew_in_another_order(own, spoilable):
    first = own.get("/v1/problems?limit=20").json()
    with open_store(spoilable.workspace) as store:
        store.execute("CREATE TABLE sorted AS FROM problems ORDER BY id", {})
        store.execute("DELETE FROM problems", {})
        store.execute("INSERT INTO problems FROM sorted ORDER BY id", {})
        store.execute("DROP TABLE sorted", {})
        ids = [row["id"] for row in store.rows("SELECT id FROM problems ORDER BY rowid")]
        store.execute("INSERT INTO ingested VALUES ('another')", {})  # so that there is another version
    last = first["rows"][-1]["id"]
    following = own.get("/v1/problems", params={"cursor": first["next"], "limit": 1000}).json()["rows"]
    assert [row["id"] for row in following] == ids[ids.index(last) + 1 :]


def test_a_walk_over_difficulty_stays_on_its_snapshot_until_that_is_gone(own, spoilable):
    first = own.get("/v1/difficulty?limit=20").json()
    whole = own.get("/v1/difficulty").json()["rows"]
    add_problem(spoilable.workspace, "What is one?")
    following = own.get("/v1/difficulty", params={"cursor": first["next"]}).json()["rows"]
    assert first["rows"] + following == whole
    version = json.loads(base64.urlsafe_b64decode(first["next"]))[0]
    for more in ("What is one, then?", "What is one, really now?", "What is one, when all is said?"):
        add_problem(spoilable.workspace, more)
        own.get("/v1/problems")
    assert not (spoilable.workspace.snapshots / f"{version}.duckdb").exists()
    response = own.get("/v1/difficulty", params={"cursor": first["next"]})
    assert (response.status_code, "begin again" in response.json()["detail"]) == (410, True)


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "abc",
        "%%%",
        encoded(None),
        encoded([]),
        encoded(["../../etc/passwd", [1], ["x"]]),
        encoded(["abc", [1, 2], ["x"]]),
        encoded(["abc", [1e400], ["x"]]),
        encoded(["abc", ["1"], ["x"]]),
        encoded(["abc", [True], ["x"]]),
        encoded(["abc", [1], [5]]),
        encoded(["abc", [1.5], ["x"]]),
        encoded({"a": 1}),
    ],
)
@pytest.mark.parametrize("path", LISTS)
def test_a_cursor_of_somebody_elses_is_refused(rest, path, cursor):
    response = rest.get(f"/v1/{path}", params={"cursor": cursor})
    assert response.status_code in (410, 422), response.text
    assert response.json()["instance"] == f"/v1/{path}"


def test_a_parameter_that_is_not_there_is_said(rest):
    response = rest.get("/v1/problems?domian=math")
    assert (response.status_code, "domian" in response.json()["detail"]) == (422, True)


def test_a_workspace_without_a_snapshot_says_what_to_do(tmp_path):
    from fastapi.testclient import TestClient

    from gradus.api.app import create_app

    client = TestClient(create_app(Workspace.create(tmp_path / "new")))
    for path in LISTS:
        assert client.get(f"/v1/{path}").status_code == 409
