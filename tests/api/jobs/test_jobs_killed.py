"""Jobs outlive the server that started them, and their own processes: what was begun is finished, once."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from conftest import NUM_PROBLEMS, until

from gradus.api.jobs.job import Job, find_job
from gradus.api.jobs.process import Process, find
from gradus.engine.store import open_snapshot


@contextmanager
def serving(workspace):
    """Run `gradus serve`; yield its process, and a client."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gradus", "serve", "--port", str(port), "--workspace", str(workspace.root)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
            until(lambda: answers(client), bool)
            yield process, client
    finally:
        process.kill()
        process.wait()


def answers(client):
    try:
        return client.get("/v1/jobs").status_code == 200
    except httpx.TransportError:
        return False


def process_of(job: Job) -> Process:
    found = json.loads((job.folder / "process.json").read_text())
    return Process(found["pid"], found["started"])


def received(client, name, after):
    """Return the ids and names of the events behind an id, up to the end of the job."""
    found = []
    with client.stream("GET", f"/v1/jobs/{name}/events", headers={"Last-Event-ID": str(after)}) as response:
        for line in response.iter_lines():
            if line.startswith("id: "):
                found.append([int(line[4:])])
            if line.startswith("event: "):
                found[-1].append(line[7:])
    return found


def num_attempts(workspace):
    with open_snapshot(workspace) as store:
        return store.rows("SELECT count(*) AS n, count(DISTINCT id) AS ids FROM attempts")[0]


@pytest.mark.slow
def test_a_job_goes_on_when_its_server_is_killed_and_another_one_follows_it(asking, slow):
    with serving(asking) as (server, client):
        name = client.post("/v1/jobs", json={"command": "sample", "arguments": {"recipe": "slow"}}).json()["id"]
        waiting = client.post("/v1/jobs", json={"command": "judge"}).json()["id"]
        until(lambda: slow.asked, lambda asked: asked > slow.first)
        running = process_of(find_job(asking, name))
        last = find_job(asking, name).events.stat().st_size
        os.kill(server.pid, signal.SIGKILL)
        server.wait()
    assert running.alive
    with serving(asking) as (_, client):
        assert client.get(f"/v1/jobs/{name}").json()["state"] == "running"
        assert process_of(find_job(asking, name)) == running
        slow.released.set()
        events = received(client, name, last)
        assert events[-1][1] == "end"
        assert all(event > last for event, _ in events)
        assert client.get(f"/v1/jobs/{name}").json()["result"]["attempts"] == NUM_PROBLEMS
        until(lambda: client.get(f"/v1/jobs/{waiting}").json()["state"], lambda state: state == "succeeded")
    assert num_attempts(asking) == {"n": NUM_PROBLEMS, "ids": NUM_PROBLEMS}


@pytest.mark.slow
def test_a_job_whose_processes_were_all_killed_is_started_again_and_does_only_the_rest(asking, slow):
    with serving(asking) as (server, client):
        name = client.post("/v1/jobs", json={"command": "sample", "arguments": {"recipe": "slow"}}).json()["id"]
        until(lambda: slow.asked, lambda asked: asked > slow.first)
        job = find_job(asking, name)
        os.kill(server.pid, signal.SIGKILL)
        os.killpg(process_of(job).pid, signal.SIGKILL)
        server.wait()
    until(lambda: find(process_of(job).pid), lambda found: found is None)
    assert job.state() == "interrupted"
    slow.released.set()
    with serving(asking) as (_, client):
        found = until(lambda: client.get(f"/v1/jobs/{name}").json(), lambda found: found["state"] == "succeeded")
    states = [line["data"]["state"] for line in map(json.loads, job.events.read_text().splitlines())
              if line["event"] == "state"]  # fmt: skip
    assert states == ["queued", "running", "interrupted", "running", "succeeded"]
    assert found["result"]["attempts"] == NUM_PROBLEMS
    assert num_attempts(asking) == {"n": NUM_PROBLEMS, "ids": NUM_PROBLEMS}
