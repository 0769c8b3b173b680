"""A run that is ended, in whatever way, goes on to the very bit where it would have gone."""

import hashlib
import json
import os
import random
import signal
import threading
import time
from pathlib import Path

import pytest
import tiny

from gradus.trainer import sft

SETTINGS = ["steps=20", "sequences_per_step=3", "checkpoint.every=3", "optim.lr=1e-2", "optim.warmup_steps=3"]
MUON = [*SETTINGS, "optim.name=muon", "optim.weight_decay=0.1"]
TOGETHER = ["-m", "gradus.trainer.processes", "--standalone", "--nproc-per-node=2"]


@pytest.fixture(scope="module")
def curriculum(tmp_path_factory, model):
    workspace = tmp_path_factory.mktemp("workspace")
    stages = [tiny.make_stage(workspace, "one"), tiny.make_stage(workspace, "two", context_length=128, seed=1)]
    return tiny.make_manifest(workspace, model, stages=stages)


@pytest.fixture(scope="module")
def arguments(curriculum, model):
    return lambda run, settings: ["--manifest", str(curriculum), "--model", str(model), "--run", str(run), *settings]


@pytest.fixture(scope="module")
def started(arguments, python):
    """Start a run in a folder."""

    def start(run, settings, launch=()):
        return python(*launch, "-m", "gradus.trainer.sft", *(["--"] if launch else []), *arguments(run, settings))

    return start


def finish(process):
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors


def run_of(started, tmp_path_factory, *how):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    finish(started(folder, *how))
    return folder


@pytest.fixture(scope="module")
def undisturbed(arguments, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    assert sft.main(arguments(folder, SETTINGS)) == 0
    return folder


def measured(run):
    path = run / "metrics.jsonl"
    lines = path.read_text().splitlines(keepends=True) if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def reach(process, run, step):
    """Wait until a run has measured a step."""
    while len(measured(run)) < step:
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.002)


def assert_same(run, other):
    """Every figure that does not tell the time is the same to the bit, and so are the weights."""
    for name in ("step", "stage", "loss", "grad_norm", "lr", "tokens"):
        assert [line[name] for line in measured(run)] == [line[name] for line in measured(other)]
    exports = [hashlib.sha256((path / "export/model.safetensors").read_bytes()) for path in (run, other)]
    assert exports[0].digest() == exports[1].digest()


def state(run):
    return json.loads((run / "run.json").read_text())["state"]


def ask_at(run, step, number):
    """Send this process a signal once a run has measured a step."""
    while len(measured(run)) < step:
        time.sleep(0.002)
    os.kill(os.getpid(), number)


def test_killed_then_asked_to_stop_then_interrupted_it_ends_as_if_nothing_had_happened(
    started, arguments, undisturbed, tmp_path, capfd
):
    run = tmp_path / "run"
    process = started(run, SETTINGS)
    reach(process, run, 8)
    process.kill()
    process.communicate()
    assert state(run) == "running"
    for step, number in ((16, signal.SIGTERM), (27, signal.SIGINT)):
        threading.Thread(target=ask_at, args=(run, step, number), daemon=True).start()
        assert sft.main(arguments(run, SETTINGS)) == 75
        taken = len(measured(run))
        assert state(run) == "stopped"
        assert f"stopped at step {taken} of 40 and saved; the same command goes on" in capfd.readouterr().err
        assert [*(run / "checkpoints").glob(f"st[eo]p-{taken}")]
    assert sft.main(arguments(run, SETTINGS)) == 0
    assert_same(run, undisturbed)


def test_a_finished_run_keeps_its_model_and_no_checkpoints(undisturbed):
    assert state(undisturbed) == "finished"
    assert (undisturbed / "export/model.safetensors").exists()
    assert not (undisturbed / "checkpoints").exists()


def test_muon_goes_on_to_the_bit(arguments, tmp_path):
    one, other, settings = tmp_path / "one", tmp_path / "other", [*MUON, "steps=8"]
    assert sft.main([*arguments(one, settings), "--until", "11"]) == 0
    assert state(one) == "paused"
    for run in (one, other):
        assert sft.main(arguments(run, settings)) == 0
    assert_same(one, other)


def processes_of(run):
    """Return the training processes of a run: those that torchrun started last, and no launcher."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(run).encode() in words and b"gradus.trainer.processes" not in words:
            found.append(int(path.name))
    return sorted(found)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("settings", [SETTINGS, MUON], ids=["adamw", "muon"])
def test_any_process_may_be_killed_at_any_moment(settings, started, tmp_path_factory, tmp_path):
    undisturbed = run_of(started, tmp_path_factory, settings, TOGETHER)
    rng, run = random.Random(0), tmp_path / "run"
    for _ in range(4):
        process = started(run, settings, TOGETHER)
        before = len(measured(run))
        reach(process, run, min(before + 1, 38))
        time.sleep(rng.uniform(0, 0.5))
        if process.poll() is None and (alive := processes_of(run)):
            os.kill(rng.choice(alive), signal.SIGKILL)
        process.communicate(timeout=200)
    finish(started(run, settings, TOGETHER))
    assert_same(run, undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_torchrun_hands_the_question_on_and_every_process_stops_at_the_same_step(number, started, tmp_path):
    run = tmp_path / "run"
    process = started(run, SETTINGS, TOGETHER)
    reach(process, run, 5)
    process.send_signal(number)
    _, errors = process.communicate(timeout=200)
    taken = len(measured(run))
    assert state(run) == "stopped", errors
    assert errors.count(f"stopped at step {taken} of 40 and saved") == 1
    assert [*(run / "checkpoints").glob(f"st[eo]p-{taken}")]
