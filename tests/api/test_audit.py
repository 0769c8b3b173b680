"""What was changed is written down, before it is changed."""

import hashlib
import json
import socket
import subprocess
import sys
from collections import Counter

import pytest
from fastapi.testclient import TestClient

from gradus.api.audit_log import AuditLog
from gradus.api.settings import Settings
from tests.api.guarded import client_of, serving, small_app, token_of, until


def changes(workspace):
    return list(AuditLog(workspace).changes())


def test_a_change_is_one_entry_with_who_what_and_how_it_went(workspace):
    client, headers = client_of(workspace), token_of(workspace, "curate") | {"X-Request-ID": "mine-1"}
    body = b'{"name": "x"}'
    client.post("/v1/things/a", content=body, headers=headers | {"Content-Type": "application/json"})
    (change,) = changes(workspace)
    assert (change["actor"], change["method"], change["path"]) == ("ada", "POST", "/v1/things/a")
    assert (change["status"], change["request_id"]) == (200, "mine-1")
    assert change["body"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert change["time"].endswith("+00:00")


@pytest.mark.parametrize(
    ("path", "scopes", "body", "status"),
    [
        ("/v1/train", ("read",), None, 403),
        ("/v1/things/a", ("curate",), {"wrong": 1}, 422),
        ("/v1/nowhere", ("curate",), None, 404),
        ("/v1/things/a", ("curate",), {"name": "x" * 3000}, 413),
    ],
)
def test_what_was_refused_is_there_too(workspace, path, scopes, body, status):
    client = client_of(workspace, Settings(max_body_bytes=2000))
    headers = token_of(workspace, *scopes)
    assert client.post(path, json=body, headers=headers).status_code == status
    if status != 413:  # refused by its size alone, before anything could look at it
        assert [change["status"] for change in changes(workspace)] == [status]


def test_reading_asking_and_strangers_leave_no_entry(workspace):
    token_of(workspace, "read")
    client = client_of(workspace)
    client.post("/v1/curate")
    client.get("/v1/read")
    client.post("/v1/sql")
    client.post("/v1/queries/hardest/run")
    assert changes(workspace) == []


def test_the_entry_is_on_disk_before_the_change_begins(workspace):
    app = small_app(workspace)
    seen = []

    @app.post("/v1/look")
    def look():
        seen.extend(changes(workspace))
        raise RuntimeError("after the change, before the answer")

    assert TestClient(app).post("/v1/look", json={}).status_code == 500
    assert [change["status"] for change in seen] == [None]
    assert [change["status"] for change in changes(workspace)] == [500]


def test_a_client_that_goes_away_in_the_middle_of_a_body_leaves_no_change(workspace):
    with serving(small_app(workspace)) as port, socket.create_connection(("127.0.0.1", port), 60) as connection:
        connection.sendall(b"POST /v1/imports HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nabc")
        until(lambda: changes(workspace))
    (change,) = changes(workspace)
    assert change["body"] is None
    assert change["status"] != 200


def test_a_line_that_was_cut_off_spoils_no_other(workspace):
    client = client_of(workspace)
    client.post("/v1/curate")
    log = AuditLog(workspace)
    with log.path.open("ab") as file:
        file.write(b'{"id": "half')
    client.post("/v1/train")
    assert [change["path"] for change in changes(workspace)] == ["/v1/curate", "/v1/train"]
    assert log.path.read_bytes().count(b"\n") == 5


def test_no_path_can_forge_an_entry(workspace):
    client_of(workspace).post("/v1/things/a%0a%7b%22id%22%3a%221%22%7d", json={"name": "x"})
    assert len(changes(workspace)) == 1
    assert [json.loads(line) for line in AuditLog(workspace).path.read_text().splitlines()]


def test_without_an_audit_log_nothing_is_changed(workspace):
    app, changed = small_app(workspace), []

    @app.post("/v1/change")
    def change():
        changed.append(True)

    AuditLog(workspace).path.mkdir(parents=True)
    response = TestClient(app).post("/v1/change", json={})
    assert response.status_code == 503
    assert "nothing was changed" in response.json()["detail"]
    assert not changed


def test_full_files_are_numbered_and_read_as_one(workspace):
    log = AuditLog(workspace, max_bytes=1000)
    for number in range(30):
        log.append({"id": str(number), "actor": "ada", "path": f"/v1/{number}"}, sync=False)
        log.append({"id": str(number), "status": 200, "body": None}, sync=True)
    folder = log.path.parent
    files = sorted(path.name for path in folder.glob("audit*"))
    assert files[0] == "audit.000001.jsonl"
    assert len(files) > 3
    assert all(1000 <= path.stat().st_size < 1200 for path in folder.glob("audit.0*"))
    assert [change["path"] for change in changes(workspace)] == [f"/v1/{number}" for number in range(30)]
    (folder / files[0]).unlink()
    log.append({"id": "new", "actor": "ada", "path": "/v1/new"}, sync=True)
    assert changes(workspace)[-1]["path"] == "/v1/new"
    assert not (folder / files[0]).exists()


WRITER = """
import sys
from pathlib import Path
from gradus.api.audit_log import AuditLog
from gradus.engine.workspace import Workspace

root, name = sys.argv[1:]
log = AuditLog(Workspace(Path(root)), max_bytes=4000)
for number in range(1_000_000):
    line = {"id": f"{name}-{number}", "actor": name, "path": "/" + "x" * (number % 300)}
    log.append(line, sync=True)
    print(line["id"], flush=True)
"""


def test_many_writers_who_are_killed_lose_and_mix_no_line(workspace):
    acknowledged = set()
    for generation in range(2):
        names = [f"{generation}{letter}" for letter in "abc"]
        words = [sys.executable, "-c", WRITER, str(workspace.root)]
        writers = [subprocess.Popen([*words, name], stdout=subprocess.PIPE, text=True) for name in names]
        for _ in range(50):
            acknowledged |= {writer.stdout.readline().strip() for writer in writers}
            assert acknowledged <= {change["id"] for change in changes(workspace)}  # while files are put away
        for writer in writers:
            writer.kill()
            acknowledged |= set(writer.communicate()[0].splitlines())
    found = Counter(change["id"] for change in changes(workspace))
    assert max(found.values()) == 1
    assert acknowledged <= found.keys()
    files = sorted(AuditLog(workspace).path.parent.glob("audit*"))
    assert len(files) > 3
    assert all(json.loads(line) for path in files for line in path.read_bytes().splitlines())
