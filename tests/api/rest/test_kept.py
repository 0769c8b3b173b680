"""Pages that are kept or read ahead: the same bytes as those that are made anew, and for nobody else."""

import base64
import json
from threading import Event
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient

from gradus.api import ahead
from gradus.api.app import create_app
from gradus.api.lister import Walk
from gradus.api.tokens import Tokens
from gradus.engine.parts import write_part
from gradus.engine.records import Problem
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

MANY = 300_000
"""Rows of more than two of DuckDB's row groups, which are read side by side."""
PROBLEMS = f"""
INSERT INTO problems
SELECT sha256('' || i), 'Problem ' || i, 'math', 'math', '{{"expected":"1"}}', 'source-' || i % 3, [], ['t' || i % 7]
FROM range({MANY}) AS r(i)
"""
MEASURED = """
INSERT INTO measured
SELECT id, domain, 'm', '', 's', 4, 2, 0, rowid % 5 / 4, NULL, NULL, NULL, NULL, 0, 1, hash(id) FROM problems
"""
TRACES = f"""
INSERT INTO traces
SELECT sha256('trace ' || i), 'cot', 'math', '[]', [], sha256('' || i % 300), '', NULL, 'teacher-' || i % 3
FROM range({MANY}) AS r(i)
"""


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Return a client of a workspace of many rows, and the store's own answers."""
    workspace = Workspace.create(tmp_path_factory.mktemp("many") / "workspace")
    with open_store(workspace) as store:
        for statement in (PROBLEMS, MEASURED, TRACES):
            store.execute(statement, {})
        store.mend()  # where the rows stand, as if they had come in parts
    return TestClient(create_app(workspace)), workspace


def pages(client, url, parameters, num):
    """Return the ids of the first pages, by the Link headers."""
    ids = []
    for _ in range(num):
        response = client.get(url, params=parameters)
        ids.append([row["id"] for row in response.json()["rows"]])
        url, parameters = response.links["next"]["url"], None
    return ids


