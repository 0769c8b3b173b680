"""The audit log: `server/audit.jsonl`, a line before every change and one after it.

The line before says who asked for what, and is on disk before the change begins: if it cannot be written, nothing is
changed. The line after has the status, and the hash of the body if that was read; a change without one was cut off, by
a client that went away or by the end of the server. Reading, and SQL, which cannot change anything, leave no line; nor
do strangers, who cannot either. What `gradus` commands do to the workspace is not in it, except making and revoking
tokens. The log only grows; move it away whenever you like.
"""

from __future__ import annotations

import fcntl
import getpass
import json
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from gradus.engine.workspace import Workspace


class AuditLog:
    """The lines of one workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.path = workspace.root / "server" / "audit.jsonl"

    def append(self, line: dict[str, Any], *, sync: bool) -> None:
        """Write one line whole, even beside other processes; sync: return when it is on disk."""
        self.path.parent.mkdir(mode=0o700, exist_ok=True)
        handle = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            size = os.fstat(handle).st_size
            # What a machine's end cut off does not spoil the line that follows.
            torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
            text = json.dumps({"time": datetime.now(UTC).isoformat(timespec="milliseconds")} | line)
            os.write(handle, (b"\n" if torn else b"") + text.encode() + b"\n")
            if sync:
                os.fsync(handle)
        finally:
            os.close(handle)

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
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8", errors="replace") as file:
            for text in file:
                try:
                    line = json.loads(text)
                except ValueError:  # cut off by the end of the machine
                    continue
                if isinstance(line, dict) and "id" in line:
                    yield line
