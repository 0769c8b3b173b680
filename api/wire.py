"""The connection itself: uvicorn's protocol with limits for clients that are slow, silent, or send garbage.

A head has 10 s and 32 KiB. A client that takes nothing of an answer for 30 s is cut off, and so is one that goes on
sending a body that has been refused. More than 1,000 connections at once are turned away. Whatever is refused here is
answered in the same shape as everything else.
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from gradus.api.faults import problem_response

HEAD_TIMEOUT_S = 10.0
MAX_HEAD_BYTES = 32 << 10
STALLED_S = 30.0
LINGER_S = 10.0
MAX_CONNECTIONS = 1000
END = b"\r\n\r\n"


class Limits(asyncio.Protocol):
    """One connection, before any of uvicorn's protocols for HTTP/1.1."""

    # Theirs.
    connections: set[Any]
    cycle: Any
    loop: asyncio.AbstractEventLoop
    transport: Any

    head_timeout_s = HEAD_TIMEOUT_S
    stalled_s = STALLED_S

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Turn it away if there are too many; else wait for a head, but not for ever."""
        super().connection_made(transport)
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._head, self._tail = 0, b""
        if len(self.connections) > MAX_CONNECTIONS:
            self._refuse(503, f"more than {MAX_CONNECTIONS} connections; try again later")
        else:
            self._after("head", self.head_timeout_s, self._no_head)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what was waited for."""
        for name in list(self._timers):
            self._cancel(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes of a head; pass everything on."""
        reading = self._in_head()
        if reading:
            end = (self._tail + data).find(END)
            self._head += len(data) if end < 0 else max(0, end - len(self._tail))
            self._tail = (self._tail + data)[-len(END) + 1 :]
            if self._head > MAX_HEAD_BYTES:
                self._refuse(431, f"a request's head has at most {MAX_HEAD_BYTES:,} bytes")
                return
            if "head" not in self._timers:
                self._after("head", self.head_timeout_s, self._no_head)
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._head, self._tail = 0, b""
            self._cancel("head")
            self._cancel("linger")

    def on_response_complete(self) -> None:
        """Give a client that still sends a body a while to notice that nobody reads it."""
        cycle = self.cycle
        super().on_response_complete()  # type: ignore[misc]
        if cycle is not None and cycle is self.cycle and cycle.more_body:
            self._after("linger", LINGER_S, self._cut)
        else:
            self._cancel("linger")

    def pause_writing(self) -> None:
        """Wait for a client that does not read, but not for ever."""
        super().pause_writing()
        self._after("stalled", self.stalled_s, self._cut)

    def resume_writing(self) -> None:
        """It reads again."""
        self._cancel("stalled")
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, even if its client never takes the rest of the last answer."""
        super().timeout_keep_alive_handler()  # type: ignore[misc]
        self._after("stalled", self.stalled_s, self._cut)

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP."""
        self._refuse(400, msg.rstrip(".") + ": not HTTP/1.1")

    def _in_head(self) -> bool:
        return self.cycle is None or not self.cycle.more_body

    def _answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _no_head(self) -> None:
        if self._answering():  # the next request is begun while this one is answered
            self._after("head", self.head_timeout_s, self._no_head)
        elif self._head:
            self._refuse(408, f"no whole head of a request in {self.head_timeout_s:g} s")
        else:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        """Answer without the application, and hang up."""
        if self.transport.is_closing():
            return
        if self._answering():  # nothing may stand in the middle of another answer
            self._cut()
            return
        response = problem_response(status, detail, {"Connection": "close", "X-Content-Type-Options": "nosniff"})
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
        lines += [name + b": " + value for name, value in response.raw_headers]
        self.transport.write(b"\r\n".join([*lines, b"", bytes(response.body)]))
        self.transport.close()
        self._after("stalled", self.stalled_s, self._cut)

    def _cut(self) -> None:
        self.transport.abort()

    def _after(self, name: str, seconds: float, act: Any) -> None:
        self._cancel(name)
        self._timers[name] = self.loop.call_later(seconds, act)

    def _cancel(self, name: str) -> None:
        if timer := self._timers.pop(name, None):
            timer.cancel()


class Limited(Limits, AutoHTTPProtocol):  # type: ignore[valid-type,misc]
    """By httptools where it is installed, else by h11."""
