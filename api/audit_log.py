"""The audit log: `server/audit.jsonl`, a line before every change and one after it.

The line before says who asked for what, and is on disk before the change begins: if it cannot be written, nothing is
changed. The line after has the status, and the hash of the body if that was read; a change without one was cut off, by
a client that went away or by the end of the server. Reading, and SQL, which cannot change anything, leave no line; nor
do strangers, who cannot either. What `gradus` commands do to the workspace is not in it, except making and revoking
tokens.

A file of 64 MiB gets a number, `audit.000001.jsonl`, and the next line begins a new `audit.jsonl`. What has a number
does not change any more. Nothing is ever deleted by us; move files away whenever you like.
"""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import io
import json
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from gradus.engine.parts import sync_folder
from gradus.engine.workspace import Workspace

MAX_BYTES = 64 << 20
NUMBERED = f"audit.{'[0-9]' * 6}.jsonl"


class AuditLog:
    """The lines of one workspace."""

    def __init__(self, workspace: Workspace, *, max_bytes: int = MAX_BYTES) -> None:
        self.path = workspace.root / "server" / "audit.jsonl"
        self.max_bytes = max_bytes

    def append(self, line: dict[str, Any], *, sync: bool) -> None:
        """Write one line whole, even beside other processes; sync: return when it is on disk."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        text = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | line).encode() + b"\n"
        with self._locked() as handle:
            size = os.fstat(handle).st_size
            # What a machine's end cut off does not spoil the line that follows.
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            _write(handle, b"\n" + text if torn else text)
            if sync:
                os.fsync(handle)
            if not size:
                sync_folder(self.path.parent)
            if size + len(text) >= self.max_bytes:
                self._put_away()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        """Open the file and hold it alone; not one that was put away while we waited for it."""
        while True:
            handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                if _is_at(handle, self.path):
                    yield handle
                    return
            finally:
                os.close(handle)

    def _put_away(self) -> None:
        """Give the file, which we hold, the next number."""
        newest = max((int(path.name.split(".")[1]) for path in self._numbered()), default=0)
        self.path.rename(self.path.with_name(f"audit.{newest + 1:06}.jsonl"))

    def _numbered(self) -> list[Path]:
        return sorted(self.path.parent.glob(NUMBERED))

    def by_hand(self, what: str) -> None:
        """Record a change that somebody made on this machine by a command."""
        mark = secrets.token_hex(8)
        self.append({"id": mark, "actor": f"local:{getpass.getuser()}", "method": "CLI", "path": what}, sync=False)
        self.append({"id": mark, "status": 0, "body": None}, sync=True)

    def changes(self) -> Iterator[dict[str, Any]]:
        """Yield every change in the order in which they ended; last, with a status of None, those that did not."""
        begun: dict[str, dict[str, Any]] = {}
        for line in self._lines():
            if line["id"] in begun:
                yield begun.pop(line["id"]) | {"status": line["status"], "body": line["body"]}
            elif "actor" in line:
                begun[line["id"]] = {"status": None, "body": None} | line
        yield from begun.values()

    def _lines(self) -> Iterator[dict[str, Any]]:
        for text in self._texts():
            try:
                line = json.loads(text)
            except ValueError:  # cut off by the end of the machine
                continue
            if isinstance(line, dict) and "id" in line:
                yield line

    def _texts(self) -> Iterator[bytes]:
        """Yield the lines of every file, oldest first."""
        while True:
            numbered = self._numbered()
            with _open(self.path) as newest:
                if self._numbered() != numbered:  # one was put away meanwhile
                    continue
                for path in numbered:
                    with _open(path) as file:
                        yield from file
                yield from newest
                return


def _open(path: Path) -> BinaryIO:
    """Open a file to read; one that is not there is empty."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        return io.BytesIO()


def _is_at(handle: int, path: Path) -> bool:
    """Whether the open file is the one that has that name now."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


def _write(handle: int, data: bytes) -> None:
    while data:
        data = data[os.write(handle, data) :]
