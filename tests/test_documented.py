"""What a user can name is explained somewhere."""

import ast
import re
from pathlib import Path

import pytest

from gradus.api.commands.base import commands
from gradus.curricula.policies.base import policies
from gradus.engine.sources.base import generators, importers
from gradus.engine.teachers.base import teachers
from gradus.engine.varying.base import ways
from gradus.verifiers import base as verifiers

ROOT = Path(__file__).parent.parent
PLUGINS = [
    path
    for folder in ("verifiers", "engine/teachers", "engine/sources", "curricula/policies", "api/commands", "api/routes")
    for path in sorted((ROOT / folder).glob("*.py"))
]


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_plug_in_says_what_it_is(path):
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


@pytest.mark.parametrize("name", commands.names())
def test_every_command_has_a_help_line(name):
    summary = commands[name].summary
    assert summary.endswith(".")
    assert len(summary.split()) >= 3


def documentation() -> str:
    return "\n".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))])


def undocumented(names) -> list[str]:
    text = documentation()
    return [name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)]


def test_every_command_is_in_the_documentation():
    assert not undocumented(f"gradus {name}" for name in commands.names())


def test_every_plug_in_is_in_the_documentation():
    names = [*verifiers.names(), *policies.names(), *importers.names(), *generators.names(), *teachers.names()]
    names += ways.names()
    assert not undocumented(set(names) - {"recorded-student"})  # ours, of tests/conftest.py


def test_every_recipe_is_in_the_documentation():
    paths = [path for layer in ("curricula", "trainer") for path in sorted((ROOT / layer / "recipes").glob("*.toml"))]
    assert paths
    assert not undocumented(path.stem for path in paths)
