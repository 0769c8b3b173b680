"""The HTTP application: every route, pages, and one error shape."""

import json

import pytest
from fastapi.testclient import TestClient

from gradus.api import runs
from gradus.api.app import create_app
from gradus.curricula.find import find_manifest
from gradus.curricula.manifest import read, shard_path
from gradus.trainer.config import SFTConfig


def client_of(world):
    return TestClient(create_app(world.workspace), raise_server_exceptions=False)


@pytest.fixture(scope="module")
def client(finished):
    return client_of(finished)


def problem(response, status, words):
    """Check that a response is one of RFC 9457's problems."""
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body.keys() == {"type", "title", "status", "detail", "instance"}
    assert body["status"] == status
    assert words in body["detail"]


def pages(client, path, **parameters):
    """Return all rows of a listing, page by page."""
    rows, cursor = [], None
    while True:
        page = client.get(path, params=parameters | ({"cursor": cursor} if cursor else {})).json()
        rows += page["rows"]
        cursor = page["next"]
        if cursor is None:
            return rows
        assert len(page["rows"]) == parameters["limit"]


def ids(rows):
    return [row["id"] for row in rows]


@pytest.mark.parametrize("limit", [7, 39, 40, 41, 1000])
def test_paging_visits_every_problem_once(client, limit):
    found = ids(pages(client, "/v1/problems", limit=limit))
    assert len(found) == len(set(found)) == 40


@pytest.mark.parametrize("limit", [7, 1000])
def test_paging_visits_every_difficulty_once(client, limit):
    rows = pages(client, "/v1/difficulty", limit=limit)
    assert len({row["problem_id"] for row in rows}) == len(rows) == 40


def test_problems_are_filtered_by_domain_and_tag(client):
    assert len(pages(client, "/v1/problems", limit=1, tag="heldout")) == 5
    assert pages(client, "/v1/problems", limit=3, domain="code") == []
    assert len(pages(client, "/v1/problems", limit=9, domain="math")) == 40


@pytest.mark.parametrize(("low", "high", "count"), [(0, 0, 8), (0.25, 0.75, 24), (1, 1, 8), (0.3, 0.4, 0), (0, 1, 40)])
def test_difficulty_is_filtered_by_pass_rate(client, low, high, count):
    rows = pages(client, "/v1/difficulty", limit=5, min_rate=low, max_rate=high)
    assert len(rows) == count
    assert all(low <= row["pass_at_1"] <= high for row in rows)


def test_difficulty_is_filtered_by_model(client, finished):
    assert len(pages(client, "/v1/difficulty", limit=50, model=finished.student)) == 40
    assert pages(client, "/v1/difficulty", limit=50, model="other") == []


def test_a_problem_comes_with_its_difficulty(client, finished):
    name = ids(client.get("/v1/problems").json()["rows"])[0]
    body = client.get(f"/v1/problems/{name}").json()
    assert body["id"] == name
    assert body["spec"].keys() == {"expected"}
    (difficulty,) = body["difficulty"]
    assert difficulty["model_id"] == finished.student
    assert difficulty["num_attempts"] == 4


def test_the_summary_adds_up(client):
    body = client.get("/v1/difficulty/summary").json()
    assert sum(row["problems"] for row in body["histogram"]) == 40
    assert body["pass_rates"][0]["problems"] == 40
    funnel = {row["step"]: row["records"] for row in body["funnel"]}
    assert funnel["problems"] == 40
    assert funnel["attempts"] == sum(n for step, n in funnel.items() if step.startswith("verdict: ")) == 188


def test_manifests_are_listed_and_read_by_the_start_of_their_id(client, finished):
    path = find_manifest(finished.workspace, "latest")
    (short,) = client.get("/v1/manifests").json()
    assert short["id"] == path.stem
    assert [stage["name"] for stage in short["stages"]] == ["foundation", "correction"]
    for name in ("latest", path.stem, path.stem[:8]):
        body = client.get(f"/v1/manifests/{name}").json()
        assert body.pop("id") == path.stem
        assert body == json.loads(path.read_bytes())


