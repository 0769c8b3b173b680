"""Write `client_reading.py` and `client_changing.py` from the OpenAPI document: `make client`.

One method an operation, of the operation's id, with its parameters: those of the path first, then the fields of its
body and its query by keyword. A page of rows, or an answer that can be an Arrow stream, becomes a polars frame.
"""

from __future__ import annotations

import keyword
import re
from pathlib import Path
from typing import Any

from gradus.api.app import create_app
from gradus.engine.workspace import Workspace

HEAD = '''"""The operations of the REST interface that {what}; written by client_source.py, not by hand."""

from __future__ import annotations

{iterator}from typing import Any, Literal

import polars as pl

from gradus.api.client_transport import {event}Transport


class {name}(Transport):
    """The operations that {what}."""
'''
FILES = {"client_reading.py": ("Reading", "read"), "client_changing.py": ("Changing", "change or run something")}
TYPES = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "object": "dict[str, Any]"}
ARROW = "application/vnd.apache.arrow.stream"
WAYS = {"_page": "pl.DataFrame", "_frame": "pl.DataFrame", "_events": "Iterator[Event]", "_none": "None"}
WAYS |= {"_bytes": "bytes", "_text": "str"}
MAX_CHARS = 105
WHOLE = "request"
"""What a body is called that has one of several forms."""
Schema = dict[str, Any]


def main() -> None:
    """Write the files."""
    document = create_app(Workspace(Path())).openapi()
    for file in FILES:
        Path(__file__).with_name(file).write_text(source(document, file))


def source(document: Schema, file: str) -> str:
    """Return one of the files."""
    name, what = FILES[file]
    methods = "".join(
        _method(document["components"]["schemas"], verb.upper(), path, operation)
        for path, operations in document["paths"].items()
        for verb, operation in operations.items()
        if (verb == "get") == (name == "Reading")
    )
    iterator, event = ("from collections.abc import Iterator\n", "Event, ") if "Iterator[" in methods else ("", "")
    return HEAD.format(name=name, what=what, iterator=iterator, event=event) + methods


def _in_a_line(description: str) -> str:
    """Return the first sentence of a description, or what fits of it into a line."""
    said = " ".join(description.split())
    while len(said) > MAX_CHARS:
        said = re.split(r"[.,:;(] ?[^.,:;(]*$", said.rstrip(".)"))[0].rstrip() + "."
    return said


def _method(schemas: dict[str, Schema], verb: str, path: str, operation: Schema) -> str:
    given = operation.get("parameters", [])
    in_path = re.findall(r"{(\w+)}", path)
    query = {one["name"]: (_type(schemas, one["schema"]), one.get("required")) for one in given if one["in"] == "query"}
    content = operation.get("requestBody", {}).get("content", {})
    body = _fields(schemas, content.get("application/json", {}).get("schema", {}))
    is_file = any(media != "application/json" for media in content)
    way, returns = _returned(schemas, operation)
    arguments = [repr(verb), f'f"{_filled(path, in_path)}"' if in_path else f'"{path}"']
    arguments += [f"query={_dict(query)}"] if query else []
    arguments += [f"body={_dict(body)}"] if body else []
    arguments += ["content=content", "content_type=content_type"] if is_file else []
    arguments += ["once=True"] if any(one["name"].lower() == "idempotency-key" for one in given) else []
    arguments += ["max_rows=max_rows"] if way == "_page" else []
    head = ", ".join(["self", *(f"{_name(name)}: str" for name in in_path), *_keywords(query | body, way, is_file)])
    said = _in_a_line(operation["description"])
    return (
        f"\n    def {operation['operationId']}({head}) -> {returns}:\n"
        f'        """{said}"""\n'
        f"        {'' if way == '_none' else 'return '}self.{way}({', '.join(arguments)})\n"
    )


def _keywords(named: dict[str, tuple[str, bool]], way: str, is_file: bool) -> list[str]:
    """Return the parameters that are given by name: the needed ones first."""
    needed = [f"{_name(name)}: {kind}" for name, (kind, must) in named.items() if must]
    optional = [f"{_name(name)}: {_or_none(kind)} = None" for name, (kind, must) in named.items() if not must]
    optional += ["content: bytes | None = None", 'content_type: str = "application/x-ndjson"'] if is_file else []
    optional += ["max_rows: int | None = None"] if way == "_page" else []
    return ["*", *needed, *optional] if needed or optional else []


def _returned(schemas: dict[str, Schema], operation: Schema) -> tuple[str, str]:
    """Return which method of the transport asks, and what it returns."""
    response = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
    content = response.get("content", {})
    schema = _resolved(schemas, content.get("application/json", {}).get("schema", {}))
    way = "_json"
    if not content:
        way = "_none"
    elif "text/event-stream" in content:
        way = "_events"
    elif {"rows", "next"} <= schema.get("properties", {}).keys():
        way = "_page"
    elif ARROW in content:
        way = "_frame"
    elif "application/json" not in content:
        way = "_text" if any(media.startswith("text/") for media in content) else "_bytes"
    return way, WAYS.get(way) or _type(schemas, schema)


def _fields(schemas: dict[str, Schema], schema: Schema) -> dict[str, tuple[str, bool]]:
    found = _resolved(schemas, schema)
    if "oneOf" in found or "anyOf" in found:
        return {WHOLE: ("dict[str, Any]", True)}
    needed = found.get("required", [])
    return {name: (_type(schemas, one), name in needed) for name, one in found.get("properties", {}).items()}


def _type(schemas: dict[str, Schema], schema: Schema) -> str:
    """Return a schema as a Python type; objects of a known form are dictionaries all the same."""
    schema = _resolved(schemas, schema)
    if "enum" in schema:
        return f"Literal[{', '.join(map(repr, schema['enum']))}]"
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if several := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(_type(schemas, one) for one in several))
    if schema.get("type") == "array":
        return f"list[{_type(schemas, schema.get('items', {}))}]"
    return "None" if schema.get("type") == "null" else TYPES.get(schema.get("type", ""), "Any")


def _resolved(schemas: dict[str, Schema], schema: Schema) -> Schema:
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _or_none(kind: str) -> str:
    return kind if kind == "Any" or kind.endswith("None") else f"{kind} | None"


def _name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _dict(named: dict[str, tuple[str, bool]]) -> str:
    if WHOLE in named:
        return WHOLE
    return "{" + ", ".join(f'"{name}": {_name(name)}' for name in named) + "}"


def _filled(path: str, names: list[str]) -> str:
    for name in names:
        path = path.replace(f"{{{name}}}", f"{{self._part({_name(name)})}}")
    return path


if __name__ == "__main__":
    main()
