"""A workspace: the directory that holds everything a curriculum is made from.

    parts/        immutable Parquet, the truth          cache/      what may be thrown away
    gradus.duckdb built from the parts, one writer      snapshots/  read-only copies for queries
    manifests/    what to train on                      curricula/  the files that manifests name
    runs/         one folder a training run

Everything but `parts` and `runs` can be rebuilt.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gradus.errors import WorkspaceError

FOLDERS = ("parts", "snapshots", "manifests", "curricula", "cache", "runs")


@dataclass(frozen=True, slots=True)
class Workspace:
    """Where things are. Make one with `create` or `find`."""

    root: Path

    @classmethod
    def create(cls, root: Path) -> Workspace:
        """Make the folders; an existing workspace is left as it is."""
        for name in FOLDERS:
            (root / name).mkdir(parents=True, exist_ok=True)
        return cls(root)

    @classmethod
    def find(cls, root: Path) -> Workspace:
        """Open an existing workspace."""
        if not (root / "parts").is_dir():
            raise WorkspaceError(f"{root}: not a workspace; `gradus init --workspace {root}` makes one")
        return cls(root)

    @property
    def parts(self) -> Path:
        return self.root / "parts"

    @property
    def database(self) -> Path:
        return self.root / "gradus.duckdb"

    @property
    def snapshots(self) -> Path:
        return self.root / "snapshots"

    @property
    def manifests(self) -> Path:
        return self.root / "manifests"

    @property
    def curricula(self) -> Path:
        return self.root / "curricula"

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the workspace against other writers; the kernel lets go when we die, however we die."""
        with (self.root / ".lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                raise WorkspaceError(
                    f"{self.root}: process {file.read() or '?'} is writing here; wait for it, then try again"
                ) from None
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
