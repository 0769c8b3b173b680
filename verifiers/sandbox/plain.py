"""Python values as plain JSON and back: the only form in which data leaves the sandbox.

Exact built-in types only: None, bool, int, float, complex, str, bytes, list, tuple, set, frozenset, dict,
and the dict-like and list-like types of collections, which become dict and list. An object of any other
class, subclasses included, is refused: its `__eq__` could say anything.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict, deque
from typing import Any

MAX_DEPTH = 100
MAX_HASHED = 10_000
MAX_ALIKE = 100
_SEQUENCES: dict[str, type] = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}
_LIKE: dict[type, type] = {Counter: dict, OrderedDict: dict, defaultdict: dict, deque: list}


class NotPlainError(TypeError):
    """The value is not plain data."""


def encode(value: Any, depth: int = 0) -> list[Any]:
    """Return [type name, content]; ints in hexadecimal, which has no limit on digits."""
    kind = _LIKE.get(type(value), type(value))
    name = kind.__name__
    if depth > MAX_DEPTH:
        raise NotPlainError(f"nested more than {MAX_DEPTH} deep")
    if value is None:
        return ["None", None]
    if kind is bool or kind is str:
        return [name, value]
    if kind is int or kind is float:
        return [name, hex(value) if kind is int else value.hex()]
    if kind is complex:
        return [name, [value.real.hex(), value.imag.hex()]]
    if kind is bytes:
        return [name, value.hex()]
    if kind is dict:
        return [name, [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in value.items()]]
    if _SEQUENCES.get(name) is kind:
        return [name, [encode(item, depth + 1) for item in value]]
    raise NotPlainError(f"a {name} is not plain data")


def decode(encoded: Any, depth: int = 0) -> Any:
    """Return the value encode() was given. NotPlainError for anything it would not have written."""
    if not isinstance(encoded, list) or len(encoded) != 2 or depth > MAX_DEPTH:
        raise NotPlainError("not an encoded value")
    name, content = encoded
    try:
        return _decode(name, content, depth)
    except (TypeError, ValueError, AttributeError, OverflowError) as error:
        raise NotPlainError(f"not an encoded {name}: {error}") from None


def _decode(name: str, content: Any, depth: int) -> Any:
    if name == "None":
        return None
    if name in {"bool", "str"}:
        if type(content).__name__ != name:
            raise NotPlainError(f"not a {name}")
        return content
    if name == "int":
        return int(content, 16)
    if name == "float":
        return float.fromhex(content)
    if name == "complex":
        return complex(*map(float.fromhex, content))
    if name == "bytes":
        return bytes.fromhex(content)
    if name in {"set", "frozenset", "dict"} and len(content) > MAX_HASHED:
        raise NotPlainError(f"a {name} of more than {MAX_HASHED} elements")
    if name == "dict":
        keys = _unlike([decode(key, depth + 1) for key, _ in content])
        return {key: decode(value, depth + 1) for key, (_, value) in zip(keys, content, strict=True)}
    if name not in _SEQUENCES:
        return decode(None)
    items = [decode(item, depth + 1) for item in content]
    return _SEQUENCES[name](items if name in {"list", "tuple"} else _unlike(items))


def _unlike(items: list[Any]) -> list[Any]:
    """Return the items unless so many share a hash that a set of them would take seconds to build."""
    if len(items) - len(set(map(hash, items))) > MAX_ALIKE:
        raise NotPlainError(f"more than {MAX_ALIKE} elements with a hash that another has")
    return items
