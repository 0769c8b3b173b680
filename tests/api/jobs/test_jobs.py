"""Jobs over HTTP: what may be run, how it is followed and cancelled, and what is refused."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conftest import NUM_PROBLEMS, until

from gradus.api.jobs.job import find_job, list_jobs
from gradus.api.jobs.process import Process, find
from gradus.api.jobs.trust import overrides_of
from gradus.config import _override
from gradus.engine.store import open_snapshot


def events(client, name, after=0):
    """Return what a stream of events that ends gives: (id, event, data)."""
    text = client.get(f"/v1/jobs/{name}/events", headers={"Last-Event-ID": str(after)}).text
    blocks = [block.splitlines() for block in text.split("\n\n") if "id: " in block]
    found = [dict(line.split(": ", 1) for line in block) for block in blocks]
    return [(int(block["id"]), block["event"], json.loads(block["data"])) for block in found]


def start(client, command, **arguments):
    return client.post("/v1/jobs", json={"command": command, "arguments": arguments})


def test_a_job_runs_and_its_result_and_events_can_be_read_again(client, asking, finish):
    response = start(client, "judge", workers=1)
    assert response.json()["state"] in ("queued", "running")
    job = finish(response)
    assert (job["state"], job["exit_code"], job["actor"]) == ("succeeded", 0, "local")
    assert job["result"]["judged"] == 0
    assert job["arguments"] == {"workers": 1}
    assert job["created"] < job["started"] < job["ended"]
    found = events(client, job["id"])
    states = [data["state"] for _, event, data in found if event == "state"]
    assert states == ["queued", "running", "succeeded"]
    assert found[-1][1] == "end"
    ids = [number for number, *_ in found]
    assert ids == sorted(ids)
    assert [number for number, *_ in events(client, job["id"], ids[0])] == ids[1:]
    assert client.get(f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": str(ids[-1])}).status_code == 204
    assert [row["id"] for row in client.get("/v1/jobs").json()["rows"]] == [job["id"]]


def test_a_job_that_fails_says_why(client, asking, finish):
    job = finish(start(client, "generate", generator="none"))
    assert job["state"] == "failed"
    assert job["exit_code"] == 2
    assert "none" in job["error"]


def test_jobs_that_write_wait_for_each_other_and_one_is_cancelled_with_its_processes(client, asking, slow, finish):
    first = start(client, "sample", recipe="slow").json()["id"]
    until(lambda: slow.asked, lambda asked: asked > slow.first)
    second = start(client, "score").json()["id"]
    job = find_job(asking, first)
    process = json.loads((job.folder / "process.json").read_text())
    running = Process(process["pid"], process["started"])
    assert running.alive
    assert client.get(f"/v1/jobs/{second}").json()["state"] == "queued"
    assert [row["id"] for row in client.get("/v1/jobs", params={"state": "queued"}).json()["rows"]] == [second]
    cancelled = client.post(f"/v1/jobs/{first}/cancel").json()
    assert cancelled["state"] == "cancelled"
    assert not running.alive
    assert not processes_of(asking)
    until(lambda: client.get(f"/v1/jobs/{second}").json()["state"], lambda state: state == "succeeded")
    assert client.post(f"/v1/jobs/{first}/cancel").json()["state"] == "cancelled"
    slow.released.set()
    again = finish(start(client, "sample", recipe="slow"))
    assert again["result"]["attempts"] == NUM_PROBLEMS


def processes_of(workspace):
    """Return the processes whose command line names the workspace."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes()
        except OSError:
            continue
        if str(workspace.root).encode() in words and find(int(path.name)):
            found.append(words)
    return found


def test_a_job_that_waits_is_cancelled_before_it_starts(client, asking):
    with asking.writing():
        name = start(client, "score").json()["id"]
        assert client.post(f"/v1/jobs/{name}/cancel").json()["state"] == "cancelled"
    assert not (find_job(asking, name).folder / "ended.json").exists()


