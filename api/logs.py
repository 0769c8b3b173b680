"""What the server says while it runs: a line for every request and every message, as text or as JSON.

Every request has an id: the client's `X-Request-ID` where it is a plain word, else one of ours. It is in every line
that is written on the request's behalf, in the answer, and in the audit log. The query of a URL is not logged: people
search for what they would not want in a log.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import time
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradus.api.faults import problem_response
from gradus.log import ToStderr

REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
FIELDS = ("request_id", "actor", "method", "path", "status", "seconds", "bytes")
SOURCES = ("gradus", "uvicorn")
access = logging.getLogger("gradus.access")
request_id: ContextVar[str] = ContextVar("request_id", default="")

Count = Callable[[Scope, int, float], None]
"""Told of each request: its scope, the status of the answer, and how many seconds it took."""


class Observed:
    """Middleware, the outermost: number, time, count and log every request."""

    def __init__(self, app: ASGIApp, count: Count) -> None:
        self.app, self.count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status, size = time.perf_counter(), 0, 0
        name = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = name
        request_id.set(name)

        async def send_counted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", name.encode())]
            size += len(message.get("body", b""))
            await send(message)

        try:
            await self.app(scope, receive, send_counted)
        finally:
            seconds = time.perf_counter() - started
            self.count(scope, status, seconds)
            if access.isEnabledFor(logging.INFO):
                _log(scope, status, seconds, size)


class Apologising:
    """Middleware, the innermost: what nobody foresaw is a 500 that says nothing of the inside but where to look."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever happens."""
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noted)
        except Exception:
            if begun or scope["type"] != "http":  # all that is left is to break the answer off
                raise
            access.exception("%s %s failed", scope["method"], _plain(scope["path"]))
            detail = f"an error of the server's own; its log says more, by the request id {request_id.get()}"
            await problem_response(500, detail, instance=scope["path"])(scope, receive, send)


def _log(scope: Scope, status: int, seconds: float, size: int) -> None:
    actor = scope["state"].get("actor")
    fields = {
        "actor": actor.name if actor else "",
        "method": scope["method"],
        "path": _plain(scope["path"]),
        "status": status,
        "seconds": round(seconds, 6),
        "bytes": size,
    }
    text = "%s %s %d %.1f ms", scope["method"], fields["path"], status, seconds * 1e3
    access.info(*text, extra=fields)


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
            return bytes(value).decode()
    return secrets.token_hex(8)


def _plain(path: str) -> str:
    """Return a path without what could forge a line of the log, or colour a terminal."""
    return path if path.isprintable() else path.encode("unicode_escape").decode()


class Lines(logging.Formatter):
    """A message as one JSON object, or as `time level message [request]`."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.as_json = form == "json"

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; as text, a traceback follows in lines of its own."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        trace = self.formatException(record.exc_info) if record.exc_info else ""
        if not self.as_json:
            whose = f" [{request_id.get()}]" if request_id.get() else ""
            return f"{when} {record.levelname.lower()} {record.getMessage()}{whose}" + (f"\n{trace}" if trace else "")
        line: dict[str, Any] = {"time": when, "level": record.levelname.lower(), "logger": record.name}
        line |= {"message": record.getMessage(), "request_id": request_id.get()}
        line |= {name: getattr(record, name) for name in FIELDS if hasattr(record, name)}
        return json.dumps(line | ({"trace": trace} if trace else {}), default=str)


def log_to_stderr(form: str) -> None:
    """Send our messages and uvicorn's to standard error in one form."""
    handler = ToStderr()
    handler.setFormatter(Lines(form))
    for name in SOURCES:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(logging.INFO)
        logger.propagate = False
