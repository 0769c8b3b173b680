"""What docs/training.md shows is taken as it stands there, and its first commands train."""

import re
import shlex
import tomllib
from pathlib import Path

import pytest

from gradus.api.cli import main, parser
from gradus.api.runs import read_metrics
from gradus.config import build, load
from gradus.curricula.recipe import Recipe
from gradus.trainer.config import SFTConfig
from gradus.trainer.stages import check_training

TEXT = (Path(__file__).parent.parent / "docs" / "training.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


COMMANDS = [line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_recipe_of_a_curriculum_is_taken(block):
    recipe = build(Recipe, {"name": "guide"} | tomllib.loads(block), "docs/training.md")
    check_training(recipe.stages)
    assert all(stage.training for stage in recipe.stages)


@pytest.mark.parametrize("block", blocks("toml sft"))
def test_every_training_recipe_is_taken(block, tmp_path):
    (tmp_path / "recipe.toml").write_text(block)
    config = load(SFTConfig, tmp_path / "recipe.toml")
    for name, settings in config.stages.items():
        build(SFTConfig, settings, name)


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("gradus ")])
def test_every_command_line_is_one_of_ours(line):
    words = shlex.split(line)
    assert parser().parse_args(words[1:]).command == words[1]


def test_the_first_commands_plan_and_train(spoilable, student, capfd, monkeypatch):
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)  # kernels run in it a hundred times slower than references
    planned, _, changed = ([*shlex.split(line)[1:], "--model", str(student)] for line in COMMANDS[:3])
    where = ["--workspace", str(spoilable.workspace.root)]
    assert main([*planned, *where]) == 0
    lines = capfd.readouterr().out.splitlines()
    assert re.search(r"foundation +192 +10 +2 .* 0.0001 ", lines[2])
    assert re.search(r"correction +256 +10 +2 .* 0.0001 ", lines[3])
    assert not list(spoilable.workspace.runs.iterdir())
    assert main([*changed, "steps=2", *where]) == 0
    (run,) = spoilable.workspace.runs.iterdir()
    assert [row["lr"] for row in read_metrics(run)] == pytest.approx([5e-5, 1e-4, 2.5e-5, 5e-5])
    assert (run / "export" / "model.safetensors").exists()
