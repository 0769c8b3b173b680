"""A client of the finished workspace, and a server on loopback for what TestClient cannot show."""

import threading
import time
from contextlib import contextmanager

import pytest
import uvicorn
from fastapi.testclient import TestClient

from gradus.api.app import create_app


@pytest.fixture(scope="module")
def rest(finished):
    return TestClient(create_app(finished.workspace), raise_server_exceptions=False)


@pytest.fixture
def own(spoilable):
    """Return a client of a workspace that the test may change."""
    return TestClient(create_app(spoilable.workspace), raise_server_exceptions=False)


@contextmanager
def serving(app):
    """Serve an app on loopback; give its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="module")
def address(finished):
    with serving(create_app(finished.workspace)) as url:
        yield url
