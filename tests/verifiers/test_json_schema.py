"""Verifier "json_schema": valid, invalid, not JSON at all; schemas that are refused."""

import json
import time

import pytest

from gradus.verifiers.base import SpecError, check_spec, verify

SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 0},
        "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "uniqueItems": True},
    },
    "required": ["name", "age"],
    "additionalProperties": False,
    "$defs": {"tag": {"type": "string", "maxLength": 5}},
}


def judge(answer, schema=SCHEMA):
    check_spec("json_schema", {"schema": schema})
    return verify("json_schema", answer, {"schema": schema})


@pytest.mark.parametrize(
    "answer",
    [
        '{"name": "Ada", "age": 36}',
        ' {"age": 36.0, "name": "Ada", "tags": ["x", "y"]}\n',
        'Here it is:\n```json\n{"name": "Ada", "age": 36}\n```\nDone.',
        '<think>{"name": 1}</think>{"name": "Ada", "age": 36}',
        '```json\n{"name": 5}\n```\nNo, rather:\n```\n{"name": "Ada", "age": 36}\n```',
        '{"name": "a ```json\\n{}\\n``` b", "age": 1}',
    ],
)
def test_valid_json_passes(answer):
    assert judge(answer).outcome == "pass"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ('{"name": "Ada"}', "at $: 'age' is a required property"),
        ('{"name": "Ada", "age": -1}', "at $.age: -1 is less than"),
        ('{"name": "Ada", "age": true}', "at $.age: True is not of type"),
        ('{"name": "Ada", "age": 1, "x": 2}', "Additional properties"),
        ('{"name": "Ada", "age": 1, "tags": ["a", "a"]}', "at $.tags: two items are equal"),
        ('{"name": "Ada", "age": 1, "tags": ["abcdef"]}', "at $.tags[0]: 'abcdef' is too long"),
        ("[]", "at $: [] is not of type 'object'"),
    ],
)
def test_json_that_breaks_the_schema_fails_and_says_where(answer, words):
    verdict = judge(answer)
    assert verdict.outcome == "fail"
    assert words in verdict.reason


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I cannot.",
        '{"name": "Ada", "age": 36} thanks',
        '{"name": "Ada", "age": 36,}',
        '{"name": "Ada", "age": 36, "age": 37}',
        '{"name": "Ada", "age": NaN}',
        '{"name": "Ada", "age": 1e999}',
        "{'name': 'Ada', 'age': 36}",
        '{"name": "Ada", "age": ' + "9" * 5000 + "}",
        "[" * 33 + "]" * 33,
        "[" * 100_000,
        "[" + "1," * 30_000 + "1]",
        '"' + "x" * 200_001 + '"',
    ],
    ids=lambda answer: answer[:20],
)
def test_what_is_no_json_or_too_much_of_it_is_unparseable(answer):
    assert judge(answer).outcome == "unparseable"


@pytest.mark.parametrize(
    "schema",
    [
        5,
        {"type": "strange"},
        {"$ref": "http://example.org/schema.json"},
        {"$ref": "other.json#/a"},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"properties": {"a": {"items": {"$ref": "file:///etc/passwd"}}}},
        {"minimum": "1"},
    ],
)
def test_a_schema_that_cannot_be_used_is_refused(schema):
    with pytest.raises(SpecError, match="json_schema"):
        check_spec("json_schema", {"schema": schema})


def test_a_property_may_be_called_ref_and_a_schema_may_refer_to_itself():
    tree = {"type": "object", "properties": {"$ref": {"type": "string"}, "child": {"$ref": "#"}}}
    assert judge('{"$ref": "x", "child": {"child": {}}}', tree).outcome == "pass"
    assert judge('{"child": {"child": 5}}', tree).outcome == "fail"


def test_the_draft_is_the_schemas_own():
    old = {"$schema": "http://json-schema.org/draft-04/schema#", "minimum": 5, "exclusiveMinimum": True}
    assert judge("5", old).outcome == "fail"
    assert judge("6", old).outcome == "pass"


def test_unique_items_take_no_quadratic_time():
    items = json.dumps([{"a": i} for i in range(9000)])
    start = time.perf_counter()
    assert judge(items, {"uniqueItems": True}).outcome == "pass"
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(("items", "outcome"), [("[1, 1.0]", "fail"), ("[1, true]", "pass"), ("[[1], [true]]", "pass")])
def test_unique_items_compare_as_json_does(items, outcome):
    assert judge(items, {"uniqueItems": True}).outcome == outcome
