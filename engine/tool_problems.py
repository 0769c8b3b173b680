"""Problems of tool use out of others' definitions and calls.

Definitions come as JSON Schema, or with Python's names of types ("dict", "List[int]", "str, optional"), or as bare
`{argument: {type, description, default}}`; all become JSON Schema. A call must be of a tool that is offered, and its
arguments must be valid under that tool's schema, or it is a ValueError: such data would teach calls that fail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradus.engine.calls import request
from gradus.engine.records import Problem
from gradus.verifiers.base import SpecError, check_spec, verify

TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean", "dict": "object", "list": "array"}
TYPES |= {"tuple": "array", "set": "array", "double": "number", "long": "integer", "char": "string"}
KNOWN = {"string", "integer", "number", "boolean", "object", "array", "null"}
OPTIONAL = re.compile(r"\boptional\b", re.I)


def tool_problem(
    tools: Sequence[Mapping[str, Any]],
    said: str,
    expected: Sequence[Mapping[str, Any]],
    *,
    source: str,
    tags: tuple[str, ...] = (),
) -> Problem:
    """Return the problem of making the expected calls, or none, with the tools on being asked said."""
    if not said.strip():
        raise ValueError("nothing is asked")
    spec = {"expected": list(expected)}
    check_spec("tool_call", spec)
    return Problem(
        prompt=request(tools, said.strip()), domain="tool", verifier="tool_call", spec=spec, source=source, tags=tags
    )


def definitions(tools: Any) -> list[dict[str, Any]]:
    """Return tools as `{name, description, parameters}` with a JSON Schema."""
    found = [tools] if isinstance(tools, Mapping) else tools
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise TypeError(f"tools must be a list, not {tools!r:.60}")
    return [_definition(tool) for tool in found]


def wanted(tools: Iterable[Mapping[str, Any]], name: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return an expected call: text counts without case and spacing, and a default may be said or left out."""
    properties = schema_of(tools, name)["properties"]
    check_call(tools, name, arguments)
    defaults = {key: told["default"] for key, told in properties.items() if told.get("default") not in (None, "")}
    full = {**defaults, **arguments}
    call: dict[str, Any] = {"name": name, "arguments": full}
    if optional := [key for key in full if key in defaults and full[key] == defaults[key]]:
        call["optional"] = optional
    if text := {key: "text" for key, value in full.items() if isinstance(value, str) and "enum" not in properties[key]}:
        call["match"] = text
    return call


def check_call(tools: Iterable[Mapping[str, Any]], name: str, arguments: Mapping[str, Any]) -> None:
    """Raise ValueError unless the tool is offered and the arguments are valid."""
    schema = schema_of(tools, name)
    if unknown := set(arguments) - set(schema["properties"]):
        raise ValueError(f"{name} has no argument {sorted(unknown)[0]!r}")
    try:
        check_spec("json_schema", {"schema": schema})
    except SpecError as error:
        raise ValueError(f"the schema of {name} is none: {error}") from None
    verdict = verify("json_schema", json.dumps(arguments), {"schema": schema})
    if verdict.outcome != "pass":
        raise ValueError(f"a call of {name} does not fit its schema: {verdict.reason}")


def schema_of(tools: Iterable[Mapping[str, Any]], name: str) -> dict[str, Any]:
    """Return the parameters of the tool of that name."""
    found: dict[str, Any] | None = next((tool["parameters"] for tool in tools if tool["name"] == name), None)
    if found is None:
        raise ValueError(f"no tool {name!r} is offered")
    return found


def _definition(tool: Any) -> dict[str, Any]:
    told = tool.get("function") or tool if isinstance(tool, Mapping) else None
    if not isinstance(told, Mapping) or not isinstance(told.get("name"), str):
        raise ValueError(f"a tool has no name: {tool!r:.60}")
    given = told.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise TypeError(f"the parameters of {told['name']} must be an object")
    if "properties" not in given:
        needed = [name for name, told in given.items() if not _may_be_left_out(told)]
        given = {"type": "object", "properties": given, "required": needed}
    schema = _schema(given) | {"type": "object"}
    schema.setdefault("properties", {})
    return {"name": told["name"], "description": str(told.get("description") or ""), "parameters": schema}


def _may_be_left_out(told: Any) -> bool:
    return isinstance(told, Mapping) and ("default" in told or bool(OPTIONAL.search(str(told.get("type", "")))))


def _schema(told: Any) -> dict[str, Any]:
    """Return a schema with JSON's names of types, at every depth; a type that nobody knows says nothing."""
    if not isinstance(told, Mapping):
        raise TypeError(f"a schema must be an object, not {told!r:.40}")
    schema = {key: value for key, value in told.items() if value is not None and key not in ("optional", "required")}
    if isinstance(told.get("required"), list):
        schema["required"] = told["required"]
    if isinstance(schema.get("type"), str):
        name = OPTIONAL.sub("", schema.pop("type")).strip(" ,[]").lower()
        name = re.split(r"[\[(,| ]", name)[0]
        if (name := TYPES.get(name, name)) in KNOWN:
            schema["type"] = name
    if isinstance(schema.get("properties"), Mapping):
        schema["properties"] = {key: _schema(value) for key, value in schema["properties"].items()}
    if isinstance(schema.get("items"), Mapping):
        schema["items"] = _schema(schema["items"])
    return schema
