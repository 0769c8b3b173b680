"""How often, how much and how slowly a client may send.

A bucket of `burst` requests fills again at `per_s`. A body is refused when its declared size is beyond the limit, or
when what has come is, before it is held in memory. A body has 30 s, and longer in proportion to what has come: one that
trickles in at less than 1 KiB/s is given up. Heads of requests, and clients that do not read, are wire.py's.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradus.api.faults import Fault, problem_response
from gradus.api.settings import Settings

MOST_BUCKETS = 10_000
LEAST_BYTES_PER_S = 1024


class Buckets:
    """One token bucket a key; without a rate nobody waits."""

    def __init__(self, per_s: float | None, burst: int) -> None:
        self.per_s, self.burst = per_s, burst
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, key: str, now: float | None = None) -> float:
        """Take one request out of key's bucket; return 0, or after how many seconds there will be one."""
        if self.per_s is None:
            return 0.0
        now = time.monotonic() if now is None else now
        left = self._now(key, now)
        if left < 1:
            return (1 - left) / self.per_s
        if len(self._left) >= MOST_BUCKETS:
            self._left = {one: held for one, held in self._left.items() if self._now(one, now) < self.burst}
        self._left[key] = (left - 1, now)
        return 0.0

    def _now(self, key: str, now: float) -> float:
        left, then = self._left.get(key, (self.burst, now))
        return min(self.burst, left + (now - then) * (self.per_s or 0))


class Bounded:
    """Middleware: bodies of a bounded size, in bounded time."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app, self.settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse by the declared size; else count while the body is read."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if b"content-length" not in headers and b"transfer-encoding" not in headers:
            await self.app(scope, receive, send)
            return
        most = _most(scope["path"], self.settings)
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit() or len(declared) > 18 or int(declared) > most:
            fault = _too_large(most)
            await problem_response(fault.status_code, fault.detail, instance=scope["path"])(scope, receive, send)
            return
        await self.app(scope, _Body(receive, most, self.settings.body_timeout_s), send)


class _Body:
    """A `receive` that counts."""

    def __init__(self, receive: Receive, most: int, timeout_s: float) -> None:
        self.receive, self.most = receive, most
        self.deadline = time.monotonic() + timeout_s
        self.size, self.complete = 0, False

    async def __call__(self) -> Message:
        if self.complete:  # what is waited for now is that the client goes away
            return await self.receive()
        try:
            async with asyncio.timeout(self.deadline + self.size / LEAST_BYTES_PER_S - time.monotonic()):
                message = await self.receive()
        except TimeoutError:
            self.complete = True
            raise Fault(408, f"the body came too slowly: {self.size} bytes of it", {"Connection": "close"}) from None
        self.size += len(message.get("body", b""))
        self.complete = not message.get("more_body", False)
        if self.size > self.most:
            self.complete = True
            raise _too_large(self.most)
        return message


def _most(path: str, settings: Settings) -> int:
    uploads: Mapping[str, int] = settings.uploads
    return uploads.get(path.rstrip("/"), settings.max_body_bytes)


def _too_large(most: int) -> Fault:
    return Fault(413, f"the body is larger than {most:,} bytes, the most that is taken here; send it in pieces")
