"""Server-sent events: a stream that a client takes up again where it was, by `Last-Event-ID`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Annotated, Any

from fastapi import Header, Response
from fastapi.responses import StreamingResponse

from gradus.api.jobs.events import Event

EVERY_S = 0.25
QUIET_S = 15.0
"""After so long without an event a comment shows that the stream lives."""
END = "end"

LastEventId = Annotated[int, Header(alias="Last-Event-ID", ge=0, description="the id of the last event received")]
Read = Callable[[int], Iterable[Event]]
"""Return the events behind an id."""
HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "server-sent events, each with an id, a name and data in JSON",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    },
    204: {"description": "it is over, and `Last-Event-ID` names the last event"},
}


def stream(read: Read, is_over: Callable[[], bool], after: int) -> Response:
    """Send the events behind an id as they come, and `end` when there are no more."""
    return StreamingResponse(_lines(read, is_over, after), media_type="text/event-stream", headers=HEADERS)


async def _lines(read: Read, is_over: Callable[[], bool], after: int) -> AsyncIterator[bytes]:
    yield b"retry: 1000\n\n"
    quiet_s = 0.0
    while True:
        over = await asyncio.to_thread(is_over)  # before the events: none comes after it was over
        events = await asyncio.to_thread(lambda: list(read(after)))  # noqa: B023
        for event in events:
            after = event.id
            yield f"id: {event.id}\nevent: {event.event}\ndata: {json.dumps(event.data)}\n\n".encode()
        if over:
            yield f"id: {after}\nevent: {END}\ndata: {{}}\n\n".encode()
            return
        quiet_s = 0.0 if events else quiet_s + EVERY_S
        if quiet_s >= QUIET_S:
            yield b": still there\n\n"
            quiet_s = 0.0
        await asyncio.sleep(EVERY_S)