def test_sql_is_answered(client):
    body = client.post("/v1/sql", json={"query": "SELECT $x AS x, 2 AS y", "parameters": {"x": "a"}}).json()
    assert body == {"columns": ["x", "y"], "rows": [{"x": "a", "y": 2}], "truncated": False}


@pytest.mark.parametrize(
    "value",
    [
        "DATE '2026-01-02'",
        "TIMESTAMP '2026-01-02 03:04:05'",
        "INTERVAL 3 DAY",
        "170141183460469231731687303715884105727::HUGEINT",
        "1.5::DECIMAL(4, 2)",
        "[1, NULL]",
        "{'a': [1]}",
        "MAP {'a': 1}",
        "uuid()",
        "'nan'::DOUBLE",
        "'inf'::DOUBLE",
        "NULL",
        "'\\xFF'::BLOB",
    ],
)
def test_every_type_of_value_can_be_answered(client, value):
    response = client.post("/v1/sql", json={"query": f"SELECT {value} AS x"})
    assert response.status_code == 200, response.text
    assert response.json()["columns"] == ["x"]


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("DROP TABLE problems", "only a SELECT"),
        ("FROM '/etc/passwd'", "SQL: "),
        ("SELECT getenv('HOME')", "not allowed"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("SELECT nothing FROM problems", "nothing"),
    ],
)
def test_bad_sql_is_a_problem(client, sql, words):
    problem(client.post("/v1/sql", json={"query": sql}), 422, words)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/v1/problems?cursor=abc", "is not one of ours"),
        ("/v1/problems?cursor=%2F_8%3D", "is not one of ours"),
        ("/v1/difficulty?cursor=!!!!", "is not one of ours"),
    ],
)
def test_what_is_not_there_is_a_problem(client, path, words):
    problem(client.get(path), 422, words)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/manifests/ffff", 404),
        ("/v1/runs/none", 404),
        ("/v1/runs/none/metrics", 404),
        ("/v1/problems/none", 404),
        ("/v1/problems?limit=0", 422),
        ("/v1/nowhere", 404),
    ],
)
def test_every_error_has_the_one_shape(client, path, status):
    problem(client.get(path), status, "")


@pytest.mark.parametrize("path", ["/v1/problems/none", "/v1/nowhere"])
def test_an_unknown_path_is_404(client, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/sql", {"query": ""}),
        ("/v1/sql", {"query": "x" * 20_001}),
        ("/v1/sql", {"query": "SELECT 1", "extra": 1}),
        ("/v1/sql", {}),
        ("/v1/runs", {"kind": "dpo"}),
        ("/v1/runs", {"recipe": "../../etc/passwd"}),
        ("/v1/runs", {"extra": 1}),
    ],
)
def test_a_request_of_the_wrong_form_is_refused(client, finished, path, body):
    assert client.post(path, json=body).status_code == 422
    assert not list(finished.workspace.runs.iterdir())


