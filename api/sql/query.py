"""Ask one SELECT of the newest snapshot: what the command, the routes and the page call.

DuckDB promises no privilege separation, so each query runs in a process of its own behind the kernel's walls
(walls.py), which dies without harming the server. The answer is written into a file of memory that the server made: a
client who reads slowly keeps no query alive.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from gradus.api.sql import workers
from gradus.api.sql.body import Cut, End
from gradus.api.sql.formats import Format
from gradus.engine.workspace import Workspace
from gradus.errors import DataError, MachineError, WorkspaceError
from gradus.verifiers.sandbox.frames import receive

MAX_SQL_CHARS = 20_000
MAX_REQUEST_BYTES = 1 << 20
CHUNK_BYTES = 256 << 10
MAX_AT_ONCE = max(4, os.cpu_count() or 1)
WAIT_S = 10.0
"""How long a query waits for its turn."""

_turns = threading.BoundedSemaphore(MAX_AT_ONCE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one query may use."""

    timeout_s: float = 10.0
    max_rows: int = 10_000
    max_bytes: int = 64 << 20
    """Of the answer's rows."""
    memory_mb: int = 1024
    temp_mb: int = 1024
    """On disk, for what does not fit into memory."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. cut says which limit left rows out: `no`, `rows` or `bytes`."""

    columns: list[str]
    num_rows: int
    cut: Cut
    body: io.FileIO

    def chunks(self) -> Iterator[bytes]:
        """Yield the body, and close it."""
        with self.body:
            self.body.seek(0)
            while chunk := self.body.read(CHUNK_BYTES):
                yield chunk

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows of an answer that was asked for as JSON."""
        found: list[dict[str, Any]] = json.loads(b"".join(self.chunks()))["rows"]
        return found


class Query:
    """A query that runs. A thread follows it, so that its end is seen whoever waits for it."""

    def __init__(self, request: dict[str, Any], limits: Limits) -> None:
        self.columns: list[str] = []
        self.parameters: list[str] = []
        self.body = io.FileIO(os.memfd_create("answer"), "r+")
        self._limits, self._size_bytes = limits, 0
        self._end: End | None = None
        self._error = ""
        self._over = False
        self._changed = threading.Condition()
        self._folder = tempfile.TemporaryDirectory(prefix="gradus-sql-", ignore_cleanup_errors=True)
        self._worker = workers.ask(request | {"folder": self._folder.name}, self.body.fileno())
        self._deadline = time.monotonic() + limits.timeout_s
        threading.Thread(target=self._follow, daemon=True).start()

    def end(self) -> End:
        """Wait for the end of the query; DataError says what is wrong with it."""
        with self._changed:
            self._changed.wait_for(lambda: self._over)
        if self._end is None:
            raise DataError(self._error)
        return self._end

    def pieces(self) -> Iterator[bytes]:
        """Yield the answer as it is made; DataError if it ends early."""
        done = 0
        with self.body:
            try:
                while True:
                    size, over = self._wait_beyond(done)
                    while done < size and (chunk := os.pread(self.body.fileno(), min(CHUNK_BYTES, size - done), done)):
                        done += len(chunk)
                        yield chunk
                    if over:
                        self.end()
                        return
            finally:
                self.stop()

    def stop(self) -> None:
        """End the query, if it still runs: nobody waits for it any more."""
        self._worker.hang_up()

    def _wait_beyond(self, size_bytes: int) -> tuple[int, bool]:
        """Wait for more of the answer, and return how large it is now, and whether that is all."""
        with self._changed:
            self._changed.wait_for(lambda: self._size_bytes > size_bytes or self._over)
            return self._size_bytes, self._over

    def _follow(self) -> None:
        """Hear what the query's process says until it has ended, and clean up after it."""
        error = ""
        try:
            while self._hear():
                pass
        except TimeoutError:
            error = f"the query took longer than {self._limits.timeout_s:g} s"
        except (EOFError, OSError, KeyError, TypeError, ValueError):
            error = (
                "SQL: the query's process ended without an answer: it may be nested too deeply or need more than "
                f"{self._limits.memory_mb} MB; ask for less at a time"
            )
        if self._end is None:
            self._clean_up()
        with self._changed:
            self._error = self._error or error
            self._over = True
            self._changed.notify_all()
        if self._end is not None:
            # Nobody who has the answer need wait for this.
            self._clean_up()

    def _clean_up(self) -> None:
        self._worker.end()
        self._folder.cleanup()
        _turns.release()

    def _hear(self) -> bool:
        """Take in one message; False after the last."""
        if (left_s := self._deadline - time.monotonic()) <= 0:
            raise TimeoutError
        self._worker.channel.settimeout(left_s)
        said = receive(self._worker.channel)
        with self._changed:
            self.columns = said.get("columns", self.columns)
            self.parameters = said.get("parameters", self.parameters)
            self._size_bytes = int(said.get("size", self._size_bytes))
            self._error = str(said.get("error", ""))
            if "end" in said:
                self._end = End(**said["end"])
            self._changed.notify_all()
        return not (self._end or self._error)


def ask(
    workspace: Workspace,
    sql: str,
    parameters: dict[str, Any] | None = None,
    *,
    format: Format = "json",
    limits: Limits,
) -> Answer:
    """Run one query to its end; DataError says what is wrong with it."""
    query = start(workspace, sql, parameters, format=format, limits=limits)
    end = query.end()
    return Answer(query.columns, end.num_rows, end.cut, query.body)


def stream(
    workspace: Workspace, sql: str, parameters: dict[str, Any] | None = None, *, limits: Limits
) -> Iterator[bytes]:
    """Return the pieces of an answer as NDJSON, as they are made; DataError now if there is none at all.

    What goes wrong later is said in a last line, `{"_end": {"error": …}}`.
    """
    pieces = start(workspace, sql, parameters, format="ndjson", limits=limits).pieces()
    first = next(pieces, b"")

    def lines() -> Iterator[bytes]:
        yield first
        try:
            yield from pieces
        except DataError as error:
            yield json.dumps({"_end": {"error": str(error)}}).encode() + b"\n"

    return lines()


def parameters_of(workspace: Workspace, sql: str) -> list[str]:
    """Return the names of a query's parameters, without running it; DataError says what is wrong with it."""
    query = start(workspace, sql, format=None, limits=Limits())
    query.end()
    return query.parameters


def start(
    workspace: Workspace,
    sql: str,
    parameters: dict[str, Any] | None = None,
    *,
    format: Format | None,
    limits: Limits,
) -> Query:
    """Begin a query, when it is its turn; without a format it is only checked."""
    snapshot = workspace.snapshots / "current.duckdb"
    if not snapshot.exists():
        raise WorkspaceError(f"{workspace.root}: nothing in it yet; `gradus problems generate` starts it")
    if len(sql) > MAX_SQL_CHARS:
        raise DataError(f"SQL: a query has at most {MAX_SQL_CHARS} characters, this one {len(sql)}")
    request = {
        "sql": sql,
        "parameters": parameters or {},
        "format": format,
        "limits": asdict(limits),
    }
    if len(json.dumps(request)) > MAX_REQUEST_BYTES:
        raise DataError(f"SQL: the parameters are larger than {MAX_REQUEST_BYTES >> 20} MB")
    if not _turns.acquire(timeout=WAIT_S):
        raise MachineError(f"{MAX_AT_ONCE} queries are running already; try again when one has ended")
    try:
        # Only now: while a query waits for its turn, the snapshot that was the newest may be removed.
        return Query(request | {"snapshot": str(snapshot.resolve())}, limits)
    except BaseException:
        _turns.release()
        raise
