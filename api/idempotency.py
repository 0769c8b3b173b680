"""`Idempotency-Key`: a POST that creates can be sent again, and is done once.

The same key with the same request gets the first answer again, with `Idempotency-Replayed: true`; with another request
422; while the first is still under way 409. Keys are kept for a day in `server/server.sqlite`. Answers of 400 and more
are not kept: nothing was created, and the key may be used again. Where the server died before it answered, the request
is done again.

A route takes part by `dependencies=[Depends(idempotent)]`; it runs after those of authentication, and keys of one
caller are not those of another.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradus.api.faults import AnswerError, Fault
from gradus.engine.workspace import Workspace

KEPT_S = 24 * 3600.0
KEPT_HEADERS = ("content-type", "location", "etag", "link")
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, owner TEXT NOT NULL, begun REAL NOT NULL,
    status INTEGER, headers TEXT, body BLOB
)
"""
Key = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[!-~]+$",
        description="any text that is new with every new request: sent again with it, the request is done once",
    ),
]


class Answers:
    """The answers that were given to keys."""

    def __init__(self, workspace: Workspace) -> None:
        self._path = workspace.root / "server" / "server.sqlite"
        self._owner = f"{os.getpid()}-{_start_of(os.getpid())}"

    def begin(self, key: str, request: str) -> Response | None:
        """Return the answer of a key, or note that its request is under way."""
        with self._open() as db:
            db.execute("DELETE FROM answers WHERE begun < ?", (time.time() - KEPT_S,))
            row = db.execute(
                "SELECT request, owner, status, headers, body FROM answers WHERE key = ?", (key,)
            ).fetchone()
            if row is None or (row[2] is None and row[0] == request and not _runs(row[1])):
                new = (key, request, self._owner, time.time())
                db.execute("INSERT OR REPLACE INTO answers (key, request, owner, begun) VALUES (?, ?, ?, ?)", new)
                return None
        known, _, status, headers, body = row
        if known != request:
            raise Fault(422, "this Idempotency-Key was sent with another request; use a new one")
        if status is None:
            raise Fault(409, "the request of this Idempotency-Key is under way; ask again", {"Retry-After": "1"})
        return Response(body, status, json.loads(headers) | {"Idempotency-Replayed": "true"})

    def end(self, key: str, status: int, headers: dict[str, str], body: bytes) -> None:
        """Keep the answer of a key, or forget the key where nothing was created."""
        with self._open() as db:
            if status < 400:
                answer = (status, json.dumps(headers), body, key)
                db.execute("UPDATE answers SET status = ?, headers = ?, body = ? WHERE key = ?", answer)
            else:
                db.execute("DELETE FROM answers WHERE key = ?", (key,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(exist_ok=True)
        with closing(sqlite3.connect(self._path, timeout=10, isolation_level=None)) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("BEGIN IMMEDIATE")
            try:
                db.execute(SCHEMA)
                yield db
            except BaseException:
                db.execute("ROLLBACK")
                raise
            db.execute("COMMIT")


async def idempotent(request: Request, idempotency_key: Key = None) -> None:
    """Answer a request that was answered before from what is kept; a dependency of routes that create."""
    if idempotency_key is None:
        return
    answers: Answers = request.app.state.answers
    caller = hashlib.sha256(request.headers.get("authorization", "").encode()).hexdigest()
    key = f"{caller}/{idempotency_key}"
    if before := await run_in_threadpool(answers.begin, key, await _asked(request)):
        raise AnswerError(before)
    request.state.idempotency_key = key


async def _asked(request: Request) -> str:
    """Return a hash of what is asked for; of an upload, which may be large, its kind and size."""
    media = request.headers.get("content-type", "")
    is_json = media.partition(";")[0].strip().endswith(("/json", "+json"))  # x-ndjson is an upload
    said = await request.body() if is_json else f"{media} {request.headers.get('content-length')}".encode()
    return hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode() + said).hexdigest()


class KeepAnswers:
    """Middleware that keeps the answers of requests which `idempotent` let through."""

    def __init__(self, app: ASGIApp, answers: Answers) -> None:
        self._app, self._answers = app, answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        state: dict[str, Any] = scope.setdefault("state", {})
        status, headers, body = 500, dict[str, str](), bytearray()

        async def keep(message: Message) -> None:
            nonlocal status, headers
            if message["type"] == "http.response.start":
                status = message["status"]
                pairs = ((name.decode().lower(), value.decode()) for name, value in message["headers"])
                headers = {name: value for name, value in pairs if name in KEPT_HEADERS}
            elif "idempotency_key" in state:
                body.extend(message.get("body", b""))
                if not message.get("more_body"):  # before the client has it: it may ask again at once
                    self._answers.end(state.pop("idempotency_key"), status, headers, bytes(body))
            await send(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            if key := state.pop("idempotency_key", None):
                self._answers.end(key, 500, {}, b"")


def _start_of(pid: int) -> str:
    """Return when a process started, in the kernel's ticks; empty if there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _runs(owner: str) -> bool:
    pid, _, start = owner.partition("-")
    return bool(start) and _start_of(int(pid)) == start
