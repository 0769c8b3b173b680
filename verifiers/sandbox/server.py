"""`python -m gradus.verifiers.sandbox.server`: runs the jobs of other machines in this one's sandbox.

POST /run with a job as JSON answers {"runs": [...]}; an error answers {"error": "..."} with 400 (no job), 401
(wrong token), 413 (too long), 422 (the sandbox died under this program) or 503 and Retry-After (busy, or no
safe sandbox here). One job runs per core; four more per core may wait.

Who has the token can run programs here, in the sandbox. It listens on this machine only unless told otherwise,
and speaks plain HTTP: put something that speaks TLS before it.
"""

from __future__ import annotations

import argparse
import hmac
import json
import math
import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from gradus.verifiers.sandbox import local
from gradus.verifiers.sandbox.launch import SandboxUnavailableError
from gradus.verifiers.sandbox.remote import TOKEN

MAX_BODY_BYTES = 64 << 20
MAX_TIMEOUT_S, MAX_MEMORY_MB, MAX_CASES = 600, 65536, 100_000
WAITING_PER_CORE = 4
IDLE_S = 60.0
TYPES = {"mode": str, "source": str, "cases": list, "files": list, "command": list, "keep": list}
MODES = {"compile", "values", "script", "command"}


class NotAJobError(ValueError):
    """The request is no job; says what is wrong with it."""


class Server(ThreadingHTTPServer):
    """A connection has a thread; a job has one of the pool's, which keeps its zygote."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], *, token: str, workers: int) -> None:
        super().__init__(address, Handler)
        self.token = token.encode()
        self.pool = ThreadPoolExecutor(workers, thread_name_prefix="sandbox")
        self.places = threading.BoundedSemaphore(workers * (1 + WAITING_PER_CORE))

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what went wrong here, not that somebody hung up."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)

    def run(self, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Return status and answer."""
        if not self.places.acquire(blocking=False):
            return 503, {"error": "every core is taken and enough jobs wait"}
        try:
            return 200, {"runs": self.pool.submit(local.exchange, request).result()}
        except SandboxUnavailableError as error:
            return 503, {"error": str(error)}
        except RuntimeError as error:
            return 422, {"error": str(error)}
        finally:
            self.places.release()


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_S

    def do_POST(self) -> None:
        """Run a job."""
        given = self.headers.get("Authorization", "").encode("utf-8", "replace")
        length = self.headers.get("Content-Length", "")
        if not hmac.compare_digest(given, b"Bearer " + self.server.token):
            self._answer(401, {"error": "wrong token"}, close=True)
        elif self.path != "/run":
            self._answer(404, {"error": "there is only /run"}, close=True)
        elif not length.isdecimal() or int(length) > MAX_BODY_BYTES:
            self._answer(413, {"error": f"the length must be given, and at most {MAX_BODY_BYTES}"}, close=True)
        else:
            self._answer(*self._run(self.rfile.read(int(length))))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing of what went well."""

    def _run(self, body: bytes) -> tuple[int, dict[str, Any]]:
        try:
            return self.server.run(parse(body))
        except NotAJobError as error:
            return 400, {"error": str(error)}

    def _answer(self, status: int, answer: Mapping[str, Any], *, close: bool = False) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 503:
            self.send_header("Retry-After", "1")
        if close:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        self.wfile.write(body)


def parse(body: bytes) -> dict[str, Any]:
    """Return the job in a request. NotAJobError if it is none."""
    try:
        job = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAJobError("not JSON") from None
    if not isinstance(job, dict) or set(job) != {*TYPES, "libraries", "timeout_s", "memory_mb"}:
        raise NotAJobError(f"a job has the fields {', '.join(TYPES)}, libraries, timeout_s and memory_mb")
    for name, kind in TYPES.items():
        if not isinstance(job[name], kind):
            raise NotAJobError(f"{name} is not a {kind.__name__}")
    names, pairs = [*job["command"], *job["keep"]], [text for pair in job["files"] for text in _pair(pair)]
    if job["mode"] not in MODES or not all(isinstance(text, str) for text in [*names, *pairs]):
        raise NotAJobError("an unknown mode, or a name that is no text")
    if not 0 < len(job["cases"]) <= MAX_CASES or not all(_is_case(case) for case in job["cases"]):
        raise NotAJobError("a case has setup, parts and stdin")
    if not isinstance(job["libraries"], list) or not all(map(_is_name, job["libraries"])):
        raise NotAJobError("libraries are names of packages")
    if not _within(job["timeout_s"], MAX_TIMEOUT_S) or not _within(job["memory_mb"], MAX_MEMORY_MB):
        raise NotAJobError(f"timeout_s is at most {MAX_TIMEOUT_S}, memory_mb at most {MAX_MEMORY_MB}")
    return job


def _pair(pair: Any) -> list[Any]:
    return pair if isinstance(pair, list) and len(pair) == 2 else [None]


def _is_name(name: Any) -> bool:
    return isinstance(name, str) and name.isidentifier()


def _is_case(case: Any) -> bool:
    if not isinstance(case, dict) or set(case) != {"setup", "parts", "stdin"} or not isinstance(case["parts"], list):
        return False
    return all(isinstance(text, str) for text in [case["setup"], case["stdin"], *case["parts"]])


def _within(number: Any, limit: float) -> bool:
    return type(number) in {int, float} and math.isfinite(number) and 0 < number <= limit


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8300)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)), help="jobs at a time")
    args = parser.parse_args()
    token = os.environ.get(TOKEN, "")
    if len(token) < 16:
        sys.exit(f"set {TOKEN} to a secret of at least 16 characters, here and where the jobs come from")
    if missing := [one.name for one in local.test()[1] if not one.shut]:
        sys.exit(f"the sandbox does not hold here: {', '.join(missing)}")
    with Server((args.host, args.port), token=token, workers=args.workers) as server:
        print(f"running programs for http://{args.host}:{server.server_port}", flush=True)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            server.pool.shutdown(cancel_futures=True)


if __name__ == "__main__":
    main()
