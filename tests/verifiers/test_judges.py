"""Judges: verdicts come as they are ready, and come even if the processes that judge do not live to give them."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from contextlib import closing

import pytest

from gradus.verifiers.pool import Judges


def task(i):
    return "choice", f"Answer: {'AB'[i % 2]}", {"expected": "B"}


def drained(judges, number):
    found = {}
    until = time.monotonic() + 60
    while len(found) < number and time.monotonic() < until:
        fresh = judges.collect(0.5)
        assert not found.keys() & dict(fresh).keys()
        found |= dict(fresh)
    return {name: verdict.outcome for name, verdict in found.items()}


def want(number):
    return {i: "pass" if i % 2 else "fail" for i in range(number)}


def pids(judges):
    return [worker.process.pid for worker in judges._pool.workers]


@pytest.fixture
def two():
    with closing(Judges(2)) as judges:
        for i in range(4):  # a pool that has begun
            judges.submit(-1 - i, task(1))
        drained(judges, 4)
        yield judges


@pytest.mark.parametrize("workers", [1, 2])
def test_every_answer_gets_its_verdict_under_its_name(workers):
    with closing(Judges(workers)) as judges:
        assert judges.collect(0.0) == []
        for i in range(50):
            judges.submit(i, task(i))
        assert judges.pending == 50
        assert drained(judges, 50) == want(50)
        assert judges.pending == 0


def test_workers_that_are_killed_at_work_cost_nothing(two):
    for i in range(300):
        two.submit(i, task(i))
    for pid in pids(two):
        os.kill(pid, signal.SIGKILL)
    assert drained(two, 300) == want(300)


def test_workers_that_are_killed_while_idle_cost_nothing(two):
    for pid in pids(two):
        os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    for i in range(20):
        two.submit(i, task(i))
    assert drained(two, 20) == want(20)


def test_a_worker_that_hangs_costs_one_answer():
    with closing(Judges(2, timeout_s=1.0)) as judges:
        judges.submit(-1, task(1))
        assert drained(judges, 1) == {-1: "pass"}
        os.kill(pids(judges)[0], signal.SIGSTOP)
        for i in range(20):
            judges.submit(i, task(i))
        found = drained(judges, 20)
    lost = [i for i in range(20) if found[i] == "verifier_error"]
    assert len(lost) <= 1
    assert found == want(20) | dict.fromkeys(lost, "verifier_error")


def test_asking_without_waiting_takes_no_time_and_finds_all(two):
    for i in range(200):
        two.submit(i, task(i))
    found, longest, until = {}, 0.0, time.monotonic() + 30
    while two.pending and time.monotonic() < until:
        start = time.monotonic()
        found |= dict(two.collect(0.0))
        longest = max(longest, time.monotonic() - start)
    assert {name: verdict.outcome for name, verdict in found.items()} == want(200)
    assert longest < 1.0


RUN = """
    import time
    from gradus.verifiers.pool import Judges

    judges = Judges(2)
    for i in range(4):
        judges.submit(i, ("choice", "Answer: B", {"expected": "B"}))
    while judges.pending:
        judges.collect(0.1)
    print(*(worker.process.pid for worker in judges._pool.workers), flush=True)
    time.sleep(60)
"""


def test_workers_end_with_their_parent_however_it_ends():
    parent = subprocess.Popen([sys.executable, "-c", textwrap.dedent(RUN)], stdout=subprocess.PIPE, text=True)
    found = [int(word) for word in parent.stdout.readline().split()]
    assert len(found) == 2
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    until = time.monotonic() + 10
    while any(os.path.exists(f"/proc/{pid}") for pid in found) and time.monotonic() < until:  # noqa: PTH110
        time.sleep(0.05)
    assert not any(os.path.exists(f"/proc/{pid}") for pid in found)  # noqa: PTH110
