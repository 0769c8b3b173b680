"""Where a model's text has its program."""

from __future__ import annotations

import re

MAX_CHARS = 200_000
MAX_CANDIDATES = 8
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)[ \t]*([\w+-]*)[^\n]*\n(.*?)^[ \t]*(?:```|~~~)", re.MULTILINE | re.DOTALL)
_PYTHON = {"python", "python3", "py"}


def candidates(answer: str) -> tuple[str, ...]:
    """Return possible programs, best first: the last python fence, other fences, the whole text."""
    text = answer[-MAX_CHARS:].replace("\r\n", "\n")
    fences = [(match[1].lower(), match[2]) for match in _FENCE.finditer(text)][::-1]
    python = [body for name, body in fences if name in _PYTHON]
    other = [body for name, body in fences if name not in _PYTHON]
    return tuple([*python, *other][:MAX_CANDIDATES] + ([] if fences else [text]))
