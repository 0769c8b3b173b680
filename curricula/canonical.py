"""Canonical JSON: one text for one content, so that its SHA-256 is the content's name.

UTF-8, keys sorted by code point, no spaces, nothing escaped that need not be. Integers are exact, within ±(2^53 - 1),
so that every reader of JSON has the same; other numbers are finite and have the fewest digits that give the same
double, as Python's repr writes them. Strings stand as they are: Unicode is not normalised, since names are matched as
they are written, so two spellings of é are two contents; lone surrogates are refused. Not RFC 8785, which writes the
float 1.0 as 1 and sorts keys by UTF-16.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

GREATEST = 2**53 - 1
DEEPEST = 32
"""Levels of nesting; a recipe needs about five."""


def canonical_bytes(data: Mapping[str, Any]) -> bytes:
    """Return data as canonical JSON; ValueError for what that cannot say."""
    check(data)
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def parse(raw: bytes) -> Any:
    """Read JSON that holds only what canonical JSON can say; ValueError otherwise."""
    try:
        data = json.loads(raw, object_pairs_hook=_without_doubles)
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST} levels") from None
    check(data)
    return data


def check(data: Any) -> None:
    """Raise ValueError for numbers that are not exact or not finite, for what is no text, and for great depth."""
    level: list[Any] = [data]
    for _ in range(DEEPEST):
        for value in level:
            _check_one(value)
        level = [inner for value in level for inner in _inside(value)]
        if not level:
            return
    raise ValueError(f"nested deeper than {DEEPEST} levels")


def _check_one(value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"the number {value} is not finite")
    if isinstance(value, int) and abs(value) > GREATEST:
        raise ValueError(f"the integer {value} is not within ±(2^53 - 1)")
    if isinstance(value, Mapping) and any(not isinstance(key, str) for key in value):
        raise ValueError("a key is not text")
    for text in value if isinstance(value, Mapping) else [value] if isinstance(value, str) else ():
        text.encode()  # what is no Unicode is a UnicodeEncodeError, which is a ValueError


def _inside(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r:.60} stands twice in one object")
    return data
