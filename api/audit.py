"""Middleware that writes changes into the audit log: before they begin, and when their answer does."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradus.api.audit_log import AuditLog
from gradus.api.auth import SAFE
from gradus.api.faults import problem_response

ASKING = re.compile(r"/v1/(sql|queries/[^/]+/run)/?")
"""What is sent by POST and changes nothing."""


class Audited:
    """Write a line before the route is called, and one when its answer begins."""

    def __init__(self, app: ASGIApp, log: AuditLog) -> None:
        self.app, self.log = app, log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; the answer waits until its line is written."""
        actor = scope["state"]["actor"] if scope["type"] == "http" else None
        if actor is None or scope["method"] in SAFE or ASKING.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        mark, body = secrets.token_hex(8), _Hashed(receive)
        line = {
            "id": mark,
            "actor": actor.name,
            "address": scope["client"][0] if scope["client"] else "",
            "method": scope["method"],
            "path": scope["path"],
            "request_id": scope["state"].get("request_id", ""),
        }
        try:
            await asyncio.to_thread(self.log.append, line, sync=True)
        except OSError as error:
            detail = f"the audit log cannot be written ({error.strerror}), so nothing was changed"
            await problem_response(503, detail, instance=scope["path"])(scope, receive, send)
            return

        async def send_noted(message: Message) -> None:
            if message["type"] == "http.response.start":
                outcome = {"id": mark, "status": message["status"], "body": body.hash}
                await asyncio.to_thread(self.log.append, outcome, sync=False)
            await send(message)

        await self.app(scope, body, send_noted)


class _Hashed:
    """A `receive` that hashes what it passes on; hash is None until the body is whole."""

    def __init__(self, receive: Receive) -> None:
        self.receive, self._sha256 = receive, hashlib.sha256()
        self.hash: str | None = None

    async def __call__(self) -> Message:
        message = await self.receive()
        if message["type"] == "http.request" and self.hash is None:
            self._sha256.update(message.get("body", b""))
            if not message.get("more_body", False):
                self.hash = f"sha256:{self._sha256.hexdigest()}"
        return message
