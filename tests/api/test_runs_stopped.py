"""A run that is asked to stop at the terminal, and what is said of one that did."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from gradus.api.commands.train import _ended
from gradus.api.runs import describe, run_state
from gradus.errors import DataError
from gradus.trainer.run import Run, write_error


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


@pytest.mark.parametrize(
    ("status", "exit_code", "said"),
    [
        (2, 2, "cannot go on before what the error above says is mended"),
        (3, 3, "cannot go on"),
        (4, 4, "begins it again: no checkpoint was written yet"),
        (137, 1, "ended with status 137; the same command begins it again"),
    ],
)
def test_only_what_can_go_on_is_promised_to(status, exit_code, said, begun):
    (begun.folder / "status").write_text(str(status))
    error = _ended(begun.folder, status)
    assert (error.exit_code, said in str(error)) == (exit_code, True)


def test_a_run_goes_on_from_a_checkpoint_and_only_one_that_was_saved_is_called_stopped(begun):
    (begun.folder / "checkpoints" / "step-3").mkdir(parents=True)
    (begun.folder / "status").unlink()  # as where the disk had no room for it
    assert "goes on from its checkpoint" in str(_ended(begun.folder, 4))
    begun.stop()
    assert _ended(begun.folder, 75).exit_code == 75


def test_a_run_that_failed_says_why(begun):
    assert "ended with status 1" in describe(begun.folder)["error"]
    (begun.folder / "log.txt").write_text("first\nand last\n")
    assert describe(begun.folder)["error"] == "and last"
    write_error(begun.folder, DataError("the shard is damaged"))
    assert describe(begun.folder)["error"] == "the shard is damaged"


def test_the_last_step_measured_is_how_far_a_run_is(begun):
    begun.measured(4, {"loss": 1.0})
    assert (describe(begun.folder)["step"], describe(begun.folder)["steps"]) == (4, 9)


def test_but_not_what_it_said_before_it_was_started_again(begun):
    begun.stop()
    now = time.time() + 1
    os.utime(begun.folder / "pid", (now, now))
    assert run_state(begun.folder) == "failed"
    (begun.folder / "status").unlink()
    assert run_state(begun.folder) == "stopped"


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("processes", "tell", "number"),
    [(1, os.killpg, signal.SIGINT), (2, os.killpg, signal.SIGINT), (1, os.kill, signal.SIGTERM)],
)
def test_ctrl_c_or_sigterm_saves_and_the_same_command_goes_on(processes, tell, number, spoilable, student):
    at = ["--workspace", str(spoilable.workspace.root), "--model", str(student), "--processes", str(processes)]
    command = [sys.executable, "-m", "gradus", "train", "sft", *at, "steps=6", "sequences_per_step=1"]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    folders = spoilable.workspace.runs
    while not (found := list(folders.glob("*/metrics.jsonl"))) or not found[0].read_text():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.01)
    tell(process.pid, number)  # as a terminal does, or a container's end
    _, errors = process.communicate(timeout=200)
    assert process.returncode == 75, errors
    assert errors.splitlines()[-1].endswith("was stopped and saved; the same command goes on")
    assert describe(found[0].parent)["state"] == "stopped"
    assert subprocess.run(command, check=False).returncode == 0
    assert describe(found[0].parent)["state"] == "finished"
