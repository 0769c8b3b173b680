"""How the client asks: retries, pages, frames and events. The operations are in the files beside it.

What can be asked again without harm is asked again when the server is away or says to wait: everything that only reads,
replaces or deletes, and what creates under an `Idempotency-Key`, which is done once however often it is sent.
"""

from __future__ import annotations

import io
import random
import time
import uuid
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urljoin

import httpx
import polars as pl

from gradus.errors import GradusError

ARROW = "application/vnd.apache.arrow.stream"
BUSY = (429, 502, 503, 504)
FIRST_WAIT_S, MAX_WAIT_S = 0.1, 10.0
SAFE_VERBS = ("GET", "PUT", "DELETE")


class ApiError(GradusError):
    """The server refused a request: status, and its detail as the message."""

    def __init__(self, response: httpx.Response) -> None:
        try:
            said = str(response.json()["detail"])
        except (ValueError, KeyError, TypeError):
            said = response.text[:200]
        super().__init__(f"{response.request.method} {response.request.url.path}: {response.status_code}: {said}")
        self.status = response.status_code


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream; with its id the stream can be taken up again."""

    id: str
    event: str
    data: str


class Transport:
    """A connection to one server."""

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        token: str | None = None,
        timeout_s: float = 60.0,
        retries: int = 5,
        http: httpx.Client | None = None,
    ) -> None:
        """Connect; http replaces the connection, for proxies and tests, and its address counts then."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._http = http or httpx.Client(base_url=url, timeout=timeout_s)
        self._http.headers.update(headers)
        self._retries = retries

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._http.close()

    def _send(
        self,
        verb: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        content_type: str = "",
        once: bool = False,
        accept: str = "application/json",
        stream: bool = False,
        after: str = "",
    ) -> httpx.Response:
        headers = {"Accept": accept} | ({"Idempotency-Key": uuid.uuid4().hex} if once else {})
        headers |= {"Content-Type": content_type} if content is not None else {}
        headers |= {"Last-Event-ID": after} if after else {}
        said = _given(body or {}) if content is None else {}  # a file's body is itself: what is said of it is the query
        request = self._http.build_request(
            verb,
            path,
            params={name: value for name, value in _given(query or {}).items() if name not in said} or None,
            json=said if body is not None and content is None else None,
            content=content,
            headers=headers,
        )
        return self._answered(request, again=once or verb in SAFE_VERBS, stream=stream)

    def _answered(self, request: httpx.Request, *, again: bool, stream: bool) -> httpx.Response:
        """Send a request until it is answered, or for as often as it may be."""
        for tries_left in range(self._retries if again else 0, -1, -1):
            wait_s = min(MAX_WAIT_S, FIRST_WAIT_S * 2 ** (self._retries - tries_left)) * random.uniform(0.5, 1)
            try:
                response = self._http.send(request, stream=stream)
            except httpx.TransportError:
                if not tries_left:
                    raise
                time.sleep(wait_s)
                continue
            if response.status_code < 400:
                return response
            response.read()
            under_way = response.status_code == 409 and "retry-after" in response.headers
            if not (tries_left and (response.status_code in BUSY or under_way)):
                raise ApiError(response)
            asked = response.headers.get("retry-after", "")
            time.sleep(min(MAX_WAIT_S, float(asked)) if asked.isdigit() else wait_s)
        raise AssertionError("unreachable: the last try returns or raises")

    def _json(self, verb: str, path: str, **asked: Any) -> Any:
        return self._send(verb, path, **asked).json()

    def _none(self, verb: str, path: str, **asked: Any) -> None:
        self._send(verb, path, **asked)

    def _bytes(self, verb: str, path: str, **asked: Any) -> bytes:
        return self._send(verb, path, accept="*/*", **asked).content

    def _text(self, verb: str, path: str, **asked: Any) -> str:
        return self._send(verb, path, accept="*/*", **asked).text

    def _frame(self, verb: str, path: str, **asked: Any) -> pl.DataFrame:
        """Return an answer as a frame; a warning says where a limit left rows out."""
        response = self._send(verb, path, accept=ARROW, **asked)
        if (cut := response.headers.get("gradus-truncated", "no")) != "no":
            warnings.warn(f"{path}: the limit on {cut} left rows out", stacklevel=3)
        return pl.read_ipc_stream(io.BytesIO(response.content))

    def _page(self, verb: str, path: str, *, max_rows: int | None = None, **asked: Any) -> pl.DataFrame:
        """Return the rows of all pages, or the first max_rows."""
        frames: list[pl.DataFrame] = []
        left = max_rows
        for frame in self._pages(verb, path, **asked):
            frames.append(frame if left is None else frame.head(left))
            left = None if left is None else left - len(frames[-1])
            if left == 0:
                break
        return pl.concat(frames, how="vertical_relaxed")

    def _pages(self, verb: str, path: str, **asked: Any) -> Iterator[pl.DataFrame]:
        while True:
            response = self._send(verb, path, accept=f"{ARROW}, application/json;q=0.5", **asked)
            following = response.links.get("next", {}).get("url")
            if response.headers["content-type"].startswith(ARROW):
                yield pl.read_ipc_stream(io.BytesIO(response.content))
            else:
                page = response.json()
                following = page["next"] and str(response.url.copy_set_param("cursor", page["next"]))
                yield pl.DataFrame(page["rows"], infer_schema_length=None)
            if not following:
                return
            path, asked = urljoin(str(response.url), following), {}

    def _events(self, verb: str, path: str, **asked: Any) -> Iterator[Event]:
        """Yield events until the server ends the stream; where it breaks, go on after the last event."""
        last, failures = "", 0
        while True:
            try:
                response = self._send(verb, path, accept="text/event-stream", stream=True, after=last, **asked)
                for event in _read_events(response.iter_lines()):
                    last, failures = event.id or last, 0
                    yield event
                return
            except httpx.TransportError:
                failures += 1
                if failures > self._retries:
                    raise
                time.sleep(min(MAX_WAIT_S, FIRST_WAIT_S * 2**failures))

    @staticmethod
    def _part(name: str) -> str:
        """Return a name as one part of a path."""
        return quote(name, safe="")


def _given(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if value is not None}


def _read_events(lines: Iterator[str]) -> Iterator[Event]:
    """Yield the events of a stream: fields line by line, and an empty line after each event."""
    fields: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            fields[name] = f"{fields[name]}\n{value}" if name == "data" and "data" in fields else value
        elif not line and "data" in fields:
            yield Event(fields.get("id", ""), fields.get("event", "message"), fields["data"])
            fields = {}
