"""Word problems with a number for an answer: GSM8K, MAWPS and SVAMP, in their own layouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import importers


@importers.register("gsm8k")
def gsm8k(row: Mapping[str, Any]) -> Problem:
    """`question`, and `answer` that ends in `#### N`."""
    _, mark, expected = row["answer"].rpartition("####")
    if not mark:
        raise ValueError("answer does not end in '#### N'")
    return _number_problem(row["question"], expected.strip().replace(",", ""), "gsm8k")


@importers.register("mawps")
def mawps(row: Mapping[str, Any]) -> Problem:
    """`input` and `target`."""
    return _number_problem(row["input"], _plain(row["target"]), "mawps")


@importers.register("svamp")
def svamp(row: Mapping[str, Any]) -> Problem:
    """`Body`, `Question` and `Answer`."""
    body = row["Body"].rstrip()
    joint = " " if body.endswith((".", "?", "!", ",")) else ". "
    return _number_problem(body + joint + row["Question"], _plain(row["Answer"]), "svamp")


def _number_problem(prompt: str, expected: str, source: str) -> Problem:
    return Problem(prompt=prompt.strip(), domain="math", verifier="math", spec={"expected": expected}, source=source)


def _plain(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)
