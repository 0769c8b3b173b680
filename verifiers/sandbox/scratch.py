"""The one folder a program can write in: emptied after every run, whatever is in it."""

from __future__ import annotations

import os
from pathlib import Path

MAX_BYTES = 32 << 20
MAX_ENTRIES = 10_000


def clear(folder: Path) -> bool:
    """Empty the folder; False if there is too much in it.

    A folder's contents are first moved up to the top: no depth of nesting is too much for that, and no
    permissions are, since the owner of a folder can change them.
    """
    number = 0
    while entries := list(os.scandir(folder)):
        for entry in entries:
            number += 1
            if number > MAX_ENTRIES:
                return False
            path = Path(entry)
            if not entry.is_dir(follow_symlinks=False):
                path.unlink()
                continue
            path.chmod(0o700)
            for inner in os.scandir(path):
                number += 1
                if inner.is_dir(follow_symlinks=False):
                    # Moving a folder changes its own entry "..".
                    Path(inner).chmod(0o700)
                Path(inner).rename(folder / os.urandom(16).hex())
            path.rmdir()
    for name in os.listxattr(folder):
        os.removexattr(folder, name)
    return True


def is_full(folder: Path) -> bool:
    """Whether the folder holds more than it may: for places whose size nothing else limits."""
    total = number = 0
    folders = [folder]
    while folders:
        try:
            for entry in os.scandir(folders.pop()):
                number += 1
                total += entry.stat(follow_symlinks=False).st_blocks * 512
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry))
                if number > MAX_ENTRIES or total > MAX_BYTES:
                    return True
        # A running program removes what was just listed.
        except OSError:
            continue
    return False
