"""Training runs: started over HTTP or at the command line, followed, cancelled and resumed; by Slurm, too."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gradus.api import runs
from gradus.api.app import create_app
from gradus.api.cli import main
from gradus.api.jobs.process import find
from gradus.api.launch import Launch, script, trainer_command
from gradus.api.watching import Watch
from gradus.curricula.find import find_manifest
from gradus.errors import ConfigError, DataError, WorkspaceError

sys.path.insert(0, str(Path(__file__).parent.parent / "engine" / "pipeline"))
from slurm_cluster import slurm  # noqa: F401

LONG = ("steps=100000", "checkpoint.every=2", "sequences_per_step=1")


def plan(world, student, *overrides, launch=Launch()):  # noqa: B008
    manifest = find_manifest(world.workspace, "latest")
    return runs.plan_run(
        world.workspace, "sft", manifest, model=str(student), recipe=None, overrides=overrides, launch=launch
    )


def until(ask, done, *, timeout_s=280.0):
    end = time.monotonic() + timeout_s
    while not done(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.1)
    return found


def step_of(run):
    return (runs.describe(run.folder)["metrics"] or {"step": 0})["step"]


@pytest.mark.slow
def test_a_run_is_cancelled_with_its_processes_and_resumed_from_its_checkpoint(spoilable, student):
    run = plan(spoilable, student, *LONG)
    runs.start(run, actor="ada")
    until(lambda: step_of(run), lambda step: step >= 4)
    assert runs.describe(run.folder)["state"] == "running"
    pid = int((run.folder / "pid").read_text())
    runs.start(run)
    assert int((run.folder / "pid").read_text()) == pid
    with pytest.raises(WorkspaceError, match="is running"):
        runs.start_in_foreground(run)
    with pytest.raises(DataError, match="is running"):
        runs.resume(spoilable.workspace, run.folder.name)
    assert runs.cancel(spoilable.workspace, run.folder.name, actor="ada")["state"] == "cancelled"
    assert find(pid) is None
    checkpoint = max(int(path.name.removeprefix("step-")) for path in run.folder.glob("checkpoints/step-*"))
    last = step_of(run)
    assert runs.resume(spoilable.workspace, run.folder.name)["state"] == "running"
    assert runs.cancel(spoilable.workspace, run.folder.name, actor="ada")["state"] == "cancelled"  # at once
    runs.resume(spoilable.workspace, run.folder.name)
    until(lambda: step_of(run), lambda step: step > max(last, checkpoint))
    rows = runs.read_metrics(run.folder)
    assert [row["step"] for row in rows] == list(range(1, len(rows) + 1))
    runs.cancel(spoilable.workspace, run.folder.name, actor="ada")
    assert runs.describe(run.folder)["launch"]["actor"] == "ada"


@pytest.mark.slow
def test_a_run_outlives_who_started_it_and_its_end_is_known(spoilable, student):
    """As with a server: another process plans and starts it, and is killed at once."""
    manifest = find_manifest(spoilable.workspace, "latest")
    code = (
        "import os, signal, sys; from pathlib import Path; from gradus.api import runs;"
        "from gradus.engine.workspace import Workspace\n"
        "run = runs.plan_run(Workspace(Path(sys.argv[1])), 'sft', Path(sys.argv[2]), model=sys.argv[3], recipe=None,"
        " overrides=['steps=1', 'checkpoint.every=1'])\n"
        "runs.start(run); print(run.folder, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    words = [sys.executable, "-c", code, str(spoilable.workspace.root), str(manifest), str(student)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    folder = Path(done.stdout.strip())
    assert until(lambda: runs.run_state(folder), lambda state: state in runs.OVER) == "finished"
    assert (folder / "export").is_dir()
    assert [(event.event, event.id) for event in Watch(folder).read(1)] == [("state", 1), ("metrics", 2)]


@pytest.mark.slow
def test_a_run_that_cannot_train_has_failed_and_says_why(spoilable, student):
    run = plan(spoilable, student, "steps=2")
    runs.prepare(run, actor="ada")
    text = (run.folder / "launch.sh").read_text()
    (run.folder / "launch.sh").write_text(text.replace(str(student), "/nowhere"))
    runs._start(run.folder)
    until(lambda: runs.run_state(run.folder), lambda state: state in runs.OVER)
    found = runs.describe(run.folder)
    assert found["state"] == "failed"
    assert "/nowhere" in found["error"]


def test_the_events_of_a_run_are_taken_up_by_step_and_told_again_after_a_rewind(spoilable):
    folder = spoilable.workspace.runs / "sft-1"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"state": "running"}))
    metrics = folder / "metrics.jsonl"
    metrics.write_text("".join(f'{{"step": {n}, "loss": {n}}}\n' for n in (1, 2, 3)) + '{"step": 4, "lo')
    watch = Watch(folder)

    def read(after):
        return [(event.event, event.id) for event in watch.read(after)]

    assert read(1) == [("state", 1), ("metrics", 2), ("metrics", 3)]
    assert read(3) == []
    fresh = folder / "fresh"
    fresh.write_text('{"step": 1, "loss": 1}\n{"step": 2, "loss": 9}\n')
    fresh.replace(metrics)
    assert read(3) == [("rewound", 2)]
    with metrics.open("a") as file:
        file.write('{"step": 3, "loss": 8}\n')
    assert read(2) == [("metrics", 3)]
    (folder / "run.json").write_text(json.dumps({"state": "finished"}))
    assert read(3) == [("state", 3)]
    assert watch.over


def test_events_of_a_run_that_is_over_come_as_a_stream_that_ends(spoilable):
    folder = spoilable.workspace.runs / "sft-1"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"state": "finished"}))
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.0}\n')
    client = TestClient(create_app(spoilable.workspace))
    text = client.get("/v1/runs/sft-1/events", headers={"Last-Event-ID": "1"}).text
    assert 'id: 2\nevent: metrics\ndata: {"step": 2, "loss": 2.0}' in text
    assert text.rstrip().endswith("event: end\ndata: {}")
    assert client.get("/v1/runs/sft-1/events", headers={"Last-Event-ID": "2"}).status_code == 204
    assert client.get("/v1/runs/none/events").status_code == 404


@pytest.mark.parametrize(
    ("launch", "words"),
    [
        ({"num_processes": 0}, "at least 1"),
        ({"num_nodes": 2}, "need the launcher slurm"),
        ({"options": {"partition": "x"}}, "need the launcher slurm"),
        ({"launcher": "slurm", "options": {"wrap": "x"}}, "no option wrap"),
        ({"launcher": "slurm", "options": {"partition": "a\n#SBATCH --uid=0"}}, "no option partition"),
    ],
)
def test_a_launch_that_makes_no_sense_is_refused(launch, words):
    with pytest.raises(ConfigError, match=words):
        Launch(**launch)


def test_the_script_for_slurm_meets_at_the_first_node(tmp_path):
    launch = Launch(launcher="slurm", num_processes=8, num_nodes=4, options={"partition": "gpu", "time": "24:00:00"})
    command = trainer_command(launch, "sft", ["--manifest", "/a b/m.json", "key=it's"])
    text = script(tmp_path, launch, command)
    lines = text.splitlines()
    assert lines[0] == "#!/bin/bash"
    for option in ("nodes=4", "ntasks-per-node=1", "partition=gpu", "time=24:00:00", f"output={tmp_path}/log.txt"):
        assert f"#SBATCH --{option}" in lines
    (run,) = [line for line in lines if line.startswith("srun ")]
    assert '--nnodes=4 --rdzv_backend=c10d --rdzv_id="$SLURM_JOB_ID" --rdzv_endpoint="$head:' in run
    assert "--nproc_per_node=8" in run
    assert "-m gradus.trainer.sft -- --manifest '/a b/m.json'" in run
    assert subprocess.run(["bash", "-n"], input=text, text=True, check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.usefixtures("slurm")
def test_a_run_by_slurm_is_queued_trains_and_is_cancelled(spoilable, student):
    run = plan(spoilable, student, *LONG, launch=Launch(launcher="slurm", options={"time": "5"}))
    runs.start(run, actor="ada")
    assert runs.describe(run.folder)["launch"]["slurm_job"] > 0
    until(lambda: step_of(run), lambda step: step >= 2)
    assert runs.run_state(run.folder) == "running"
    runs.cancel(spoilable.workspace, run.folder.name, actor="ada")
    assert until(lambda: runs.run_state(run.folder), lambda state: state != "running") == "cancelled"


def test_without_slurm_the_error_says_so(spoilable, student, monkeypatch):
    monkeypatch.setenv("PATH", os.devnull)
    manifest = find_manifest(spoilable.workspace, "latest").stem
    words = ["train", "sft", "--launcher", "slurm", "--model", str(student), "--manifest", manifest]
    assert main([*words, "--workspace", str(spoilable.workspace.root)]) == 5


def test_runs_are_listed_and_shown_at_the_command_line(spoilable, capsys):
    folder = spoilable.workspace.runs / "sft-1"
    folder.mkdir()
    (folder / "run.json").write_text(json.dumps({"state": "finished", "step": 2, "steps": 2}))
    (folder / "metrics.jsonl").write_text('{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.0}\n')

    def run(*words):
        status = main(["runs", *words, "--workspace", str(spoilable.workspace.root)])
        return status, capsys.readouterr().out

    assert "sft-1" in run("list")[1]
    assert run("show", "sft-1")[1].startswith("sft-1: finished")
    assert "step 2  loss 2" in run("watch", "sft-1")[1]
    assert run("show")[0] == 2
    assert run("show", "none")[0] == 3
    assert run("cancel", "sft-1")[1].startswith("sft-1: finished")
    assert run("resume", "sft-1")[0] == 3
