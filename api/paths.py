"""The one way from a name in a request to a file, below a folder or not at all; and from a path to an answer.

Refused are absolute names, `..`, NUL and other control characters, backslashes, names too long for a file system, and
symbolic links that lead out. A link made between the check and the opening is not covered: who can make one inside the
workspace can read what it would show.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from gradus.errors import DataError


def inside(folder: Path, name: str) -> Path:
    """Return the path of name below folder, links followed; DataError if it would leave the folder."""
    parts = PurePosixPath(name).parts
    bad = not name.isprintable() or "\\" in name or name.startswith(("/", "~")) or ".." in parts
    if bad or not parts or any(len(part.encode(errors="replace")) > 255 for part in parts):
        raise _refused(folder, name)
    root = folder.resolve()
    try:
        path = (root / name).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a name too long, a lone surrogate
        raise _refused(folder, name) from None
    if not path.is_relative_to(root) or path == root:
        raise _refused(folder, name)
    return path


def without_root(root: Path, value: Any) -> Any:
    """Return a value whose texts name what lies below root as seen from there, as `runs/sft-1/log.txt`; root is `.`."""
    if isinstance(value, str):
        return _naming(root).sub(lambda found: "" if found[1] else ".", value)
    if isinstance(value, dict):
        return {name: without_root(root, inner) for name, inner in value.items()}
    return [without_root(root, inner) for inner in value] if isinstance(value, list | tuple) else value


@lru_cache
def _naming(root: Path) -> re.Pattern[str]:
    """Return what finds root in a text: as a whole, and not as the end of another path."""
    names = sorted({str(root.absolute()), str(root.resolve())}, key=len, reverse=True)
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(map(re.escape, names))})(?:(/)|(?![\w.-]*\w))")


def _refused(folder: Path, name: str) -> DataError:
    return DataError(f"{name[:200]!r} is not a path inside {folder.name}; give one relative to it, as in `a/b.jsonl`")
