"""Where the workspace lies is the server's own business: no answer says it, be it a record, an event or an error."""

import json
import re
import time

import pytest
from fastapi.testclient import TestClient

from gradus.api import runs
from gradus.api.app import create_app
from gradus.api.jobs.job import OVER
from gradus.api.paths import without_root
from gradus.curricula.find import find_manifest
from gradus.trainer.run import Run

IMPORT = {"path": "imports/mine.jsonl", "format": "jsonl"}
ROW = {"prompt": "What is 900 + 1?", "domain": "math", "verifier": "math", "spec": {"expected": "901"}} | {
    "source": "mine"
}


@pytest.fixture
def client(spoilable):
    with TestClient(create_app(spoilable.workspace), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def names(spoilable, student, client):
    """Have jobs end well and badly, a label, and a run that failed; return what stands for the names in a path."""
    root = spoilable.workspace.root
    (root / "imports").mkdir()
    (root / "imports" / "mine.jsonl").write_text(json.dumps(ROW) + "\n")
    (root / "imports" / "bad.jsonl").write_text("[]\n")
    job, state = ended(client, client.post("/v1/imports", json=IMPORT | {"path": "imports/bad.jsonl"}))
    assert state == "failed"
    assert ended(client, client.post("/v1/imports", json=IMPORT))[1] == "succeeded"
    export, state = ended(client, client.post("/v1/exports", json={"what": "problems", "format": "jsonl"}))
    assert state == "succeeded"
    lists = {of: client.get(f"/v1/{of}?limit=1").json()["rows"][0] for of in ("problems", "attempts", "traces")}
    ids = {of: row["id"] for of, row in lists.items()}
    said = {"ids": [ids["problems"]], "action": "label", "value": "good", "reason": "seen"}
    assert client.post("/v1/labels", json=said).status_code == 201
    ids |= {"manifests": "latest", "labels": ids["problems"], "exports": export, "jobs": job}
    return ids | {"queries": "pass-rates", "runs": failed_run(spoilable, student)}


def ended(client, response):
    """Wait for a job; return its id and how it ended."""
    assert response.status_code == 202, response.text
    while (job := client.get(response.headers["Location"]).json())["state"] not in OVER:
        time.sleep(0.05)
    return job["id"], job["state"]


def failed_run(world, student):
    """Leave behind what a run leaves that was started at the command line, and failed."""
    manifest = find_manifest(world.workspace, "latest")
    run = runs.plan_run(world.workspace, "sft", manifest, model=str(student), recipe=None, overrides=["steps=2"])
    runs.prepare(run, actor="ada")
    record = Run(run.folder, kind="sft", manifest=manifest.stem, model=str(student), data=str(manifest))
    record.begin(step=0, num_steps=2)
    record.measured(1, {"loss": 1.0})
    (run.folder / "log.txt").write_text(f"error: {run.folder}/checkpoints/step-1 cannot be read: '{manifest}'\n")
    (run.folder / "status").write_text("1\n")
    return run.folder.name


def filled(path, names):
    """Return a path with names of the kind that it begins with: /v1/views/traces/{id} with a trace's."""
    kind = next(part for part in path.split("/") if part in names) if "{" in path else ""
    return re.sub(r"{\w+}", lambda found: "problems.jsonl" if found[0] == "{path}" else names[kind], path)


def test_no_route_says_where_the_workspace_lies(spoilable, student, client, names):
    secret = str(spoilable.workspace.root)
    paths = {
        path: verbs["get"] for path, verbs in client.get("/openapi.json").json()["paths"].items() if "get" in verbs
    }
    assert len(paths) > 30
    for path, operation in paths.items():
        needed = [one["name"] for one in operation.get("parameters", ()) if one["in"] == "query" and one["required"]]
        answer = client.get(filled(path, names), params=dict.fromkeys(needed, spoilable.student))  # checkpoints
        assert answer.status_code == 200 or path.endswith("/files/{path}"), (path, answer.text)
        assert secret not in answer.text, path
        for wrong in (filled(path, dict.fromkeys(names, "ffffffffffff")), f"{filled(path, names)}?limit=0&cursor=x"):
            assert secret not in client.get(wrong).text, wrong
    run = client.get(f"/v1/runs/{names['runs']}").json()
    assert run["folder"] == f"runs/{names['runs']}"
    assert run["error"].startswith(f"error: runs/{names['runs']}/checkpoints/step-1 cannot be read: 'manifests/")
    assert run["model"] == run["launch"]["model"] == student.name
    assert "imports/bad.jsonl" in client.get(f"/v1/jobs/{names['jobs']}").json()["error"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/imports", IMPORT | {"path": "imports/none.jsonl"}),
        ("/v1/imports", IMPORT | {"path": "parts"}),
        ("/v1/imports", IMPORT | {"path": "../mine.jsonl"}),
        ("/v1/curricula", {"recipe": "broken"}),
        ("/v1/curricula", {"recipe": "none"}),
        ("/v1/jobs", {"command": "sample", "arguments": {"recipe": "broken"}}),
        ("/v1/jobs", {"command": "decontaminate", "arguments": {"against": "none"}}),
        ("/v1/runs/by-hand/cancel", {}),
        ("/v1/runs/by-hand/resume", {}),
        ("/v1/sql", {"query": "FROM 'manifests/x.json'"}),
        ("/v1/sql", {"query": "ATTACH 'gradus.duckdb' AS g"}),
    ],
)
def test_no_refusal_says_where_the_workspace_lies(spoilable, client, path, body):
    root = spoilable.workspace.root
    (root / "recipes").mkdir()
    (root / "recipes" / "broken.toml").write_text("nothing = [")
    (root / "runs" / "by-hand").mkdir()
    (root / "runs" / "by-hand" / "run.json").write_text('{"state": "running"}')
    answer = client.post(path, json=body)
    assert 400 <= answer.status_code < 500, answer.text
    assert str(root) not in answer.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{root}/runs/a: is running", "runs/a: is running"),
        ("--to={root}/x '{root}/y'", "--to=x 'y'"),
        ("{root}: is empty", ".: is empty"),
        ("nothing in {root}", "nothing in ."),
        ("see {root}2/x and /mnt{root}/x", "see {root}2/x and /mnt{root}/x"),
        ({"a": ["{root}/x", 1, None]}, {"a": ["x", 1, None]}),
    ],
)
def test_paths_are_told_as_seen_from_the_workspace(tmp_path, text, shown):
    given, wanted = (json.loads(json.dumps(one).replace("{root}", str(tmp_path))) for one in (text, shown))
    assert without_root(tmp_path, given) == wanted
