"""Killed fifty times at random moments, a run comes to the same end as one that nobody disturbed."""

import json
import random
import signal
import subprocess
import sys
import textwrap
import time
from collections import Counter

import duckdb
import pytest

from gradus.api import steps
from gradus.engine.records import Problem
from gradus.engine.spending import FILE, spending
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = 50
NUM_PROBLEMS, CAP = 900, 8

RECIPE = """
name = "kills"
[teacher]
kind = "slow"
model = "{recording}"
options.paid = "{paid}"
[sample]
num_attempts = {cap}
until_passed = 2
"""

RUN = """
    import os, sys, time
    from pathlib import Path
    from gradus.api import steps
    from gradus.curricula.recipe import load_recipe
    from gradus.engine import answers
    from gradus.engine.teachers.base import teachers
    from gradus.engine.teachers.replay import ReplayTeacher
    from gradus.engine.workspace import Workspace

    root, recipe, workers, delay_s = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    answers.FLUSH_S = 0.05

    @teachers.register("slow")
    class Slow(ReplayTeacher):
        costly = True

        def __init__(self, config):
            super().__init__(config)
            self.paid = os.open(config.options["paid"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)

        def collect(self, timeout_s):
            time.sleep(delay_s)
            found = []
            for _ in range(min(3, len(self._asked))):
                request = self._asked[0][1]
                os.write(self.paid, f"{request.messages[-1]['content']} {request.seed}\\n".encode())
                found += super().collect(timeout_s)
            return found

    print("ready", flush=True)
    steps.sample(Workspace(Path(root)), load_recipe(recipe), workers=workers)
"""


def make(folder):
    """Make a workspace of problems whose attempts pass at random, and a recipe."""
    folder.mkdir()
    rng = random.Random(0)
    problems, lines = [], []
    for i in range(NUM_PROBLEMS):
        prompt, rate = f"What is {i} + {i}?", rng.choice([0.05, 0.3, 0.8])
        problems.append(
            Problem(prompt=prompt, domain="math", verifier="math", spec={"expected": str(2 * i)}, source="kills")
        )
        answers = [f"The answer is {2 * i if rng.random() < rate else 0.5}." for _ in range(CAP)]
        lines.append(json.dumps({"ask": prompt, "answers": answers}))
    recording, recipe, paid = folder / "answers.jsonl", folder / "recipe.toml", folder / "paid.txt"
    recording.write_text("\n".join(lines))
    recipe.write_text(RECIPE.format(recording=recording, paid=paid, cap=CAP))
    workspace = Workspace.create(folder / "workspace")
    steps.add_problems(workspace, problems, "kills")
    return workspace, recipe, paid


def start(workspace, recipe, *, workers=1, delay_s=0.0):
    command = [sys.executable, "-c", textwrap.dedent(RUN), str(workspace.root), str(recipe), str(workers), str(delay_s)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def finish(workspace, recipe):
    assert start(workspace, recipe).wait(timeout=300) == 0


def end_state(workspace):
    """Return attempts and verdicts as the database has them, but for the clock."""
    with open_snapshot(workspace) as store:
        attempts = store.rows("SELECT * EXCLUDE (seconds) FROM attempts ORDER BY id")
        return attempts, store.rows("SELECT * EXCLUDE (seconds) FROM verdicts ORDER BY ALL")


def test_fifty_kills_change_nothing(tmp_path):
    calm, recipe, _ = make(tmp_path / "calm")
    finish(calm, recipe)
    want = end_state(calm)
    assert len(want[0]) >= 2000

    workspace, recipe, paid = make(tmp_path / "killed")
    rng = random.Random(time.time_ns())
    for life in range(KILLS):
        process = start(workspace, recipe, workers=2 if life % 5 == 0 else 1, delay_s=0.03)
        if life % 4:  # the others may die as they start
            assert process.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.0, 1.5))
        assert process.poll() is None, f"life {life} ended before it could be killed"
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(paid.read_text().splitlines()) > 500  # there was something to lose
    finish(workspace, recipe)

    assert end_state(workspace) == want
    for table, key in (("attempts", "id"), ("verdicts", "attempt_id")):
        counts = f"SELECT count(*), count(DISTINCT {key}) FROM read_parquet('{workspace.parts}/{table}/**/*.parquet')"
        assert duckdb.execute(counts).fetchone() == (len(want[0]), len(want[0]))  # nothing double, in the parts either
    times = Counter(paid.read_text().splitlines())
    assert len(times) == len(want[0])
    assert times.total() - len(times) <= 3 * KILLS  # paid twice: at most what was answered as the kill came
    (row,) = spending(workspace.root / FILE)
    assert len(times) - KILLS * 110 <= row["answers"] <= times.total()  # a kill loses a second of the ledger at most


def test_a_finished_run_has_nothing_to_do(tmp_path):
    workspace, recipe, paid = make(tmp_path / "one")
    finish(workspace, recipe)
    before = end_state(workspace), paid.read_text()
    finish(workspace, recipe)
    assert (end_state(workspace), paid.read_text()) == before
