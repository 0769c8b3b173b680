"""A workspace whose owner has set up a teacher, on loopback, that answers when it is told to; and clients."""

import contextlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi.testclient import TestClient

from gradus.api import steps
from gradus.api.app import create_app
from gradus.api.jobs.job import OVER
from gradus.engine.records import Problem
from tests.conftest import copy_of

NUM_PROBLEMS = 12
RECIPE = """
name = "slow"
[teacher]
kind = "openai"
model = "slow"
options = {{ base_url = "http://127.0.0.1:{port}", max_in_flight = 2 }}
[cache]
use = false
[sample]
num_attempts = 1
"""


class SlowTeacher(ThreadingHTTPServer):
    """Answers `first` requests at once, and the others when it is released."""

    daemon_threads = True

    def __init__(self, first):
        super().__init__(("127.0.0.1", 0), Answering)
        self.first, self.asked, self.lock = first, 0, threading.Lock()
        self.released = threading.Event()

    def wait(self):
        with self.lock:
            self.asked += 1
            at_once = self.asked <= self.first
        if not at_once:
            self.released.wait(60)


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.wait()
        message = {"role": "assistant", "content": "The answer is 1."}
        said = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
        body = json.dumps(said | {"usage": {"prompt_tokens": 5, "completion_tokens": 5}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with contextlib.suppress(BrokenPipeError):  # who asked was cancelled
            self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def slow():
    server = SlowTeacher(first=4)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.released.set()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="session")
def sums(empty, tmp_path_factory):
    """Return a workspace with problems. Only to be copied."""
    workspace = copy_of(empty, tmp_path_factory.mktemp("sums") / "workspace")
    problems = [
        Problem(prompt=f"What is {i} + 1?", domain="math", verifier="math", spec={"expected": str(i + 1)}, source="t")
        for i in range(NUM_PROBLEMS)
    ]
    steps.add_problems(workspace, problems, "t")
    return workspace


@pytest.fixture
def workspace(sums, tmp_path):
    return copy_of(sums, tmp_path / "workspace")


@pytest.fixture
def asking(workspace, slow):
    """Return the workspace, and the recipe `slow` in it."""
    (workspace.root / "recipes").mkdir()
    (workspace.root / "recipes" / "slow.toml").write_text(RECIPE.format(port=slow.server_address[1]))
    return workspace


@pytest.fixture
def client(workspace):
    """Return a client of a server that starts jobs."""
    with TestClient(create_app(workspace), raise_server_exceptions=False) as client:
        yield client


def until(ask, done, *, timeout_s=60.0):
    """Ask until the answer is what is waited for, and return it."""
    end = time.monotonic() + timeout_s
    while True:
        found = ask()
        if done(found):
            return found
        assert time.monotonic() < end, found
        time.sleep(0.1)


@pytest.fixture
def finish(client):
    """Return a function that waits for a job to be over."""

    def wait(response):
        assert response.status_code == 202, response.text
        where = response.headers["Location"]
        return until(lambda: client.get(where).json(), lambda job: job["state"] in OVER)

    return wait
