"""Snapshots that stay open between requests: opening one costs milliseconds, a cursor on an open one next to nothing.

A request reads one snapshot from its start to its end, however many are published meanwhile. The newest is kept open,
and the one before it for cursors that walk it; older ones are closed when the last request that reads them ends.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock

from gradus.api.ahead import Ahead
from gradus.api.scans import Scanning, open_for_scans
from gradus.engine.store import Store, open_snapshot_file
from gradus.engine.workspace import Workspace
from gradus.errors import WorkspaceError

KEPT_OPEN = 2
PAGES_BYTES = 32 << 20


class Pages:
    """Answers of one snapshot, which never change; the least recently used go first."""

    def __init__(self) -> None:
        self.ahead = Ahead()
        self._found: OrderedDict[object, tuple[bytes, dict[str, str]]] = OrderedDict()
        self._size_bytes = 0
        self._lock = Lock()

    def get(self, key: object) -> tuple[bytes, dict[str, str]] | None:
        """Return a page, if it is kept; a walk that comes by is read on, in the background."""
        self.ahead.pass_by(key)
        with self._lock:
            if key in self._found:
                self._found.move_to_end(key)
            return self._found.get(key)

    def put(self, key: object, body: bytes, headers: dict[str, str]) -> None:
        if len(body) > PAGES_BYTES // 16:
            return
        with self._lock:
            if key not in self._found:
                self._size_bytes += len(body)
            self._found[key] = body, headers
            while self._size_bytes > PAGES_BYTES:
                _, (gone, _) = self._found.popitem(last=False)
                self._size_bytes -= len(gone)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One published state of the store, open for one request."""

    version: str
    store: Store
    pages: Pages
    scanning: Scanning


class _Opened:
    """An open snapshot and how many requests read it."""

    def __init__(self, workspace: Workspace, version: str) -> None:
        path = workspace.snapshots / f"{version}.duckdb"
        with ExitStack() as opening:
            self.store = opening.enter_context(open_snapshot_file(path))
            self.scanning = opening.enter_context(open_for_scans(path))
            self._opening = opening.pop_all()
        self.pages = Pages()
        self.readers = 0

    def close(self) -> None:
        self._opening.close()


class Snapshots:
    """The open snapshots of a workspace; any thread may read."""

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._opened: OrderedDict[str, _Opened] = OrderedDict()
        self._lock = Lock()

    def newest(self) -> str:
        """Return the version that is current."""
        try:
            return (self._workspace.snapshots / "current.duckdb").readlink().stem
        except FileNotFoundError:
            root = self._workspace.root
            raise WorkspaceError(f"{root}: nothing in it yet; `gradus problems generate` starts it") from None

    def newest_pages(self) -> tuple[str, Pages | None]:
        """Return the current version, and its pages if it is open."""
        name = self.newest()
        opened = self._opened.get(name)
        return name, opened.pages if opened else None

    def exists(self, version: str) -> bool:
        """Say whether a version can still be read."""
        return version in self._opened or (self._workspace.snapshots / f"{version}.duckdb").is_file()

    @contextmanager
    def read(self, version: str | None = None) -> Iterator[Snapshot]:
        """Open a version, or the newest, for one request."""
        name, opened = self._lease(version)
        try:
            with opened.store.another() as store:
                yield Snapshot(name, store, opened.pages, opened.scanning)
        finally:
            with self._lock:
                opened.readers -= 1
                self._close_old()

    def _lease(self, version: str | None) -> tuple[str, _Opened]:
        with self._lock:
            name = version or self.newest()
            if name not in self._opened:
                self._opened[name] = _Opened(self._workspace, name)
            opened = self._opened[name]
            self._opened.move_to_end(name)
            opened.readers += 1
            return name, opened

    def _close_old(self) -> None:
        for name in list(self._opened)[:-KEPT_OPEN]:
            if not self._opened[name].readers:
                self._opened.pop(name).close()
