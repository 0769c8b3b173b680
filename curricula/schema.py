"""The JSON Schema of manifests, made of the dataclasses: docs/manifest.schema.json, and `gradus curriculum schema`.

Of the newest format; every field is there in a file, so all are required, and no other is allowed. What the schema
can't say is for `gradus curriculum verify`: that hashes, counts and files are right.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import types
import typing
from itertools import pairwise
from typing import Any

from gradus.curricula.canonical import GREATEST
from gradus.curricula.manifest import FORMAT, MOST_TOKENS, Manifest

DRAFT = "https://json-schema.org/draft/2020-12/schema"
SIMPLE: dict[Any, dict[str, Any]] = {
    bool: {"type": "boolean"},
    int: {"type": "integer", "minimum": -GREATEST, "maximum": GREATEST},
    float: {"type": "number"},
    str: {"type": "string"},
    types.NoneType: {"type": "null"},
    Any: {},
}
SHARPER: dict[str, dict[str, Any]] = {
    "Shard.sha256": {"pattern": "^[0-9a-f]{64}$"},
    "Shard.num_rows": {"minimum": 0},
    "Manifest.format": {"const": FORMAT},
    "Stage.context_length": {"minimum": 1, "maximum": MOST_TOKENS},
    "RLSection.band": {"minItems": 2, "maxItems": 2},
}
"""What holds beyond the type."""


def manifest_schema() -> dict[str, Any]:
    """Return the schema of a manifest."""
    found: dict[str, dict[str, Any]] = {}
    _object(Manifest, found)
    top = found.pop("Manifest")
    return {"$schema": DRAFT, "title": f"Gradus manifest, format {FORMAT}", **top, "$defs": dict(sorted(found.items()))}


def _object(cls: type[Any], found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Put a dataclass among the definitions, and return the reference to it."""
    if cls.__name__ not in found:
        found[cls.__name__] = {}  # its place, before those that it names
        hints, said = typing.get_type_hints(cls), _described(cls)
        fields = {}
        for field in dataclasses.fields(cls):
            words = {"description": said[field.name]} if field.name in said else {}
            fields[field.name] = _of(hints[field.name], found) | SHARPER.get(f"{cls.__name__}.{field.name}", {}) | words
        found[cls.__name__] = {
            "type": "object",
            "description": inspect.getdoc(cls) or "",
            "properties": fields,
            "required": sorted(fields),
            "additionalProperties": False,
        }
    return {"$ref": f"#/$defs/{cls.__name__}"}


def _of(hint: Any, found: dict[str, dict[str, Any]]) -> dict[str, Any]:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _object(typing.cast("type[Any]", hint), found)
    if origin is typing.Literal:
        return {"enum": list(inner)}
    if origin in (typing.Union, types.UnionType):
        return {"anyOf": [_of(one, found) for one in inner]}
    if origin is tuple:
        return {"type": "array", "items": _of(inner[0], found)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _of(inner[1], found)}
    return SIMPLE[hint]


def _described(cls: type[Any]) -> dict[str, str]:
    """Return the sentence below each field, as it stands in the source."""
    (body,) = (node.body for node in ast.walk(ast.parse(inspect.getsource(cls))) if isinstance(node, ast.ClassDef))
    said = {}
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            said[field.target.id] = " ".join(str(ast.literal_eval(below.value)).split())
    return said
