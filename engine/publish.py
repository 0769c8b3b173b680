"""Snapshots of a workspace's database: whole files that readers open while another process writes the next."""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from pathlib import Path

from gradus.engine.parts import atomic_file
from gradus.engine.workspace import Workspace

SNAPSHOTS_KEPT = 2
FICLONE = 0x40049409
"""Of linux/fs.h; XFS and Btrfs can."""


def publish(workspace: Workspace, version: str) -> Path:
    """Copy the closed database to a file of its version's and point `current.duckdb` at it.

    Its name is what clients know a state by, so two workspaces whose parts have equal names must not share it.
    """
    name = hashlib.sha256(f"{_identity(workspace)} {version}".encode()).hexdigest()[:16]
    path = workspace.snapshots / f"{name}.duckdb"
    if not path.exists():
        fresh = path.with_suffix(".tmp")
        try:
            _clone(workspace.database, fresh)
            fresh.rename(path)
        finally:
            fresh.unlink(missing_ok=True)
    link = workspace.snapshots / ".current.tmp"
    link.unlink(missing_ok=True)
    link.symlink_to(path.name)
    link.rename(workspace.snapshots / "current.duckdb")
    others = sorted(
        (p for p in workspace.snapshots.glob("*.duckdb") if not p.is_symlink() and p != path),
        key=lambda p: p.stat().st_mtime,
    )
    for old in others[: -(SNAPSHOTS_KEPT - 1)]:
        old.unlink()
    return path


def _identity(workspace: Workspace) -> str:
    """Return what no other workspace has: random, made once."""
    path = workspace.root / ".identity"
    if not path.exists():
        with atomic_file(path) as file:
            file.write(secrets.token_hex(16).encode())
    return path.read_text()


def _clone(source: Path, target: Path) -> None:
    """Copy a file; where the file system can, share its blocks until one of the two is changed."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new.fileno(), FICLONE, old.fileno())
        except OSError:
            size = os.fstat(old.fileno()).st_size
            while size > 0:
                size -= os.copy_file_range(old.fileno(), new.fileno(), size)