def test_a_job_waits_for_a_writer_at_a_terminal(client, asking, finish):
    with asking.writing():
        response = start(client, "score")
        name = response.json()["id"]
        log = find_job(asking, name).events
        until(lambda: "waiting" in log.read_text(), bool)
    assert finish(response)["state"] == "succeeded"


def test_jobs_are_paged(client, asking):
    with asking.writing():
        ids = [start(client, "score").json()["id"] for _ in range(3)]
        page = client.get("/v1/jobs", params={"limit": 2})
        assert [row["id"] for row in page.json()["rows"]] == ids[:0:-1]
        assert page.json()["next"] in page.headers["Link"]
        rest = client.get("/v1/jobs", params={"limit": 2, "cursor": page.json()["next"]}).json()
        assert ([row["id"] for row in rest["rows"]], rest["next"]) == (ids[:1], None)
        for name in ids:
            client.post(f"/v1/jobs/{name}/cancel")


def test_a_request_that_is_sent_twice_with_its_key_is_one_job(client, asking):
    body, key = {"command": "score"}, {"Idempotency-Key": "one"}
    first, second = (client.post("/v1/jobs", json=body, headers=key) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert len(list_jobs(asking)) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"command": "sql", "arguments": {}}, "command"),
        ({"command": "serve"}, "command"),
        ({"command": "sample", "arguments": {"executor": "slurm"}}, "executor"),
        ({"command": "sample", "arguments": {"recipe": "../x"}}, "recipe"),
        ({"command": "sample", "arguments": {"recipe": "none"}}, "no recipe"),
        ({"command": "sample", "arguments": {"overrides": {"--workspace": "/"}}}, "overrides"),
        ({"command": "sample", "arguments": {"overrides": {"teacher.model": "/etc"}}}, "not a path inside"),
        ({"command": "sample", "arguments": {"overrides": {"teacher.model": "../../x"}}}, "not a path inside"),
        (
            {
                "command": "sample",
                "arguments": {"overrides": {"teacher.kind": "replay", "teacher.model": "/etc/passwd"}},
            },
            "not a path inside",
        ),
        (
            {
                "command": "sample",
                "arguments": {
                    "overrides": {"teacher.kind": "openai", "teacher.options.base_url": "http://169.254.169.254/"}
                },
            },
            "teacher.options",
        ),
        ({"command": "sample", "arguments": {"overrides": {"cache.folder": "/tmp"}}}, "cache.folder"),
        ({"command": "sample", "arguments": {"overrides": {"student": "/root"}}}, "not a path inside"),
        ({"command": "sample", "arguments": {"overrides": {"correct.finder": "/root"}}}, "not a path inside"),
        ({"command": "sample", "arguments": {"overrides": {"sample.none": 1}}}, "has no 'none'"),
        ({"command": "decontaminate", "arguments": {"against": "/etc/passwd"}}, "against"),
        ({"command": "decontaminate", "arguments": {"against": "none"}}, "no benchmark 'none'"),
        ({"command": "decontaminate"}, "arguments"),
        ({"command": "dedupe", "arguments": {"threshold": 2}}, "threshold"),
        ({"command": "generate", "arguments": {"generator": "--option"}}, ""),
        ({"command": "judge", "arguments": {"workers": 0}}, "workers"),
    ],
)
def test_what_may_not_be_run_is_refused_and_leaves_no_job(client, asking, body, words):
    response = client.post("/v1/jobs", json=body)
    if body["command"] == "generate":  # a name like any other: never an option
        job = until(lambda: client.get(response.headers["Location"]).json(), lambda job: job["state"] == "failed")
        assert "--option" in job["error"]
        return
    assert response.status_code == 422, response.text
    assert words in response.json()["detail"]
    assert list_jobs(asking) == []


