"""A folder that is written whole or not at all, and that never takes the place of somebody else's.

It is made beside its place as `.<name>.part` and renamed when it is complete. An earlier export steps aside as
`.<name>.old` for that moment; whoever is killed in it finds it back at the next try.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gradus import __version__
from gradus.engine.export.files import sha256_of
from gradus.engine.parts import atomic_file, sync_folder
from gradus.errors import ConfigError, WorkspaceError

MARK = "gradus-export.json"
"""Names every file of an export; a folder with anything else in it is not ours to replace."""


@contextmanager
def replacing(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `folder` if the block ends well; ConfigError if that is not ours."""
    folder = folder.absolute()
    part, old = folder.with_name(f".{folder.name}.part"), folder.with_name(f".{folder.name}.old")
    folder.parent.mkdir(parents=True, exist_ok=True)
    if old.exists() and not folder.exists():
        old.rename(folder)
    check_ours(folder)
    with _alone(part):
        try:
            yield part
            _sync_all(part)
            check_ours(folder)
            _swap(part, folder, old)
        finally:
            shutil.rmtree(part, ignore_errors=True)


def check_ours(folder: Path) -> None:
    """Raise ConfigError unless the folder is missing, empty, or holds an earlier export and nothing else."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ConfigError(f"{folder}: is a file; name a folder")
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}
    if not there:
        return
    try:
        ours = {MARK, *json.loads((folder / MARK).read_bytes())["files"]}
    except (OSError, ValueError, KeyError, TypeError):
        raise ConfigError(f"{folder}: is there already and no export of ours; name another folder") from None
    if foreign := sorted(there - ours):
        raise ConfigError(f"{folder}: holds {foreign[0]}, which is not of the export there; name another folder")


def write_mark(part: Path, facts: dict[str, Any]) -> None:
    """Name every file with its hash, so that the folder is known as ours and can be checked."""
    files = {str(path.relative_to(part)): sha256_of(path) for path in sorted(part.rglob("*")) if path.is_file()}
    write_text(part / MARK, json.dumps({"gradus": __version__, **facts, "files": files}, indent=1))


def write_text(path: Path, text: str) -> None:
    """Write a text file whole or not at all."""
    with atomic_file(path) as file:
        file.write(text.encode())


def _swap(part: Path, folder: Path, old: Path) -> None:
    if folder.exists():
        shutil.rmtree(old, ignore_errors=True)
        folder.rename(old)
    part.rename(folder)
    sync_folder(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _alone(part: Path) -> Iterator[None]:
    """Make the folder empty and hold it against other exports; what a killed one left goes."""
    part.mkdir(exist_ok=True)
    handle = os.open(part, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in part.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        yield
    except BlockingIOError:
        raise WorkspaceError(f"{part}: another export is writing it; wait for it, then try again") from None
    finally:
        os.close(handle)


def _sync_all(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        if path.is_dir():
            sync_folder(path)
