"""What docs/training.md shows is taken as it stands there, and its first commands train."""

import re
import shlex
import tomllib
from dataclasses import is_dataclass
from pathlib import Path
from typing import get_args, get_origin, get_type_hints

import pytest

from gradus.api.cli import main, parser
from gradus.api.runs import read_metrics
from gradus.config import build, load
from gradus.curricula.recipe import Recipe
from gradus.trainer.config import RLConfig, SFTConfig, StageSettings
from gradus.trainer.stages import check_training

TEXT = (Path(__file__).parent.parent / "docs" / "training.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def taken(recipe, overrides):
    """Take a run's settings as the trainer does, those of single stages included."""
    config = load(SFTConfig, recipe, overrides)
    for name, settings in config.stages.items():
        build(StageSettings, settings, f"stages.{name}")
    return config


def knows(config, name):
    """Say whether a config has a setting of this name, as `optim.lr`."""
    first, _, rest = name.partition(".")
    hint = get_type_hints(config).get(first)
    if not rest or get_origin(hint) is dict:
        return hint is not None
    return any(knows(inner, rest) for inner in (hint, *get_args(hint)) if is_dataclass(inner))


FILES = ("json", "jsonl", "parquet", "toml", "svg", "png")
SPANS = re.findall(r"`([^`]+)`", re.sub(r"^```.*?^```", "", TEXT, flags=re.MULTILINE | re.DOTALL))
# Every dotted name in `code` that is neither a file's nor Python's, so that no group of settings is forgotten.
NAMES = {
    name
    for span in SPANS
    for name in re.findall(r"\b[a-z]\w*(?:\.\w+)+", span)
    if name.rpartition(".")[2] not in FILES and not name.startswith("torch.")
}
SAID = {word for span in SPANS for word in span.split() if re.match(r"[a-z_]+\.[a-z_.]+=.", word)}
COMMANDS = [line.partition("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]


@pytest.mark.parametrize("block", blocks("toml"))
def test_every_recipe_of_a_curriculum_is_taken(block):
    recipe = build(Recipe, {"name": "guide"} | tomllib.loads(block), "docs/training.md")
    check_training(recipe.stages)
    assert all(stage.training for stage in recipe.stages)


@pytest.mark.parametrize("block", blocks("toml sft"))
def test_every_training_recipe_is_taken(block, tmp_path):
    (tmp_path / "recipe.toml").write_text(block)
    assert taken(tmp_path / "recipe.toml", []) != SFTConfig()


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("gradus ")])
def test_every_command_line_is_one_of_ours(line):
    words = shlex.split(line)
    parsed = parser().parse_args(words[1:])
    assert parsed.command == words[1]
    if words[1:3] == ["train", "sft"]:
        taken(None, parsed.overrides)


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_setting_is_one_of_ours(name):
    of_a_stage = re.fullmatch(r"stages\.\w+\.(.+)", name)
    configs = [StageSettings] if of_a_stage else [SFTConfig, RLConfig]
    assert any(knows(config, of_a_stage[1] if of_a_stage else name) for config in configs)


@pytest.mark.parametrize("word", sorted(SAID))
def test_every_setting_takes_the_value_it_is_said_to(word):
    taken(None, [word])


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
