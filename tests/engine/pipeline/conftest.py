"""Fixtures of the pipeline's tests; their helpers are imported from this folder by name, by ranks too."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from gradus.engine.parts import write_part
from gradus.engine.records import Problem
from gradus.engine.store import open_store

NUM_PROBLEMS = 40


@pytest.fixture
def faults(tmp_path):
    """Return the folder in which files ask ranks to misbehave."""
    (tmp_path / "faults").mkdir()
    return tmp_path / "faults"


@pytest.fixture
def marked(workspace):
    """Return the workspace with forty problems."""
    problems = [
        Problem(prompt=f"{i}?", domain="math", verifier="math", spec={"expected": str(i)}, source="t")
        for i in range(NUM_PROBLEMS)
    ]
    write_part(workspace.parts, "t", problems)
    with open_store(workspace):
        pass
    return workspace
