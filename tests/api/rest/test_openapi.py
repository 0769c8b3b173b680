"""The OpenAPI document: every operation has an id, a description, an example of its body, and the shape of errors."""

import re

import pytest


@pytest.fixture(scope="module")
def document(rest):
    return rest.get("/openapi.json").json()


def operations(document):
    return [(verb, path, operation) for path, verbs in document["paths"].items() for verb, operation in verbs.items()]


def test_every_operation_has_its_own_id_and_a_sentence(document):
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(ids)) == len(ids) > 30
    for _, path, operation in operations(document):
        assert re.fullmatch("[a-z]+(_[a-z]+)+", operation["operationId"]), path
        assert operation["description"].strip().endswith("."), path
        assert operation["tags"], path


def test_every_operation_can_be_refused_in_the_one_shape(document):
    for _, path, operation in operations(document):
        (content,) = operation["responses"]["default"]["content"].items()
        assert content[0] == "application/problem+json", path
        assert content[1]["schema"]["$ref"].endswith("/ProblemDetails")
        assert "HTTPValidationError" not in str(operation)


def test_every_reference_leads_somewhere(document):
    names = set(re.findall(r"#/components/schemas/([\w-]+)", str(document)))
    assert names <= document["components"]["schemas"].keys()


def test_every_json_body_has_an_example_that_fits(document):
    import jsonschema

    for _, path, operation in operations(document):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content is None:
            continue
        schema = content["schema"]
        if "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        examples = schema.get("examples") or content.get("examples") or content.get("example")
        assert examples, f"{path}: its body has no example"
        for example in examples if isinstance(examples, list) else [examples]:
            whole = {**schema, "components": document["components"]}
            jsonschema.validate(example, whole)


def test_every_json_answer_has_a_shape(document):
    for verb, path, operation in operations(document):
        for status, response in operation["responses"].items():
            content = response.get("content", {}).get("application/json")
            if status.startswith("2") and content is not None:
                assert content["schema"], f"{verb} {path}"


def test_every_answer_in_json_names_its_fields(document):
    schemas = document["components"]["schemas"]
    anything = {"GET /v1/manifests/{id}", "GET /v1/runs/{name}/metrics"}  # a file's content; what a trainer measures
    found = set()
    for verb, path, operation in operations(document):
        for status, response in operation["responses"].items():
            schema = response.get("content", {}).get("application/json", {}).get("schema")
            if status.startswith("2") and schema:
                schema = schema.get("items", schema)
                schema = schemas.get(schema.get("$ref", "").rpartition("/")[2], schema)
                if not schema.get("properties") and "enum" not in schema:
                    found.add(f"{verb.upper()} {path}")
    assert found == anything
