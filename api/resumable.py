"""An output of lines that grows as they are made, and goes on where a killed run stopped.

Beside `out.jsonl` stand, while it is made, `.out.jsonl.part`, to which lines are only ever added, and
`.out.jsonl.state`, replaced as a whole twice a second: how many bytes of the input were worked off, their SHA-256, how
many bytes of the part belong to them, and by which versions they were made. Whoever goes on cuts the part to that
length, reads that much of the input again, to see that it is the same, and is refused where a version is another one
now: half a file by each would be neither. When all is done the part is renamed.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO

from gradus.engine.parts import sync_folder
from gradus.errors import DataError, WorkspaceError

SAVE_S = 0.5
"""A kill loses at most this much work."""
BLOCK_BYTES = 1 << 20


Version = Callable[[str], str]
"""From a name to the version that it has now; empty if it has none."""


@dataclass(slots=True)
class State:
    """How far the work is. settings: what else the lines depend on."""

    settings: str
    num_lines: int = 0
    """Of the input."""
    read_bytes: int = 0
    written_bytes: int = 0
    sha256: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    """Of what made the lines."""


class Output:
    """The lines of one file in the making; made by `resumed`."""

    def __init__(self, path: Path, file: BinaryIO, source: BinaryIO, settings: str) -> None:
        self.path, self.file = path, file
        self.digest = hashlib.sha256()
        self.state = self._take_up(source, settings)
        self.saved = time.monotonic()

    def add(self, read: bytes, line: bytes, kind: str, versions: Iterable[tuple[str, str]]) -> None:
        """Add the line that came of some of the input, count its kind, and note what made it."""
        self.file.write(line)
        self.digest.update(read)
        self.state.num_lines += read.count(b"\n")
        self.state.read_bytes += len(read)
        self.state.written_bytes += len(line)
        self.state.counts[kind] = self.state.counts.get(kind, 0) + 1
        self.state.versions.update(versions)
        if time.monotonic() - self.saved > SAVE_S:
            self.save()

    def save(self) -> None:
        """Make what there is survive a kill."""
        self.file.flush()
        os.fsync(self.file.fileno())
        self.state.sha256 = self.digest.hexdigest()
        fresh = _beside(self.path, "state.tmp")
        fresh.write_text(json.dumps(asdict(self.state)))
        fresh.rename(_beside(self.path, "state"))
        self.saved = time.monotonic()

    def finish(self) -> None:
        """Give the part its name."""
        self.save()
        _beside(self.path, "part").rename(self.path)
        _beside(self.path, "state").unlink()
        sync_folder(self.path.parent)

    def _take_up(self, source: BinaryIO, settings: str) -> State:
        """Cut the part to what its state vouches for, and step over the input that it came from."""
        state = State(settings)
        with contextlib.suppress(FileNotFoundError):
            state = State(**json.loads(_beside(self.path, "state").read_text()))
        if os.fstat(self.file.fileno()).st_size < state.written_bytes:  # the part was removed, to start anew
            state = State(settings)
        left = state.read_bytes
        while block := source.read(min(left, BLOCK_BYTES)):
            self.digest.update(block)
            left -= len(block)
        same = left == 0 and state.sha256 in ("", self.digest.hexdigest())
        if not same or state.settings != settings:
            part = _beside(self.path, "part")
            raise DataError(
                f"{part}: begun on other lines or with other options; it goes on with those, or remove it to start anew"
            )
        self.file.truncate(state.written_bytes)
        self.file.seek(state.written_bytes)
        return state


@contextmanager
def resumed(path: Path, source: BinaryIO, *, settings: str, version: Version) -> Iterator[Output]:
    """Open the output, and step over the lines of source that are in it already; nobody else may write it."""
    part = _beside(path, "part")
    handle = os.open(part, os.O_RDWR | os.O_CREAT, 0o666)
    with os.fdopen(handle, "r+b") as file:
        _lock(handle, part)
        output = Output(path, file, source, settings)
        for name, then in output.state.versions.items():
            if (now := version(name)) != then:
                begun = f"begun by {name} of version {then}, which is {f'version {now}' if now else 'not there'} now"
                raise DataError(f"{part}: {begun}; remove it to start anew")
        try:
            yield output
        finally:
            if part.exists():
                output.save()
                if output.state.written_bytes == 0:
                    part.unlink()
                    _beside(path, "state").unlink()


def _lock(handle: int, part: Path) -> None:
    with contextlib.suppress(BlockingIOError, FileNotFoundError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Whoever held it may have finished, and given the file its name.
        if part.stat().st_ino == os.fstat(handle).st_ino:
            return
    raise WorkspaceError(f"{part}: another process is writing it; wait for it, then try again")


def _beside(path: Path, what: str) -> Path:
    return path.with_name(f".{path.name}.{what}")