@pytest.mark.parametrize("limit", [0, 1001, -1, "many"])
def test_a_page_has_a_sensible_size(client, limit):
    assert client.get("/v1/problems", params={"limit": limit}).status_code == 422


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"manifest": "ffff"}, "no manifest 'ffff'"),
        ({"model": "nowhere"}, "no run 'nowhere'"),
        ({"model": "/etc"}, "no run '/etc'"),
        ({"recipe": "nothing"}, "no training recipe 'nothing'. Known: rl-demo, sft-demo"),
        ({"overrides": {"optim.rl": 1}}, "OptimConfig has no 'rl'"),
        ({"overrides": {"--run": "/tmp/x"}}, "SFTConfig has no '--run'"),
        ({"overrides": {"steps": "many"}}, "steps must be a whole number, not 'many'"),
        ({"overrides": {"evaluate.problems": "/etc/passwd"}}, "/etc/passwd"),
        ({"overrides": {"evaluate.manifest": "../../m.json"}}, "m.json"),
        ({"overrides": {"evaluate": "{every=1, problems='/etc/passwd'}"}}, "are named by these very keys"),
        ({"kind": "rl", "overrides": {"teacher.options.base_url": "http://10.0.0.1"}}, "teacher.options"),
        ({"kind": "rl", "overrides": {"teacher.kind": "replay", "teacher.model": "/etc/passwd"}}, "not a path inside"),
        ({"overrides": {"stages.deep.steps": 1}}, "stages.deep: the manifest has no such stage"),
        ({"overrides": {"stages.correction.lr": 1}}, "stages.correction: StageSettings has no 'lr'"),
        ({"overrides": {"parallel.context": 2}}, "do not multiply to 1, the number of processes"),
        ({"overrides": {"stages.correction.parallel.tensor": 3}, "num_processes": 2}, "stage 'correction': parallel: "),
        ({"kind": "rl", "overrides": {"parallel.replicate": 0}}, "replicate=0: a degree is at least 1"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused_and_nothing_starts(client, finished, body, words):
    problem(client.post("/v1/runs", json=body), 422, words)
    assert not list(finished.workspace.runs.iterdir())


@pytest.mark.parametrize("what", ["stage foundation, shard 0", "stage correction, packing", "rl problems"])
def test_a_run_on_a_changed_file_is_refused_and_nothing_starts(spoilable, what):
    path = find_manifest(spoilable.workspace, "latest")
    file = shard_path(path, read(path).files()[what])
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    problem(client_of(spoilable).post("/v1/runs", json={}), 422, "content has hash")
    assert not list(spoilable.workspace.runs.iterdir())


def make_run(workspace, name, **record):
    folder = workspace.runs / name
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"state": "finished"} | record))
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.0}\n')
    return folder


def test_runs_are_listed_and_read_with_their_metrics(spoilable):
    make_run(spoilable.workspace, "sft-1")
    client = client_of(spoilable)
    (listed,) = client.get("/v1/runs").json()
    assert (listed["name"], listed["state"], listed["metrics"]) == ("sft-1", "finished", {"step": 2, "loss": 2.0})
    assert client.get("/v1/runs/sft-1").json() == listed
    assert [row["loss"] for row in client.get("/v1/runs/sft-1/metrics").json()] == [2.5, 2.0]


def test_a_run_whose_process_is_gone_has_stopped(spoilable):
    folder = make_run(spoilable.workspace, "sft-1", state="running")
    (folder / "launch.json").write_text(json.dumps({"launcher": "local"}))
    assert runs.describe(folder)["state"] == "stopped"


def test_no_path_reaches_beyond_the_workspace(spoilable):
    make_run(spoilable.workspace, "sft-1")
    client = client_of(spoilable)
    for name in ("..", "%2e%2e", "..%2fparts", "%2Fetc"):
        assert client.get(f"/v1/runs/{name}/metrics").status_code in (404, 422)


def test_the_same_request_is_the_same_run(finished, student):
    manifest = find_manifest(finished.workspace, "latest")

    def plan(**changes):
        settings = {"model": str(student), "recipe": None, "overrides": ()} | changes
        return runs.plan_run(finished.workspace, "sft", manifest, **settings)

    assert plan().folder == plan().folder
    assert plan(overrides=["steps=3"]).folder != plan().folder
    assert plan(overrides=[f"sequences_per_step={SFTConfig().sequences_per_step}"]).folder == plan().folder
    assert plan(recipe="sft-demo").folder != plan().folder
    assert not list(finished.workspace.runs.iterdir())


def test_an_empty_workspace_says_what_to_do(workspace):
    client = TestClient(create_app(workspace))
    problem(client.get("/v1/problems"), 409, "`gradus problems generate` starts it")
    assert client.get("/v1/manifests").json() == client.get("/v1/runs").json() == []


def test_the_page_is_html(client):
    response = client.get("/")
    assert response.headers["content-type"].startswith("text/html")
    assert response.text.lstrip().lower().startswith("<!doctype html>")


def test_the_page_needs_no_network(client):
    assert "http://" not in client.get("/").text.replace("http://www.w3.org", "")
    assert "https://" not in client.get("/").text


def test_openapi_describes_every_route(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.")
    for methods in document["paths"].values():
        assert all(operation["description"] for operation in methods.values())
