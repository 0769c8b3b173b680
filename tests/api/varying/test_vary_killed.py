"""Killed at random moments, `vary` comes to the same end as a run that nobody disturbed, and pays for little twice."""

import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections import Counter

import pytest
from loopback import Server
from storyteller import Storyteller, stories

from gradus.api import steps
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
KILLS = 20
RECIPE = """
name = "killed"
[teacher]
kind = "openai"
model = "big"
options = {{ base_url = "{url}", model_id = "storyteller", max_in_flight = 4 }}
[cache]
use = false
[vary]
num = 60
solutions = 6
agree = 4
"""
RUN = """
    import sys
    from pathlib import Path
    from gradus.api import varying
    from gradus.curricula.recipe import load_recipe
    from gradus.engine import answers
    from gradus.engine.workspace import Workspace

    answers.FLUSH_S = 0.05
    print("ready", flush=True)
    varying.vary(Workspace(Path(sys.argv[1])), load_recipe(sys.argv[2]), workers=1)
"""


def slow_and_fallible(asked):
    """Take a moment, and blunder now and then, the same way for the same question."""
    time.sleep(0.02)
    return asked.right + (asked.seed if random.Random(asked.text).random() < 0.3 else 0)


@pytest.fixture
def teller():
    server = Server(Storyteller(slow_and_fallible))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def make(folder, url):
    folder.mkdir()
    workspace, recipe = Workspace.create(folder / "workspace"), folder / "recipe.toml"
    steps.add_problems(workspace, stories(12), "stories")
    recipe.write_text(RECIPE.format(url=url))
    return workspace, recipe


def start(workspace, recipe):
    command = [sys.executable, "-c", textwrap.dedent(RUN), str(workspace.root), str(recipe)]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def end_state(workspace):
    with open_snapshot(workspace) as store:
        tables = ("problems", "variants", "drops")
        return {table: store.rows(f"FROM {table} ORDER BY ALL") for table in tables} | {
            "attempts": store.rows("SELECT * EXCLUDE (seconds) FROM attempts ORDER BY id")
        }


def test_kills_change_nothing(tmp_path, teller):
    calm, recipe = make(tmp_path / "calm", teller.url)
    assert start(calm, recipe).wait(timeout=300) == 0
    want, paid = end_state(calm), len(teller.seen)
    assert len(want["problems"]) == 72
    assert want["drops"]

    teller.seen.clear()
    workspace, recipe = make(tmp_path / "killed", teller.url)
    rng, killed = random.Random(0), 0
    for _ in range(KILLS):
        process = start(workspace, recipe)
        assert process.stdout.readline() == b"ready\n"
        time.sleep(rng.uniform(0.1, 1.5))
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert killed > 1
    assert start(workspace, recipe).wait(timeout=300) == 0

    assert end_state(workspace) == want
    asks = Counter((str(body["messages"]), body["seed"]) for _, _, body in teller.seen)
    assert len(asks) == len(want["attempts"])
    assert asks.total() - paid <= 12 * killed  # at most what was in flight, or not yet written, as the kill came
