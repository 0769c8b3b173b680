"""The published schema is that of the code, and what the code writes fits it."""

import json
from pathlib import Path

import jsonschema
import pytest
from made_manifests import make_manifest, make_stage, make_workspace

from gradus.curricula.find import find_manifest
from gradus.curricula.schema import manifest_schema

PUBLISHED = Path(__file__).parents[2] / "docs" / "manifest.schema.json"


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(PUBLISHED.read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture
def made(tmp_path):
    root = make_workspace(tmp_path)
    return json.loads(make_manifest(root, make_stage(root, [4, 6, 10], kinds=("a", "b"))).read_bytes())


def test_the_published_schema_is_that_of_the_code():
    assert json.loads(PUBLISHED.read_text()) == manifest_schema(), "`gradus curriculum schema` writes it"


def test_a_built_manifest_fits_the_schema(finished, validator):
    validator.validate(json.loads(find_manifest(finished.workspace, "latest").read_bytes()))


def test_every_field_says_its_type():
    schema = manifest_schema()
    for name, one in [("Manifest", schema), *schema["$defs"].items()]:
        assert one["additionalProperties"] is False
        assert sorted(one["properties"]) == one["required"]
        assert one["description"], name
    assert schema["$defs"]["Stage"]["properties"]["num_documents"]["description"] == "Uses of traces."


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.update(format=2),
        lambda data: data.update(more=1),
        lambda data: data.pop("bands"),
        lambda data: data.update(seed="0"),
        lambda data: data.update(seed=2**53),
        lambda data: data["stages"][0].update(context_length=0),
        lambda data: data["stages"][0]["packing"].update(sha256="../x"),
        lambda data: data["stages"][0]["schedule"].update(kind="random"),
        lambda data: data["stages"][0]["entries"].update(x={}),
    ],
)
def test_what_is_no_manifest_does_not_fit(made, validator, spoil):
    validator.validate(made)
    spoil(made)
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(made)
