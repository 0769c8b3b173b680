"""Frozen dataclasses from TOML and `key=value`; an unknown key is an error that lists the known ones.

Field types that are read: bool, int, float, str, None, Literal, Any, other dataclasses, and
tuple[X, ...] and dict[str, X] of those.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import tomllib
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from gradus.errors import ConfigError

T = TypeVar("T")
SCALARS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def load(cls: type[T], source: Path | None, overrides: Sequence[str] = ()) -> T:
    """Read a TOML recipe (None: all defaults), apply `a.b=value` overrides, build cls."""
    data = read_toml(source) if source else {}
    for text in overrides:
        _override(data, text)
    return build(cls, data, str(source or "command line"))


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file, or a JSON file; errors name the file."""
    try:
        text = path.read_text()
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: no such recipe") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from None
    except json.JSONDecodeError as error:
        raise ConfigError(f"{path}: not JSON: {error}") from None


_hints = functools.cache(typing.get_type_hints)  # a recipe names some classes many times


def build(cls: type[T], data: dict[str, Any], where: str) -> T:
    """Make a cls from plain data, checking every key and type."""
    hints = _hints(cls)  # type: ignore[arg-type]
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            raise ConfigError(f"{where}: {cls.__name__} has no {key!r:.100}. Fields: {', '.join(fields)}.")
    missing = [name for name, f in fields.items() if name not in data and _required(f)]
    if missing:
        raise ConfigError(f"{where}: {cls.__name__} needs {', '.join(missing)}.")
    try:
        return cls(**{key: _convert(hints[key], value, f"{where}: {key}") for key, value in data.items()})
    except ValueError as error:  # a dataclass's own __post_init__ refuses a value
        raise ConfigError(f"{where}: {error}") from None


def plain(config: Any) -> dict[str, Any]:
    """Return config as JSON-ready data; the inverse of build."""
    return dataclasses.asdict(config)


def _required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _convert(next(a for a in args if a is not type(None)), value, where)
    if origin is typing.Literal:
        return _checked(value in args, value, where, "one of " + ", ".join(map(repr, args)))
    if dataclasses.is_dataclass(hint):
        return build(hint, _checked(isinstance(value, dict), value, where, "a table"), where)  # type: ignore[arg-type]
    if origin is tuple:
        _checked(isinstance(value, list | tuple), value, where, "a list")
        return tuple(_convert(args[0], item, f"{where}[{i}]") for i, item in enumerate(value))
    if origin is dict:
        _checked(isinstance(value, dict), value, where, "a table")
        return {key: _convert(args[1], item, f"{where}.{key}") for key, item in value.items()}
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _checked(type(value) is hint, value, where, SCALARS.get(hint, f"a {hint.__name__}"))


def _checked(ok: bool, value: Any, where: str, wanted: str) -> Any:
    if not ok:
        raise ConfigError(f"{where} must be {wanted}, not {value!r:.200}")
    return value


def _override(data: dict[str, Any], text: str) -> None:
    """Set `a.b=value` in data; a value that is not TOML is taken as a string."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise ConfigError(f"{text!r} is not key=value")
    *parents, last = key.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise ConfigError(f"{text!r}: {parent!r} is a value, not a table")
    try:
        data[last] = tomllib.loads(f"x = {value}")["x"]
    except tomllib.TOMLDecodeError:
        data[last] = value
