"""Verifier "json_schema": does the JSON of an answer follow a JSON Schema?

The JSON is the whole answer or its last fenced block, read strictly: structured/strict_json.py has the limits. The
schema's `$schema` picks the draft, 2020-12 by default. References must stay inside the schema: none is fetched.
An answer without JSON, or with broken JSON, is unparseable; JSON that breaks the schema fails.

Not covered: `format` is a remark, as the standard has it; a schema's own cost (its patterns, and nested anyOf)
is its author's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from jsonschema import exceptions, validators
from jsonschema.protocols import Validator
from referencing import Registry
from referencing.exceptions import Unresolvable

from gradus.verifiers.base import SpecError, Verdict, failed, passed, unparseable, verifier
from gradus.verifiers.structured.strict_json import BadJSON, canonical, load, stated
from gradus.verifiers.trail import note

MAX_REASON_CHARS = 300


def check(spec: Mapping[str, Any]) -> None:
    """Refuse a schema that is none, refers outside itself, or never ends."""
    schema = spec["schema"]
    if not isinstance(schema, dict | bool):
        raise SpecError(f"json_schema: schema must be an object or a boolean, not {schema!r:.60}")
    try:
        for reference in _references(schema):
            if not reference.startswith("#"):
                raise SpecError(f"json_schema: {reference!r}: only references inside the schema (#…) are followed")
        validator = _validator(canonical(schema))
        validator.check_schema(schema)
        for reference in _references(schema):
            validator._resolver.lookup(reference)  # type: ignore[attr-defined]
        validator.is_valid(None)
    except exceptions.SchemaError as error:
        raise SpecError(f"json_schema: {error.json_path}: {error.message:.200}") from None
    except Unresolvable as error:
        raise SpecError(f"json_schema: nothing at {error.ref!r} in the schema") from None
    except RecursionError:
        raise SpecError("json_schema: the schema refers to itself without end, or is nested too deeply") from None


@verifier("json_schema", version="1", check=check)
def json_schema(answer: str, *, schema: Mapping[str, Any] | bool) -> Verdict:
    """Pass when the answer's JSON is valid."""
    text = stated(answer)
    note("the JSON is {} characters of {}", len(text), len(answer))
    try:
        value = load(text)
    except BadJSON as error:
        return unparseable(f"no JSON could be read: {error}")
    fault = exceptions.best_match(_validator(canonical(schema)).iter_errors(value))
    if fault is None:
        return passed("valid")
    return failed(f"at {fault.json_path}: {fault.message}"[:MAX_REASON_CHARS])


@lru_cache(maxsize=64)
def _validator(schema: str) -> Validator:
    value = json.loads(schema)
    draft = validators.validator_for(value, default=validators.Draft202012Validator)
    # jsonschema compares every pair of items; a registry of our own fetches nothing.
    ours = validators.extend(draft, {"uniqueItems": _unique})
    return ours(value, registry=Registry())


def _unique(_: Validator, wanted: bool, items: Any, __: Any) -> Iterator[exceptions.ValidationError]:
    if wanted and isinstance(items, list) and len(set(map(canonical, items))) < len(items):
        yield exceptions.ValidationError("two items are equal")


def _references(schema: Any) -> Iterator[str]:
    """Yield what every $ref and $dynamicRef names; constants and property names are no references."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("$ref", "$dynamicRef", "$recursiveRef") and isinstance(value, str):
                yield value
            elif key not in ("const", "enum", "default", "examples"):
                yield from _references(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _references(value)
