"""Queries with a name: those that come with Gradus, and those of a workspace, in its folder `queries`.

Each is a `.sql` file that begins with comments: lines of the form `-- $limit integer = 20: at most so many` declare its
parameters, the others say what it answers. A parameter without `= default` has to be given; the default is written as
JSON. A workspace's query hides one of ours of the same name.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from gradus.api.sql.query import parameters_of
from gradus.engine.parts import atomic_file
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError

Kind = Literal["text", "integer", "number", "boolean", "texts"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SHIPPED = Path(__file__).parent / "queries"
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
DECLARATION = re.compile(r"--\s*\$(\w+)\s+(\w+)(?:\s*=\s*(.*?))?(?::\s(.*))?")
ACCEPTED: dict[Kind, tuple[type, ...]] = {
    "text": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "texts": (list,),
}

_writing = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """What a saved query is asked with. default is only meant where required is false."""

    name: str
    type: Kind
    required: bool = True
    default: Any = None
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedQuery:
    """A query with a name. shipped: it comes with Gradus."""

    name: str
    sql: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    shipped: bool = False


def list_queries(workspace: Workspace) -> list[SavedQuery]:
    """Return every saved query, by name."""
    paths = [path for folder in (SHIPPED, _folder(workspace)) for path in sorted(folder.glob("*.sql"))]
    by_name = {path.stem: path for path in paths if _is_own(path)}
    return [_read(path) for _, path in sorted(by_name.items())]


def find_query(workspace: Workspace, name: str) -> SavedQuery:
    """Return one saved query."""
    for folder in (_folder(workspace), SHIPPED):
        if NAME.fullmatch(name) and _is_own(path := folder / f"{name}.sql"):
            return _read(path)
    known = ", ".join(query.name for query in list_queries(workspace))
    raise ConfigError(f"no saved query {name!r}. Known: {known}.")


def save(workspace: Workspace, query: SavedQuery) -> SavedQuery:
    """Check a query, store it in the workspace, and return it; one of the same name is replaced."""
    if not NAME.fullmatch(query.name):
        raise DataError(f"{query.name!r} is no name for a query; a-z, 0-9, - and _ are, at most 64 of them")
    used, declared = parameters_of(workspace, query.sql), sorted(one.name for one in query.parameters)
    if used != declared:
        raise DataError(f"query {query.name}: its SQL has the parameters {used}, declared are {declared}")
    for one in query.parameters:
        if not one.required and one.default is not None:
            _convert(one, one.default)
    path = _folder(workspace) / f"{query.name}.sql"
    path.parent.mkdir(exist_ok=True)
    with _writing, atomic_file(path) as file:
        file.write(_text(query).encode())
    return _read(path)


def delete(workspace: Workspace, name: str) -> None:
    """Delete a query of the workspace; what comes with Gradus stays."""
    if find_query(workspace, name).shipped:
        raise ConfigError(
            f"the query {name!r} comes with Gradus; it can be hidden by one of the same name, not deleted"
        )
    (_folder(workspace) / f"{name}.sql").unlink(missing_ok=True)


def bind(query: SavedQuery, given: dict[str, Any]) -> dict[str, Any]:
    """Return a value for each parameter, of its type; DataError names what is missing, unknown or of another type."""
    known = {one.name for one in query.parameters}
    if unknown := sorted(given.keys() - known):
        raise DataError(
            f"query {query.name} has no parameter {unknown[0]!r}. Known: {', '.join(sorted(known)) or 'none'}."
        )
    if missing := [one.name for one in query.parameters if one.required and one.name not in given]:
        raise DataError(f"query {query.name} needs a value for {missing[0]!r}")
    return {one.name: _convert(one, given.get(one.name, one.default)) for one in query.parameters}


def infer(given: dict[str, Any], used: Iterable[str]) -> tuple[Parameter, ...]:
    """Return the parameters of a query from the values it was tried with, which become their defaults."""
    kinds: dict[type, Kind] = {bool: "boolean", int: "integer", float: "number", list: "texts"}
    return tuple(
        Parameter(
            name=name,
            type=kinds.get(type(given.get(name)), "text"),
            required=name not in given,
            default=given.get(name),
        )
        for name in used
    )


def _convert(parameter: Parameter, value: Any) -> Any:
    """Return value as the parameter's type: as it is, or read from text; null is of every type."""
    kind = parameter.type
    if isinstance(value, str) and kind != "text":
        try:
            value = json.loads(value)
        except ValueError:
            raise _wrong(parameter, value) from None
    if value is None:
        return None
    fits = isinstance(value, ACCEPTED[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits or (kind == "texts" and not all(isinstance(item, str) for item in value)):
        raise _wrong(parameter, value)
    return value


def _wrong(parameter: Parameter, value: Any) -> DataError:
    return DataError(f"the parameter {parameter.name} is of type {parameter.type}, which {value!r} is not")


def _folder(workspace: Workspace) -> Path:
    return workspace.root / "queries"


def _is_own(path: Path) -> bool:
    """Whether a file is there and not a link, which could lead anywhere."""
    return path.is_file() and not path.is_symlink()


def _read(path: Path) -> SavedQuery:
    lines = path.read_text(encoding="utf-8").splitlines()
    head = next((number for number, line in enumerate(lines) if not line.startswith("--")), len(lines))
    parameters, words = [], []
    for line in lines[:head]:
        if found := DECLARATION.fullmatch(line.strip()):
            parameters.append(_declared(path, *found.groups()))
        else:
            words.append(line.lstrip("- ").strip())
    return SavedQuery(
        name=path.stem,
        sql="\n".join(lines[head:]).strip(),
        description=" ".join(words),
        parameters=tuple(parameters),
        shipped=path.parent == SHIPPED,
    )


def _declared(path: Path, name: str, kind: str, default: str | None, words: str | None) -> Parameter:
    known = next((one for one in KINDS if one == kind), None)
    try:
        value = json.loads(default) if default is not None else None
    except ValueError:
        raise DataError(f"{path}: the default of ${name} is not JSON: {default}") from None
    if known is None:
        raise DataError(f"{path}: ${name} has the type {kind!r}. Known: {', '.join(KINDS)}.")
    return Parameter(name=name, type=known, required=default is None, default=value, description=words or "")


def _text(query: SavedQuery) -> str:
    """Return the file of a query."""
    head = [f"-- {' '.join(query.description.split())}"] if query.description.strip() else []
    for one in query.parameters:
        default = "" if one.required else f" = {json.dumps(one.default, ensure_ascii=False)}"
        words = " ".join(one.description.split())
        head.append(f"-- ${one.name} {one.type}{default}" + (f": {words}" if words else ""))
    return "\n".join([*head, query.sql.strip(), ""])
