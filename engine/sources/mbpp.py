"""MBPP (Austin et al. 2021): `text`, `test_list` of assertions, `test_setup_code`, `task_id`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import importers


@importers.register("mbpp")
def mbpp(row: Mapping[str, Any]) -> Problem:
    """The prompt shows the first test, as the benchmark's own does, so that the name is known."""
    tests = [test.strip() for test in row["test_list"]]
    if not tests:
        raise ValueError("test_list is empty")
    prompt = f"{row['text'].strip()} Your code should pass this test: {tests[0]}"
    # A test may begin with statements, so each brings what it imports or defines.
    if setup := (row.get("test_setup_code") or "").strip():
        tests = [f"{setup}\n{test}" for test in tests]
    return Problem(prompt=prompt, domain="code", verifier="code", spec={"tests": tests}, source="mbpp")
