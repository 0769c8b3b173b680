"""Every example of the guide to curricula is a program that runs, or a part of a recipe that is taken."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gradus.config import build
from gradus.curricula.policies.base import policies
from gradus.curricula.recipe import Recipe

TEXT = (Path(__file__).parent.parent / "docs/curricula.md").read_text()


def examples(language):
    for found in re.finditer(rf"^```{language}\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL):
        yield pytest.param(found[1], id=f"line {TEXT.count(chr(10), 0, found.start()) + 1}")


@pytest.mark.parametrize("block", examples("python"))
def test_every_python_example_runs(block, spoilable):
    # In a process of its own, since one of them registers a policy, and beside ./workspace.
    folder = spoilable.workspace.root.parent
    done = subprocess.run([sys.executable, "-c", block], capture_output=True, text=True, cwd=folder, timeout=100)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", examples("toml"))
def test_every_recipe_example_is_taken(block):
    recipe = build(Recipe, {"name": "guide"} | tomllib.loads(block), "docs/curricula.md")
    assert all(stage.policy in policies.names() for stage in recipe.stages)
