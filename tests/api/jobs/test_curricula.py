"""A recipe that is posted becomes a manifest; what a recipe may not say is refused."""

import copy
import json
import shutil

import pytest
from fastapi.testclient import TestClient

from gradus.api.app import create_app
from gradus.api.jobs.job import list_jobs
from gradus.curricula.manifest import read

STAGE = {"name": "first", "context_length": 192, "token_budget": 4000, "mixture": {"math/cot": 1.0}}


@pytest.fixture
def workspace(spoilable):
    return spoilable.workspace


@pytest.fixture
def recipe(spoilable, student):
    """Return a recipe whose student lies in the workspace, as its owner put it there."""
    (spoilable.workspace.root / "models").mkdir()
    (spoilable.workspace.root / "models" / "tiny").symlink_to(student)
    return {"name": "posted", "student": "default", "stages": [STAGE], "rl": {"quotas": {"math": 2}}}


def test_a_recipe_by_json_becomes_a_manifest(client, workspace, student, finish, recipe):
    (workspace.root / "models" / "tiny").unlink()
    shutil.copytree(student, workspace.root / "models" / "tiny")
    job = finish(client.post("/v1/curricula", json={"recipe": recipe | {"student": "models/tiny"}}))
    assert job["state"] == "succeeded", job["error"]
    manifest = read(workspace.manifests / f"{job['result']['id']}.json")
    assert manifest.name == "posted"
    assert client.get(f"/v1/manifests/{manifest.id}").status_code == 200


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"student": "/etc"}, "not a path inside"),
        ({"student": "models/tiny"}, "not a path inside"),  # a link that leads out
        ({"student": "none"}, "neither 'default'"),
        ({"stages": []}, "at least one stage"),
        ({"stages": [STAGE | {"context": 1}]}, "has no 'context'"),
        ({"teacher": {"kind": "replay", "model": "/etc/passwd"}}, "not a path inside"),
        ({"teacher": {"kind": "openai", "model": "x", "options": {"base_url": "http://10.0.0.1"}}}, "teacher.options"),
        ({"vary": {"teachers": [{"kind": "replay", "model": "/etc/passwd"}]}}, "not a path inside"),
        ({"cache": {"folder": "/tmp/x"}}, "cache.folder"),
        ({"name": None}, "name"),
    ],
)
def test_a_recipe_that_may_not_be_leaves_no_job(workspace, recipe, change, words):
    client = TestClient(create_app(workspace), raise_server_exceptions=False)
    answer = client.post("/v1/curricula", json={"recipe": copy.deepcopy(recipe) | change})
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"], json.dumps(answer.json())
    assert list_jobs(workspace) == []


@pytest.fixture
def copied(workspace, student, recipe):
    """Return the recipe for a student that truly lies in the workspace."""
    (workspace.root / "models" / "tiny").unlink()
    shutil.copytree(student, workspace.root / "models" / "tiny")
    return recipe | {"student": "models/tiny"}


@pytest.mark.parametrize("way", ["named", pytest.param("posted", marks=pytest.mark.slow)])
def test_a_dry_run_answers_at_once_and_leaves_nothing(client, spoilable, workspace, student, copied, way):
    if way == "named":
        (workspace.root / "recipes").mkdir()
        text = spoilable.recipe_path.read_text().replace(str(student), "models/tiny")
        (workspace.root / "recipes" / "own.toml").write_text(text)
    before = written(workspace)
    answer = client.post("/v1/curricula", json={"recipe": "own" if way == "named" else copied, "dry_run": True})
    assert answer.status_code == 200, answer.text
    assert written(workspace) == before
    assert list_jobs(workspace) == []
    found = answer.json()
    assert found["stages"][0]["entries"][0]["entry"] == "math/cot"
    assert found["kept"] == sum(stage["num_traces"] for stage in found["stages"])
    assert str(workspace.root) not in json.dumps(found)
    recipe = "recipes/own.toml" if way == "named" else "RECIPE.json"
    assert all(f"--recipe {recipe}" in need["command"] for need in found["missing"])


def written(workspace):
    """Return what lies in a workspace, but for the server's own notes."""
    return sorted(path for path in workspace.root.rglob("*") if "server" not in path.parts)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"earlier": "/etc"}, "not a path inside"),
        ({"student": "/etc"}, "not a path inside"),
        ({"stages": [STAGE | {"policy": "none"}]}, "no policy 'none'"),
    ],
)
def test_a_dry_run_refuses_what_building_refuses(workspace, copied, change, words):
    client = TestClient(create_app(workspace), raise_server_exceptions=False)
    answer = client.post("/v1/curricula", json={"recipe": copied | change, "dry_run": True})
    assert answer.status_code == 422, answer.text
    assert words in answer.json()["detail"]


def test_a_dry_run_is_true_or_false(client):
    assert client.post("/v1/curricula", json={"recipe": "default", "dry_run": 0}).status_code == 422
