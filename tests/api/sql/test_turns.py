"""Queries at once: each has its turn; a client who reads slowly or has gone keeps none; none outlives the server."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gradus.api.sql import query
from gradus.api.sql.query import MAX_AT_ONCE, Limits, ask, stream
from gradus.errors import MachineError

ENDLESS = "SELECT count(*) FROM range(10000000000) a, range(10000000000) b"
ASKING = """
import sys
from pathlib import Path
from gradus.api.sql.query import Limits, ask
from gradus.engine.workspace import Workspace
ask(Workspace(Path(sys.argv[1])), sys.argv[2], limits=Limits(timeout_s=60))
"""


def test_more_queries_than_turns_are_all_answered(finished, monkeypatch):
    monkeypatch.setattr(query, "WAIT_S", 60.0)
    with ThreadPoolExecutor(3 * MAX_AT_ONCE) as pool:
        asked = [
            pool.submit(ask, finished.workspace, f"SELECT {i} AS x", limits=Limits()) for i in range(3 * MAX_AT_ONCE)
        ]
    assert [one.result().rows() for one in asked] == [[{"x": i}] for i in range(3 * MAX_AT_ONCE)]


def test_who_reads_slowly_keeps_nobody_waiting(finished):
    rows = "SELECT repeat('x', 100) AS s FROM range(20000)"
    slow = [stream(finished.workspace, rows, limits=Limits(max_rows=20_000)) for _ in range(MAX_AT_ONCE + 1)]
    firsts = [next(one) for one in slow]
    assert ask(finished.workspace, "SELECT 1 AS x", limits=Limits()).rows() == [{"x": 1}]
    assert [(first + b"".join(rest)).count(b"\n") for first, rest in zip(firsts, slow, strict=True)] == [20_000] * len(
        slow
    )


def test_who_has_gone_gives_back_the_turn(finished, monkeypatch):
    monkeypatch.setattr(query, "WAIT_S", 25.0)
    for _ in range(MAX_AT_ONCE + 2):
        gone = stream(finished.workspace, "SELECT range AS n FROM range(100000000000)", limits=Limits(timeout_s=30))
        next(gone)
        gone.close()
    assert ask(finished.workspace, "SELECT 1 AS x", limits=Limits()).num_rows == 1


def test_who_waits_too_long_is_told(finished, monkeypatch):
    running = [
        query.start(finished.workspace, ENDLESS, format="json", limits=Limits(timeout_s=60)) for _ in range(MAX_AT_ONCE)
    ]
    monkeypatch.setattr(query, "WAIT_S", 0.1)
    try:
        with pytest.raises(MachineError, match="queries are running already"):
            ask(finished.workspace, "SELECT 1", limits=Limits())
    finally:
        for one in running:
            one.stop()


def descendants(pid):
    found = [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return found + [below for one in found for below in descendants(one)]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_nothing_outlives_a_server_that_is_killed(finished, tmp_path):
    command = [sys.executable, "-c", ASKING, str(finished.workspace.root), ENDLESS]
    asking = subprocess.Popen(command, env=os.environ | {"TMPDIR": str(tmp_path)})
    try:
        deadline = time.monotonic() + 60
        while len(below := descendants(asking.pid)) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(below) == 2
    finally:
        os.kill(asking.pid, signal.SIGKILL)
        asking.wait()
    deadline = time.monotonic() + 60
    while any(map(alive, below)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(map(alive, below))
