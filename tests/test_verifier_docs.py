"""Every example in docs/verifiers.md does what the page says."""

import json
import re
from pathlib import Path

import pytest

from gradus.verifiers import base

PAGE = (Path(__file__).parent.parent / "docs" / "verifiers.md").read_text()
LINES = [
    line
    for _, block in re.findall(r"^(`{3,})json\n(.*?)^\1$", PAGE, re.DOTALL | re.MULTILINE)
    for line in block.splitlines()
]


@pytest.mark.parametrize("line", LINES)
def test_an_example_gets_the_outcome_it_is_named_after(line):
    row = json.loads(line)
    base.check_spec(row["verifier"], row["spec"])
    verdict = base.verify(row["verifier"], row["answer"], row["spec"])
    assert verdict.outcome == row["id"], verdict.reason


@pytest.mark.parametrize("block", re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))
def test_the_python_runs(block, monkeypatch):
    base.names()  # once all are loaded, a copy holds what an example registers
    monkeypatch.setattr(base, "_verifiers", dict(base._verifiers))
    exec(compile(block, "docs/verifiers.md", "exec"), {})


def test_every_verifier_has_an_example_or_a_heading():
    assert [name for name in base.names() if f"`{name}`" not in PAGE and name != "math_verify"] == []
