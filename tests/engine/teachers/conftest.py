"""Fixtures of the teachers' tests; their helpers are imported from this folder by name."""

import sys
import threading
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from loopback import Server

from gradus.engine.teachers.base import TeacherConfig, open_teacher


@pytest.fixture
def serve():
    """Return a function that starts a server."""
    servers = []

    def start(say):
        servers.append(Server(say))
        threading.Thread(target=servers[-1].serve_forever, args=(0.02,), daemon=True).start()
        return servers[-1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def teacher():
    """Return a function that opens a teacher on a server; all are closed in the end."""
    opened = []

    def start(server, **options):
        options = {"base_url": server.url, "timeout_s": 5.0, "retry_for_s": 5.0, **options}
        opened.append(open_teacher(TeacherConfig(kind="openai", model="big", options=options)))
        return opened[-1]

    yield start
    for one in opened:
        one.close()
