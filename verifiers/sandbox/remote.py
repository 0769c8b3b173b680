"""The sandbox on another machine: a job is one HTTP request to server.py, its runs are the answer.

The token is sent as it is: use https, or a network that is yours. A busy server is asked again, when it says.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from typing import Any
from urllib.parse import urlsplit

from gradus.verifiers.sandbox.launch import SandboxUnavailableError

TOKEN = "GRADUS_SANDBOX_TOKEN"
NUM_TRIES = 20
GRACE_S = 60.0
"""Beyond the job's own limits: the time to wait for a free core."""

_local = threading.local()


def exchange(url: str, request: dict[str, Any]) -> list[dict[str, Any]]:
    """Run a job at url. SandboxUnavailableError if that cannot be, with the reason."""
    wait_s = GRACE_S + request["timeout_s"] * len(request["cases"])
    for _ in range(NUM_TRIES):
        status, headers, body = _ask(url, json.dumps(request).encode(), wait_s)
        if status != 503:
            break
        time.sleep(min(10.0, float(headers.get("Retry-After") or 1)))
    answer = _parsed(url, status, body)
    if status == 200:
        runs: list[dict[str, Any]] = answer["runs"]
        return runs
    said = answer.get("error", "")
    if status == 422:
        raise RuntimeError(said)
    advice = {401: f"set {TOKEN} to the server's token", 503: "it is busy: start more servers or ask less"}
    raise SandboxUnavailableError(
        f"the sandbox at {url} refused ({status} {said}); {advice.get(status, 'see its log')}"
    )


def _ask(url: str, body: bytes, wait_s: float) -> tuple[int, http.client.HTTPMessage, bytes]:
    """Send one request over this thread's connection; once more if the server had closed it meanwhile."""
    headers = {"Authorization": f"Bearer {os.environ.get(TOKEN, '')}", "Content-Type": "application/json"}
    for attempt in (1, 2):
        kept = _connection(url, wait_s)
        try:
            kept.request("POST", "/run", body, headers)
            reply = kept.getresponse()
            return reply.status, reply.headers, reply.read()
        except (OSError, http.client.HTTPException) as error:
            kept.close()
            _local.connections.pop((url, os.getpid()))
            if attempt == 2:
                raise SandboxUnavailableError(f"no sandbox at {url}: {error!r}; is the server running?") from None
    raise AssertionError


def _connection(url: str, wait_s: float) -> http.client.HTTPConnection:
    """Return this thread's connection; a forked process gets its own."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise SandboxUnavailableError(f"not the address of a sandbox: {url!r}; http://host:port is one")
    kept = _local.__dict__.setdefault("connections", {})
    key = (url, os.getpid())
    if key not in kept:
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        kept[key] = kind(parts.hostname, parts.port)
    kept[key].timeout = wait_s
    if kept[key].sock is not None:
        kept[key].sock.settimeout(wait_s)
    found: http.client.HTTPConnection = kept[key]
    return found


def _parsed(url: str, status: int, body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or (status == 200 and not isinstance(answer.get("runs"), list)):
        raise SandboxUnavailableError(f"what answers at {url} is no sandbox: {status} {body[:80]!r}")
    return answer
