"""No name in a request opens a file outside the workspace."""

import base64
import json
import os
import re
from urllib.parse import quote

import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app
from gradus.api.paths import inside
from gradus.errors import DataError

CANARY, NAME = "canary-5c1f", "the-name"
HOSTILE = [
    "..",
    "../canary",
    "../../canary",
    "a/../../canary",
    "....//canary",
    "/etc/passwd",
    "//etc/passwd",
    "~/canary",
    "~root/canary",
    "\\..\\canary",
    "..\\canary",
    "\x00",
    "canary\x00.json",
    "\n../canary",
    "%2e%2e/canary",
    "%2e%2e%2fcanary",
    "..%2fcanary",
    "..%252fcanary",
    "..%c0%afcanary",
    "file:///etc/passwd",
    "\u2025/canary",
    "\uff0e\uff0e/canary",
    ".",
    "./..",
    "x" * 300,
    "x/" * 3000,
    "way-out",
    "way-out/canary",
    "loop",
    "absolute",
    "COM1",
    "$HOME/canary",
    "`id`",
    "{canary}",
    "*",
    "?",
    "-rf",
]
FEW = ["../canary", "/etc/passwd", "canary\x00.json", "way-out", "x" * 300]
ESCAPES = [name for name in HOSTILE if ".." in name.replace("\\", "/").split("/")]
ESCAPES += ["/etc/passwd", "~/canary", "\x00", "way-out/canary", "loop", "absolute", "", ".", "x" * 300, "a\\b"]


@pytest.fixture
def trapped(spoilable):
    """A workspace with a canary beside it, and links that lead to the canary from everywhere inside."""
    root = spoilable.workspace.root
    for name in ("canary", "canary.json", "canary.sql", "canary.toml", "canary.duckdb"):
        (root.parent / name).write_text(json.dumps({"secret": CANARY, "state": CANARY}))
    (root / "queries").mkdir(exist_ok=True)
    for folder in (root, *(path for path in root.iterdir() if path.is_dir())):
        (folder / "way-out").symlink_to(root.parent)
        (folder / "absolute").symlink_to("/etc/hostname")
        (folder / "loop").symlink_to(folder / "loop")
        (folder / "way-out.sql").symlink_to(root.parent / "canary.sql")
    return spoilable.workspace


@pytest.mark.parametrize("name", ESCAPES, ids=repr)
def test_a_name_that_leads_out_is_refused(trapped, name):
    with pytest.raises(DataError, match="not a path inside"):
        inside(trapped.root, name)


@pytest.mark.parametrize("name", ["a", "a/b.jsonl", "not/yet/there", "a b", "ünïcode", "..a", "a..b", "way-in"])
def test_a_name_below_is_taken(trapped, name):
    (trapped.root / "way-in").symlink_to(trapped.root / "parts")
    found = inside(trapped.root, name)
    assert found.is_relative_to(trapped.root.resolve())


def operations(app):
    for path, methods in app.openapi()["paths"].items():
        yield from ((path, method) for method in methods if method in ("get", "post", "put", "delete", "patch"))


BODIES = {
    "/v1/imports": [{"path": NAME, "format": "jsonl"}],
    "/v1/exports": [{"manifest": NAME}],
    "/v1/curricula": [{"recipe": NAME}],
    "/v1/runs": [{"manifest": NAME}, {"recipe": NAME}, {"model": NAME}],
    "/v1/sql": [{"query": f"FROM '{NAME}'"}, {"query": f"FROM read_text('{NAME}')"}],
    "/v1/labels": [{"ids": [NAME], "action": "exclude", "reason": NAME}],
}
"""What a name stands in beside paths."""


def filled(body, name):
    return json.loads(json.dumps(body).replace(json.dumps(NAME)[1:-1], json.dumps(name)[1:-1]))


@pytest.mark.parametrize("names", [FEW, pytest.param(HOSTILE, marks=pytest.mark.slow)], ids=["few", "all"])
def test_no_route_opens_what_lies_outside_whatever_name_it_is_given(trapped, names):
    before = {path: path.read_bytes() for path in trapped.root.parent.glob("canary*")}
    secrets = (CANARY, "root:x:0", os.uname().nodename + "\n")
    client = TestClient(create_app(trapped), raise_server_exceptions=False)
    asked = 0
    for path, method in operations(client.app):
        for name in names if "{" in path or method != "get" else ():
            for text in {name, quote(name, safe="")} if "{" in path else {""}:
                for body in BODIES.get(path, [None]):
                    url = re.sub(r"\{\w+\}", lambda _, text=text: text, path)
                    if not url.isprintable():  # only its encoded form can be sent
                        continue
                    response = client.request(method, url, json=filled(body, name))
                    asked += 1
                    assert response.status_code != 500, (method, url, response.text)
                    assert not any(secret in response.text for secret in secrets), (method, url)
    assert asked > 10 * len(names)
    assert {path: path.read_bytes() for path in trapped.root.parent.glob("canary*")} == before
    assert not [path for path in trapped.root.parent.iterdir() if path.name.startswith((".canary", "way-out"))]


@pytest.mark.parametrize("text", ["..", "../canary", "../../canary", "canary", "/etc/passwd", "%00", "\u0000"])
@pytest.mark.parametrize("path", ["/v1/problems", "/v1/difficulty"])
def test_a_forged_cursor_opens_nothing(trapped, text, path):
    client = TestClient(create_app(trapped), raise_server_exceptions=False)
    for made in ([text, [1], ["a"]], [text, [1], ["a"] * 4], [text, [1, 1], [text] * 5], {"version": text}, text):
        cursor = base64.urlsafe_b64encode(json.dumps(made).encode()).decode()
        response = client.get(path, params={"cursor": cursor})
        assert response.status_code in (410, 422), response.text
        assert CANARY not in response.text


@pytest.mark.parametrize("text", ["[" * 20_000, '{"a":' * 5_000, "9" * 5_000, '"\\ud800"', "NaN", "[1e999]"])
def test_a_cursor_of_monstrous_json_is_refused(trapped, text):
    client = TestClient(create_app(trapped), raise_server_exceptions=False)
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    assert client.get("/v1/problems", params={"cursor": cursor}).status_code in (414, 422)


@pytest.mark.parametrize(
    "path", ["/web/../app.py", "/web/%2e%2e/app.py", "/web/..%2fapp.py", "/web//etc/passwd", "/web/"]
)
def test_the_pages_files_are_all_that_the_page_gives_out(trapped, path):
    response = TestClient(create_app(trapped), raise_server_exceptions=False).get(path)
    assert response.status_code in (404, 405, 422)
