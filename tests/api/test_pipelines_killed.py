"""Leader or ranks killed at random moments, a run on ranks comes to the same end as one that nobody disturbed."""

import fcntl
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "engine/teachers"))

from loopback import Server, chat

from gradus.api import steps
from gradus.engine.records import Problem
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
LIVES = 12
NUM_PROBLEMS, CAP = 500, 6
RANKS = ("--executor", "local", "--tasks", "3", "--at-once", "2")
IN_FLIGHT = 8


def say(number, body):
    """Answer right or wrong, as prompt and seed have it, after a while."""
    time.sleep(0.02)
    prompt = body["messages"][-1]["content"]
    lucky = random.Random(f"{prompt}/{body['seed']}").random() < 0.4
    left = prompt.removeprefix("What is ").partition(" ")[0]
    return chat({"content": f"The answer is {2 * int(left) if lucky else 0.5}."})


@pytest.fixture
def server():
    server = Server(say)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def make(folder, server):
    """Make a workspace of problems, and return the command that samples them."""
    workspace = Workspace.create(folder)
    problems = [
        Problem(prompt=f"What is {i} + {i}?", domain="math", verifier="math", spec={"expected": str(2 * i)}, source="k")
        for i in range(NUM_PROBLEMS)
    ]
    steps.add_problems(workspace, problems, "k")
    settings = [f"sample.num_attempts={CAP}", "sample.until_passed=2", "teacher.kind=openai", "teacher.model=big"]
    settings += [f"teacher.options.{text}" for text in (f"base_url={server.url}", f"max_in_flight={IN_FLIGHT}")]
    command = [sys.executable, "-m", "gradus", "sample", *settings, *RANKS, "--workspace", str(folder)]
    return workspace, command


def end_state(workspace):
    with open_snapshot(workspace) as store:
        attempts = store.rows("SELECT * EXCLUDE (seconds) FROM attempts ORDER BY id")
        return attempts, store.rows("SELECT * EXCLUDE (seconds) FROM verdicts ORDER BY ALL")


def wait_for_ranks(workspace, said):
    """Wait until no rank works on the workspace any more: those without a leader end by themselves."""
    until = time.monotonic() + 20
    with (workspace.root / "pipeline/.ranks").open("a") as lock:
        while True:
            try:
                return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                assert time.monotonic() < until, f"ranks outlive their leader; {said}"
                time.sleep(0.1)


def test_kills_change_nothing(tmp_path, server):
    calm, command = make(tmp_path / "calm", server)
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    want, paid_calm = end_state(calm), len(server.seen)
    assert len(want[0]) == paid_calm > 1500

    server.seen.clear()
    killed, command = make(tmp_path / "killed", server)
    rng, done = random.Random(time.time_ns()), []
    for life in range(LIVES + 1):
        leader = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        already = len(server.seen)
        until = time.monotonic() + 60
        while len(server.seen) < already + rng.randint(1, 150) and time.monotonic() < until:
            time.sleep(0.02)
        assert leader.poll() is None, leader.stderr.read()
        if life % 3 == 0:  # a rank, and the leader a little later, but for the last time
            ranks = [p for p in psutil.Process(leader.pid).children() if "spawn_main" in " ".join(p.cmdline())]
            rng.choice(ranks).kill()
            time.sleep(rng.uniform(0.0, 1.0))
        if life < LIVES:
            leader.send_signal(signal.SIGKILL)
        said = leader.communicate(timeout=300)[1]
        done.append(leader.returncode)
        wait_for_ranks(killed, said)
    assert done == LIVES * [-9] + [4], said
    assert "with exit code -9" in said
    subprocess.run(command, check=True, timeout=300, capture_output=True)

    assert end_state(killed) == want
    assert len(server.seen) <= paid_calm + LIVES * 3 * 2 * IN_FLIGHT  # paid twice: what was in flight, of few ranks
