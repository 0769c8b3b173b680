"""`gradus train --dry-run` refuses what training would, and tells what it would do."""

import json
import shutil

import pytest

from gradus.api.cli import main


@pytest.fixture
def dry_run(finished, student, capsys):
    """Ask what a run would do; return the exit status and what was said."""

    def ask(*words):
        argv = ["train", "sft", "--dry-run", "--model", str(student), "--workspace", str(finished.workspace.root)]
        status = main([*argv, *words])
        said = capsys.readouterr()
        return status, said.out, said.err

    return ask


def test_every_stage_is_told_and_nothing_is_begun(dry_run, finished):
    status, out, _ = dry_run("--json")
    assert status == 0
    told = json.loads(out)
    assert told["stages"][-1]["steps"] <= told["steps"]
    assert [stage["stage"] for stage in told["stages"]] == [stage.name for stage in finished.recipe.stages]
    assert not any(finished.workspace.runs.glob("sft-*"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["parallel.context=2"], "do not multiply to 1, the number of processes"),
        (["--processes", "2", "parallel.tensor=3"], "do not multiply to 2, the number of processes"),
        (["--processes", "16", "parallel.tensor=16"], "not a divisor of the"),
        (["--processes", "0"], "processes and nodes must be at least 1"),
        (["parallel.float8=true"], "need a GPU"),
    ],
)
def test_what_training_would_refuse_is_refused(dry_run, words, said):
    status, _, err = dry_run(*words)
    assert status == 2
    assert said in err


def test_as_many_processes_as_the_degrees_ask_for_are_fine(dry_run):
    assert dry_run("--processes", "4", "parallel.context=2", "parallel.tensor=2")[0] == 0


def test_machines_of_slurm_have_gpus(dry_run):
    assert dry_run("--launcher", "slurm", "--nodes", "2", "parallel.replicate=2", "parallel.float8=true")[0] == 0


def test_a_model_with_another_tokenizer_is_refused(dry_run, student, tmp_path):
    other = shutil.copytree(student, tmp_path / "other")
    tokenizer = json.loads((other / "tokenizer.json").read_text())
    tokenizer["added_tokens"][0]["content"] += "?"
    (other / "tokenizer.json").write_text(json.dumps(tokenizer))
    status, _, err = dry_run("--model", str(other))
    assert status == 3
    assert "build the curriculum for this model" in err