@pytest.mark.parametrize(
    ("path", "filters", "where"),
    [
        ("problems", {}, "true"),
        ("problems", {"source": "source-1", "tag": "t3"}, "source = 'source-1' AND list_contains(tags, 't3')"),
        ("problems", {"min_rate": 0.5, "model": "m"}, "rowid % 5 >= 2"),
        ("traces", {"teacher": "teacher-2"}, "teacher = 'teacher-2'"),
        ("traces", {"problem": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9"}, "rowid % 300 = 0"),
    ],
)
def test_pages_of_a_large_table_follow_each_other_without_a_gap(many, path, filters, where):
    client, workspace = many
    with open_store(workspace) as store:
        query = f"SELECT id FROM {path} WHERE {where} ORDER BY rowid LIMIT 900"
        expected = [row["id"] for row in store.rows(query)]
    found = pages(client, f"/v1/{path}", {"limit": 100, **filters}, 9)
    assert [one for page in found for one in page] == expected


def test_a_page_that_was_read_ahead_is_the_page_that_is_asked_for_alone(many):
    client, workspace = many
    url, parameters = "/v1/problems", {"limit": 50, "source": "source-2"}
    for _ in range(9):
        walked = client.get(url, params=parameters)
        alone = TestClient(create_app(workspace)).get(url, params=parameters)
        assert (walked.content, walked.headers["link"]) == (alone.content, alone.headers["link"])
        assert walked.headers["etag"] == alone.headers["etag"]
        url, parameters = walked.links["next"]["url"], None


def test_a_walk_is_read_ahead_and_a_jump_is_not(many, monkeypatch):
    client, workspace = many
    client = TestClient(create_app(workspace))
    num_read = []
    read_on = Walk.read_on

    def counted(walk, *args, **how):
        num_read.append(how)
        return read_on(walk, *args, **how)

    monkeypatch.setattr(Walk, "read_on", counted)
    first = client.get("/v1/problems?limit=10").json()
    version, _, _ = json.loads(base64.urlsafe_b64decode(first["next"]))
    pages(client, "/v1/problems", {"limit": 10}, 16)
    assert len(num_read) < 8
    num_read.clear()
    for place in range(1000, 9000, 1000):
        cursor = base64.urlsafe_b64encode(json.dumps([version, [place], ["x"]]).encode()).decode()
        assert len(client.get("/v1/problems", params={"limit": 10, "cursor": cursor}).json()["rows"]) == 10
    assert len(num_read) == 8


def walked(client, num):
    """Ask for the first pages; return the next one's address."""
    url = "/v1/problems?limit=10"
    for _ in range(num):
        url = client.get(url).links["next"]["url"]
    return url


def test_pages_that_follow_are_there_before_they_are_asked_for(many, monkeypatch):
    _, workspace = many
    client = TestClient(create_app(workspace))
    url = walked(client, 3)  # alone, then two together: at the second of these four more are begun
    ahead._reader.submit(int).result()

    def closed(version=None):
        raise WorkspaceError("it is gone")

    with monkeypatch.context() as patch:
        patch.setattr(client.app.state.snapshots, "read", closed)
        for _ in range(4):  # at the third of them reading on fails
            response = client.get(url)
            assert response.status_code == 200
            url = response.links["next"]["url"]
        ahead._reader.submit(int).result()
    assert len(client.get(url).json()["rows"]) == 10


def test_who_comes_before_the_reader_reads_himself(many):
    _, workspace = many
    client = TestClient(create_app(workspace))
    busy = Event()
    ahead._reader.submit(busy.wait)
    url = walked(client, 9)
    busy.set()
    alone = TestClient(create_app(workspace)).get(url)
    assert client.get(url).content == alone.content


def test_a_kept_page_is_the_page_with_all_its_headers(rest):
    first, again = (rest.get("/v1/problems?limit=7&domain=math") for _ in range(2))
    assert first.content == again.content
    ours = {name: value for name, value in first.headers.items() if name != "x-request-id"}
    assert ours == {name: value for name, value in again.headers.items() if name != "x-request-id"}
    tag = {"If-None-Match": first.headers["etag"]}
    assert rest.get("/v1/problems?limit=7&domain=math", headers=tag).status_code == 304
    as_csv = rest.get("/v1/problems?limit=7&domain=math", headers={"Accept": "text/csv"})
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert "cursor" in parse_qs(urlsplit(again.links["next"]["url"]).query)


def test_a_kept_page_is_given_to_those_alone_who_may_read(own, spoilable):
    assert own.get("/v1/problems").status_code == 200
    tokens = Tokens(spoilable.workspace)
    _, reader = tokens.create("reader", ["read"], None)
    _, writer = tokens.create("writer", ["curate"], None)

    def status(**headers):
        return own.get("/v1/problems", headers=headers).status_code

    assert status(Authorization=f"Bearer {reader}") == 200
    assert (status(), status(Authorization=f"Bearer {writer}")) == (401, 403)


def test_a_kept_page_is_gone_with_its_snapshot(own, spoilable):
    before = [own.get("/v1/problems?limit=1000") for _ in range(2)][1]
    new = Problem(prompt="What is new?", domain="math", verifier="math", spec={"expected": "1"}, source="later")
    write_part(spoilable.workspace.parts, "later", [new])
    with open_store(spoilable.workspace):
        pass
    after = own.get("/v1/problems?limit=1000")
    assert new.id in after.text
    assert new.id not in before.text
    assert after.headers["etag"] != before.headers["etag"]


def test_workspaces_whose_parts_have_equal_names_have_other_etags(tmp_path):
    clients = []
    for name in ("one", "other"):
        workspace = Workspace.create(tmp_path / name)
        with open_store(workspace):
            pass
        clients.append(TestClient(create_app(workspace)))
    one, other = (client.get("/v1/problems") for client in clients)
    assert one.content == other.content
    assert one.headers["etag"] != other.headers["etag"]


TEXTS = [
    "".join(map(chr, range(1, 0x180))),
    '"spec":""',
    '\\"spec\\":\\"\\"',
    "😀\u2028\ufeff}",
    '","spec":"',
    "\\u000B",
]


@pytest.mark.parametrize("accept", ["application/json", "application/x-ndjson"])
def test_rows_that_the_database_writes_as_json_hold_what_it_holds(tmp_path, accept):
    workspace = Workspace.create(tmp_path / "workspace")
    spec = {"expected": 'é \\u00e9 "spec":""', "tolerance": 1e-7, "big": 12345678901234567890123}
    problems = [
        Problem(prompt=f"{text}?", domain="math", verifier="math", spec=spec, source=text, tags=(text, "t"))
        for text in TEXTS
    ]
    write_part(workspace.parts, "odd", problems)
    with open_store(workspace) as store:
        expected = [row | {"spec": json.loads(row["spec"])} for row in store.rows("FROM problems ORDER BY rowid")]
        specs = {row["spec"] for row in store.rows("SELECT spec FROM problems")}
    answer = TestClient(create_app(workspace)).get("/v1/problems", headers={"Accept": accept})
    rows = (
        answer.json()["rows"] if accept == "application/json" else list(map(json.loads, answer.text.split("\n")[:-1]))
    )
    assert rows == expected
    assert [list(row) for row in rows] == [list(row) for row in expected]
    assert all(answer.text.count(f'"spec":{spec},"source"') == len(TEXTS) for spec in specs)
