"""A run that is asked to stop at the terminal, and what is said of one that did."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gradus.api.runs import describe, run_state
from gradus.trainer.run import Run


@pytest.fixture
def begun(tmp_path):
    """A run that was launched a minute ago and ended since, with a status."""
    run = Run(tmp_path / "run", kind="sft")
    run.begin(step=0, num_steps=9)
    for name, text in (("launch.json", json.dumps({"launcher": "local"})), ("status", "1"), ("pid", "1")):
        (run.folder / name).write_text(text)
    os.utime(run.folder / "pid", (time.time() - 60,) * 2)
    return run


@pytest.mark.parametrize(("word", "state"), [("stop", "stopped"), ("pause", "paused"), ("finish", "finished")])
def test_what_a_run_says_of_itself_counts(word, state, begun):
    assert run_state(begun.folder) == "failed"
    getattr(begun, word)()
    assert run_state(begun.folder) == state


def test_but_not_what_it_said_before_it_was_started_again(begun):
    begun.stop()
    now = time.time() + 1
    os.utime(begun.folder / "pid", (now, now))
    assert run_state(begun.folder) == "failed"
    (begun.folder / "status").unlink()
    assert run_state(begun.folder) == "stopped"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("processes", [1, 2])
def test_ctrl_c_at_the_terminal_saves_and_the_same_command_goes_on(processes, spoilable, student):
    at = ["--workspace", str(spoilable.workspace.root), "--model", str(student), "--processes", str(processes)]
    command = [sys.executable, "-m", "gradus", "train", "sft", *at, "steps=6", "sequences_per_step=1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True, env=environment)
    folders = spoilable.workspace.runs
    while not (found := list(folders.glob("*/metrics.jsonl"))) or not found[0].read_text():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 75, errors
    assert errors.splitlines()[-1].endswith("was stopped and saved; the same command goes on")
    assert describe(found[0].parent)["state"] == "stopped"
    assert subprocess.run(command, env=environment, check=False).returncode == 0
    assert describe(found[0].parent)["state"] == "finished"
