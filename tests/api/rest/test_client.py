"""The Python client: every operation of the document, pages, frames, retries that do things once, and events."""

import ast
import inspect
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import polars as pl
import pytest

from gradus.api import client_transport
from gradus.api.app import create_app
from gradus.api.client import ApiError, Client
from gradus.api.client_source import FILES, source
from gradus.engine.store import open_store


@pytest.fixture
def client(address):
    with Client(address) as client:
        yield client


@pytest.fixture(scope="module")
def document(finished):
    return create_app(finished.workspace).openapi()


def test_every_operation_is_a_method_with_its_parameters(document):
    for verbs in document["paths"].values():
        for operation in verbs.values():
            method = getattr(Client, operation["operationId"])
            taken = set(inspect.signature(method).parameters)
            wanted = {one["name"] for one in operation.get("parameters", []) if one["in"] in ("path", "query")}
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            schema = document["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
            wanted |= set(schema.get("properties", {}))
            extra = {"self", "max_rows", "content", "content_type", "request"}
            assert wanted <= taken <= wanted | extra, operation["operationId"]


def test_the_client_has_no_method_that_the_server_lacks(document):
    ids = {operation["operationId"] for verbs in document["paths"].values() for operation in verbs.values()}
    assert {name for name in vars(Client.__mro__[1]) | vars(Client.__mro__[2]) if not name.startswith("_")} == ids


@pytest.mark.parametrize("file", FILES)
def test_the_methods_are_those_of_the_document(document, file):
    written = Path(client_transport.__file__).with_name(file).read_text()
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(source(document, file))), "`make client` writes it anew"


@pytest.mark.parametrize("limit", [7, 1000, None])
def test_a_list_is_a_frame_of_all_pages(client, finished, limit):
    frame = client.list_problems(domain="math", limit=limit)
    with open_store(finished.workspace) as store:
        assert frame.equals(store.frame("FROM problems"))
    assert client.list_problems(domain="math", limit=limit, max_rows=9).equals(frame.head(9))
    assert client.list_problems(domain="code").columns == frame.columns


def test_jobs_and_labels_are_frames_too(client):
    assert isinstance(client.list_labels(), pl.DataFrame)
    assert isinstance(client.list_jobs(), pl.DataFrame)


def test_sql_is_a_frame_and_what_a_limit_left_out_is_said(client):
    query = "SELECT $x AS x, id FROM problems ORDER BY id"
    assert client.run_sql(query=query, parameters={"x": 5})["x"].to_list() == [5] * 40
    with pytest.warns(UserWarning, match="rows left rows out"):
        assert len(client.run_sql(query=query, parameters={"x": 5}, max_rows=3)) == 3


def test_one_record_is_what_json_holds(client):
    problem = client.list_problems(max_rows=1)["id"][0]
    assert client.read_problem(problem)["difficulty"][0]["num_attempts"] == 4
    assert client.read_manifest("latest")["id"] == client.list_manifests()[0]["id"]


def test_a_refusal_is_an_error_with_the_servers_words(client):
    with pytest.raises(ApiError, match="404: no problem 'ffff'; GET /v1/problems lists them") as caught:
        client.read_problem("ffff")
    assert caught.value.status == 404


class Flaky:
    """A server that answers as told, and notes what it was asked."""

    def __init__(self, answers):
        self.answers, self.asked = list(answers), []
        flaky = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("content-length", 0)))
                flaky.asked.append(self.headers)
                status, headers, body = flaky.answers.pop(0)
                if status is None:  # hang up
                    self.connection.close()
                    return
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


def answer(value, status=200, **headers):
    body = json.dumps(value).encode()
    return status, {"Content-Type": "application/json", "Content-Length": str(len(body))} | headers, body


LABEL = {"ids": ["a"], "action": "exclude", "reason": "wrong"}


def test_what_creates_is_sent_again_under_the_same_key(monkeypatch):
    monkeypatch.setattr(client_transport, "FIRST_WAIT_S", 0.001)
    busy = answer({}, 503)
    under_way = answer({}, 409, **{"Retry-After": "0"})
    server = Flaky([(None, {}, b""), busy, under_way, answer({"in": 1}, 201)])
    assert Client(server.url).add_labels(**LABEL) == {"in": 1}
    assert len({headers["idempotency-key"] for headers in server.asked}) == 1
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [400, 404, 409, 422, 500])
def test_what_was_refused_is_not_sent_again(status):
    server = Flaky([answer({"detail": "no"}, status)])
    with pytest.raises(ApiError, match=f"{status}: no"):
        Client(server.url).add_labels(**LABEL)
    assert len(server.asked) == 1


def test_a_busy_server_is_given_up_on(monkeypatch):
    monkeypatch.setattr(client_transport, "FIRST_WAIT_S", 0.001)
    server = Flaky([answer({"detail": "busy"}, 503)] * 3)
    with pytest.raises(ApiError, match="503: busy"):
        Client(server.url, retries=2).read_health()
    assert len(server.asked) == 3


def test_events_go_on_after_the_last_one_when_the_connection_breaks(monkeypatch):
    monkeypatch.setattr(client_transport, "FIRST_WAIT_S", 0.001)
    first = b"retry: 5\n\nid: 1\nevent: state\ndata: a\n\n: still here\n\nid: 2\ndata: b\ndata: c\n\nid: 3\ndata: lost"
    broken = (200, {"Content-Type": "text/event-stream", "Content-Length": "1000"}, first)
    rest_of_it = (200, {"Content-Type": "text/event-stream"}, b"id: 3\ndata: d\n\n")
    server = Flaky([broken, rest_of_it])
    events = list(Client(server.url).watch_job("1"))
    assert [(event.id, event.event, event.data) for event in events] == [
        ("1", "state", "a"),
        ("2", "message", "b\nc"),
        ("3", "message", "d"),
    ]
    assert [headers["last-event-id"] for headers in server.asked] == [None, "2"]


def test_the_token_goes_in_the_header():
    server = Flaky([answer({"state": "well"})])
    Client(server.url, token="gradus_secret").read_health()
    assert server.asked[0]["authorization"] == "Bearer gradus_secret"
