"""JSON as its standard has it, and not a little more: what a model wrote is read strictly, within limits.

Refused: a key given twice, NaN and infinities (also a number too large for a double), anything after the value,
more than MAX_CHARS characters, MAX_DEPTH levels or MAX_VALUES values.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

MAX_CHARS = 200_000
MAX_DEPTH = 32
MAX_VALUES = 20_000
_FENCE = re.compile(r"```[ \t]*(\w*)[ \t]*\n(.*?)\n[ \t]*```", re.S)


class BadJSON(ValueError):  # noqa: N818
    """Text that is no JSON, or too much of it; says what and where."""


def load(text: str) -> Any:
    """Return the value that text is."""
    if len(text) > MAX_CHARS:
        raise BadJSON(f"{len(text)} characters; at most {MAX_CHARS} are read")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_constant, parse_float=_finite)
    except RecursionError:
        raise BadJSON(f"nested deeper than {MAX_DEPTH}") from None
    except BadJSON:
        raise
    except ValueError as error:
        raise BadJSON(f"not JSON: {error}") from None
    _measure(value)
    return value


def stated(answer: str) -> str:
    """Return where the JSON of an answer stands: the last fenced block of JSON, or else all of the text."""
    text = after_thought(answer).strip()
    blocks = [block for language, block in _FENCE.findall(text) if language.lower() in ("", "json", "jsonc")]
    return text if text[:1] in ("{", "[") or not blocks else blocks[-1]


def after_thought(answer: str) -> str:
    """Return an answer without the thoughts before it."""
    return answer.rpartition("</think>")[2]


def canonical(value: Any) -> str:
    """Return text that is equal for equal JSON values: 5 is 5.0, the order of keys is none, true is not 1."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise BadJSON(f"key {next(key for key in keys if keys.count(key) > 1)!r} is given twice")
    return found


def _constant(word: str) -> Any:
    raise BadJSON(f"{word} is not JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if math.isinf(number):
        raise BadJSON(f"{digits:.30} is too large for a number")
    return number


def _measure(value: Any) -> None:
    """Refuse a value that is too deep or too large for what comes after."""
    level, depth, total = [value], 0, 1
    while level:
        depth += 1
        if depth > MAX_DEPTH and any(isinstance(one, dict | list) for one in level):
            raise BadJSON(f"nested deeper than {MAX_DEPTH}")
        level = [item for one in level for item in _items(one)]
        total += len(level)
        if total > MAX_VALUES:
            raise BadJSON(f"more than {MAX_VALUES} values")


def _items(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