@pytest.mark.parametrize("name", ["none", "..", "%2e%2e", "20261122T000000000000-ffff", "..%2f..%2fparts"])
def test_a_job_that_is_not_there_is_404(client, asking, name):
    assert client.get(f"/v1/jobs/{name}").status_code == 404
    assert client.get(f"/v1/jobs/{name}/events").status_code == 404
    assert client.post(f"/v1/jobs/{name}/cancel").status_code == 404


ROWS = [
    {"prompt": f"What is {i} times 2?", "domain": "math", "verifier": "math", "spec": {"expected": str(2 * i)}}
    for i in range(5)
]
LINES = "".join(json.dumps(row | {"source": "mine"}) + "\n" for row in ROWS)


def num_problems(workspace):
    with open_snapshot(workspace) as store:
        return store.rows("SELECT count(*) AS n FROM problems")[0]["n"]


def test_rows_are_imported_from_the_body_and_from_the_workspace(client, asking, finish):
    told = {"format": "jsonl", "name": "mine", "tags": ["sent"]}
    kind = {"Content-Type": "application/x-ndjson"}
    job = finish(client.post("/v1/imports", params=told, content=LINES, headers=kind))
    assert (job["state"], job["result"]["problems"], job["command"]) == ("succeeded", 5, "import"), job
    assert num_problems(asking) == NUM_PROBLEMS + 5
    (asking.root / "imports").mkdir()
    (asking.root / "imports" / "more.jsonl").write_text(LINES.replace("times", "multiplied by"))
    job = finish(client.post("/v1/imports", json={"path": "imports/more.jsonl", "format": "jsonl"}))
    assert job["result"]["problems"] == 5
    assert num_problems(asking) == NUM_PROBLEMS + 10


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"path": "/etc/passwd", "format": "jsonl"}, "not a path inside"),
        ({"path": "../x.jsonl", "format": "jsonl"}, "not a path inside"),
        ({"path": "server/tokens.json", "format": "jsonl"}, "the workspace's own"),
        ({"path": "none.jsonl", "format": "jsonl"}, "no such file"),
        ({"path": "openai/gsm8k", "format": "gsm8k"}, "no such file"),
        ({"path": "recipes/slow.toml", "format": "none"}, "no format 'none'"),
        ({"path": "recipes/slow.toml"}, "body.format"),
    ],
)
def test_an_import_that_may_not_be_is_refused(client, asking, body, words):
    response = client.post("/v1/imports", json=body)
    assert response.status_code == 422, response.text
    assert words in response.json()["detail"]
    assert list_jobs(asking) == []


def test_an_upload_of_another_kind_is_refused(client, asking):
    answer = client.post("/v1/imports?format=jsonl", content=b"x", headers={"Content-Type": "text/html"})
    assert answer.status_code == 415
    answer = client.post("/v1/imports", content=b"x", headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 422


def test_an_export_is_downloaded_file_by_file(client, asking, finish):
    response = client.post("/v1/exports", json={"what": "problems", "format": "jsonl"})
    name = response.json()["id"]
    job = finish(response)
    assert job["result"]["kept"] == NUM_PROBLEMS
    files = client.get(f"/v1/exports/{name}/files").json()
    (path,) = [file["path"] for file in files if file["path"].endswith(".jsonl")]
    got = client.get(f"/v1/exports/{name}/files/{path}")
    assert len(got.text.splitlines()) == NUM_PROBLEMS
    for other in ("none", "..%2f..%2fjob.json", "%2fetc%2fpasswd"):
        assert client.get(f"/v1/exports/{name}/files/{other}").status_code == 404


def test_what_is_no_export_has_no_files(client, asking, finish):
    job = finish(start(client, "score"))
    assert client.get(f"/v1/exports/{job['id']}/files").status_code == 404


@pytest.mark.parametrize("value", ["😀 é", 'a "b" \\ c', "tab\tnew\nline", "\x7f", True, 3, 1e-05, ["a", 1.5]])
def test_what_a_recipe_is_changed_by_arrives_as_it_was_sent(value):
    found = {}
    for text in overrides_of({"key": value}):
        _override(found, text)
    assert found == {"key": value}
