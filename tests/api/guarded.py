"""A small application behind the real guards, in this process or on a real socket."""

import itertools
import socket
import threading
import time
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.responses import StreamingResponse

from gradus.api.auth import ActorDep, needs
from gradus.api.faults import answer_errors
from gradus.api.guards import guard
from gradus.api.settings import Settings
from gradus.api.tokens import SCOPES, Tokens
from gradus.api.wire import Limited


class Thing(BaseModel):
    name: str


def small_app(workspace, settings=None):
    """Return an application with a route for each scope, one that is public, and some that misbehave."""
    app = FastAPI()
    app.state.workspace = workspace
    guard(app, workspace, settings or Settings())
    answer_errors(app)

    for scope in SCOPES:

        @app.api_route(f"/v1/{scope}", methods=["GET", "POST"], dependencies=[needs(scope)])
        async def touch(actor: ActorDep):
            return {"actor": actor.name}

    @app.post("/v1/things/{name}", dependencies=[needs("curate")])
    def make(name: str, thing: Thing):
        return thing

    @app.post("/v1/imports", dependencies=[needs("curate")])
    async def take(request: Request):
        return {"size": sum([len(piece) async for piece in request.stream()])}

    @app.get("/public")
    async def public():
        return {}

    @app.get("/boom", dependencies=[needs("read")])
    def boom():
        raise RuntimeError("a secret of the inside")

    @app.get("/endless")
    def endless():
        return StreamingResponse(itertools.repeat(b"x" * 65536))

    return app


def client_of(workspace, settings=None, **options):
    return TestClient(small_app(workspace, settings), **options)


def token_of(workspace, *scopes, name="ada", lifetime=None):
    """Return an Authorization header with a new token."""
    _, text = Tokens(workspace).create(name, scopes, lifetime)
    return {"Authorization": f"Bearer {text}"}


@contextmanager
def serving(app, protocol=Limited):
    """Serve an application on loopback; yield its port."""
    config = uvicorn.Config(
        app, port=0, http=protocol, ws="none", log_config=None, access_log=False, server_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        thread.join(10)


def until(done, timeout_s=60.0):
    """Wait until done says so; a busy machine takes its time."""
    end = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def talk(port, *pieces, pause_s=0.0, timeout_s=60.0):
    """Send bytes piece by piece; return all that comes back until the server hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        return everything(connection)


def everything(connection):
    found = b""
    try:
        while piece := connection.recv(65536):
            found += piece
    except ConnectionResetError:
        pass
    return found
