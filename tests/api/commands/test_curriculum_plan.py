"""`gradus curriculum build --dry-run` tells what a recipe would make, and what it lacks."""

import json

import pytest

from gradus.api.cli import main


@pytest.fixture
def gradus(finished, capsys):
    """Return a function that runs one command and gives its status, output and errors."""

    def run(*argv):
        status = main([*argv, "--recipe", str(finished.recipe_path), "--workspace", str(finished.workspace.root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


def test_a_plan_names_entries_and_the_commands_that_make_what_is_missing(gradus, finished):
    status, out, _ = gradus("curriculum", "build", "--dry-run")
    assert status == 0
    assert out.startswith(f"for {finished.student}: 63 of 63 traces would be taken; nothing is written\n")
    assert "stage correction, 256 tokens, easy_to_hard: 4092 of 6000 tokens, " in out
    assert "*/correction: wanted 4000 tokens, there are 14 traces of 2137 tokens" in out
    assert (
        f"tokens of */correction in stage correction\n           gradus correct --recipe {finished.recipe_path}" in out
    )


def test_a_plan_for_machines_has_the_counts(gradus):
    _, out, _ = gradus("curriculum", "build", "--dry-run", "--json")
    found = json.loads(out)
    assert (found["in"], found["kept"], found["dropped"]) == (63, 63, {})
    assert [entry["entry"] for entry in found["stages"][1]["entries"]] == ["*/correction", "*/cot"]


def test_only_building_has_a_dry_run(gradus):
    status, _, err = gradus("curriculum", "verify", "--dry-run")
    assert status == 2
    assert "--dry-run goes with `curriculum build`" in err
