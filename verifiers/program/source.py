"""Where a model's text has its program."""

from __future__ import annotations

import re
from collections.abc import Collection

MAX_CHARS = 200_000
MAX_CANDIDATES = 8
PYTHON = frozenset({"python", "python3", "py"})
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[^\n]*\n(.*?)^[ \t]*(?:```|~~~)", re.MULTILINE | re.DOTALL)


def candidates(answer: str, fences: Collection[str] = PYTHON) -> tuple[str, ...]:
    """Return possible programs, best first: the last fence of the language, other fences, the whole text."""
    text = answer[-MAX_CHARS:].replace("\r\n", "\n")
    found = [(match[1].lower(), match[2]) for match in _FENCE.finditer(text)][::-1]
    named = [body for name, body in found if name in fences]
    other = [body for name, body in found if name not in fences]
    return tuple([*named, *other][:MAX_CANDIDATES] + ([] if found else [text]))
