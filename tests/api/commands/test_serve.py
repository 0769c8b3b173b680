"""`gradus serve`: what it refuses, what it says, and how it ends; as a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys

import httpx
import psutil
import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.api.tokens import Tokens
from tests.api.guarded import until


def run(*arguments, workspace):
    return main([*arguments, "--workspace", str(workspace.root)])


@pytest.fixture
def start(workspace):
    """Start a server; return its process, its address, and the lines it has said so far."""
    processes = []

    def started(*arguments, host="127.0.0.1"):
        command = [sys.executable, "-m", "gradus", "serve", "--port", "0", "--host", host, *arguments]
        command += ["--workspace", str(workspace.root)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        processes.append(process)
        said = []
        for line in process.stderr:
            said.append(line)
            if found := re.search(r"running on http://[^:]+:(\d+)", line):
                return process, f"http://127.0.0.1:{found[1]}", said
        raise AssertionError("".join(said))

    yield started
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "example.org"])
def test_without_a_token_only_loopback_is_served(workspace, capsys, host):
    assert run("serve", "--host", host, workspace=workspace) == 2
    assert "no token is configured" in capsys.readouterr().err


def test_a_revoked_token_is_none(workspace, capsys):
    Tokens(workspace).create("ada", ["read"], None)
    Tokens(workspace).revoke("ada")
    assert run("serve", "--host", "0.0.0.0", workspace=workspace) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--allow-origin", "*"], "without a path or *"),
        (["--allow-origin", "https://a.example/path"], "without a path or *"),
        (["--certificate", "a.pem"], "go together"),
        (["--max-body-mb", "0"], "are more"),
        (["--requests-per-s", "-1"], "at least 0"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(workspace, capsys, arguments, words):
    assert run("serve", *arguments, workspace=workspace) == 2
    assert words in capsys.readouterr().err


def test_a_taken_port_is_one_clear_error(workspace, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert run("serve", "--port", str(taken.getsockname()[1]), workspace=workspace) == 4
    assert "cannot be listened on" in capsys.readouterr().err


def test_it_says_who_may_come_answers_and_ends_when_it_is_told_to(start):
    process, address, said = start("--log-format", "json")
    assert "no token is configured: only this machine is served" in "".join(said)
    assert httpx.get(f"{address}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{address}/healthz", headers={"Host": "evil.example"}).status_code == 421
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=60)
    lines = [json.loads(line) for line in rest.splitlines()]
    assert [line["status"] for line in lines if line["logger"] == "gradus.access"] == [200, 421]
    assert process.returncode == -signal.SIGTERM


def test_beyond_loopback_a_token_is_needed_even_when_the_file_is_gone(start, workspace):
    _, text = Tokens(workspace).create("ada", ["read"], None)
    _, address, said = start(host="0.0.0.0")
    assert "tokens cross the network in plain text" in "".join(said)
    assert httpx.get(f"{address}/v1/manifests", headers={"Authorization": f"Bearer {text}"}).status_code == 200
    Tokens(workspace).path.unlink()
    assert httpx.get(f"{address}/v1/manifests").status_code == 401


def test_an_answer_that_has_begun_is_finished_before_the_end(start, workspace, problems):
    steps.add_problems(workspace, problems, "t")
    process, address, _ = start()
    body = b'{"query": "SELECT count(*) FROM range(10000000000) a, range(10000000000) b", "timeout_s": 2}'
    host, port = address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), 60) as connection:
        head = f"POST /v1/sql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
        connection.sendall(head.encode() + b"\r\n\r\n" + body)
        until(lambda: len(psutil.Process(process.pid).children(recursive=True)) == 2)  # the query's, and its parent
        process.send_signal(signal.SIGTERM)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    assert answer.startswith(b"HTTP/1.1 422")
    assert b"took longer than 2 s" in answer
    assert b"X-Request-ID" in answer or b"x-request-id" in answer
    process.wait(60)
    assert not os.path.exists(f"/proc/{process.pid}")  # noqa: PTH110
