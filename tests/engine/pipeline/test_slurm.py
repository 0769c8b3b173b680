"""The batch scripts that go to Slurm, and ranks on a real cluster of one node where one can be started."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from marking import Marking, silent
from slurm_cluster import slurm  # noqa: F401 - a fixture

from gradus.api.cli import main
from gradus.engine.pipeline.executors import ExecutorConfig
from gradus.engine.pipeline.lead import lead
from gradus.engine.store import open_snapshot
from gradus.errors import MachineError, WorkspaceError

OPTIONS = {"partition": "main", "time": "00:05:00", "mem_per_cpu_gb": 1}


def test_the_batch_script_says_what_was_asked_for(marked, faults, tmp_path, monkeypatch):
    sbatch = tmp_path / "bin/sbatch"
    sbatch.parent.mkdir()
    sbatch.write_text('#!/bin/sh\necho "$@" > "$(dirname "$0")/given"\nexit 1\n')
    sbatch.chmod(0o755)
    monkeypatch.setenv("PATH", str(sbatch.parent), prepend=":")
    config = ExecutorConfig(kind="slurm", tasks=5, workers=3, options=OPTIONS | {"cpus_per_task": 4, "qos": "low"})
    with pytest.raises(WorkspaceError, match=r"the executor: CalledProcessError.*rank 0 left no report"):
        lead(marked, Marking(marked, faults), config, progress=silent)
    (path,) = (marked.root / "pipeline/mark").glob("*/launch_script.slurm")
    script = path.read_text()
    directives = {line.removeprefix("#SBATCH --") for line in script.splitlines() if line.startswith("#SBATCH")}
    asked = {"array=0-4%3", "cpus-per-task=4", "mem-per-cpu=1G", "partition=main", "qos=low", "time=00:05:00", "wait"}
    assert asked | {"job-name=gradus-mark", "nodes=1"} <= directives
    assert f"launch_pickled_pipeline {path.parent}/executor.pik" in script
    subprocess.run(["bash", "-n", str(path)], check=True)
    assert "--export=ALL,RUN_OFFSET=0" in (sbatch.parent / "given").read_text()


def test_without_slurm_the_command_says_so(marked, faults, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MachineError, match="no `sbatch` here"):
        lead(marked, Marking(marked, faults), ExecutorConfig(kind="slurm", options=OPTIONS), progress=silent)


@pytest.mark.slow
def test_commands_run_on_the_cluster(slurm, world, capfd):  # noqa: F811
    flags = ["--executor", "slurm", "--tasks", "3", "--json"]
    for name, value in OPTIONS.items():
        flags += ["--executor-option", f"{name}={value}"]
    recording = world.recipe_path.parent / "student.jsonl"
    teacher = ("teacher.kind=replay", f"teacher.model={recording}")
    assert main(world.step("sample", "--recipe", str(world.recipe_path), *teacher, *flags)) == 0
    sampled = json.loads(capfd.readouterr().out)
    assert (sampled["attempts"], sampled["made"], sampled["left"]) == (140, 140, 0)
    assert main(world.step("judge", *flags)) == 0
    assert json.loads(capfd.readouterr().out)["judged"] == 140
    with open_snapshot(world.workspace) as store:
        assert store.rows("SELECT count(*) AS n FROM judged") == [{"n": 140}]


@pytest.mark.slow
def test_a_rank_that_is_killed_is_gone_on_with(slurm, marked, faults, monkeypatch):  # noqa: F811
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    config = ExecutorConfig(kind="slurm", tasks=2, options=OPTIONS)
    (faults / "kill-0").touch()
    with pytest.raises(WorkspaceError, match=r"CalledProcessError[^;]*; rank 0 left no report\)"):
        lead(marked, Marking(marked, faults), config, progress=silent)
    assert lead(marked, Marking(marked, faults), config, progress=silent) == {"in": 40, "marked": 40}
