"""IFEval and IFBench (Zhou et al. 2023): `prompt`, `instruction_id_list`, `kwargs`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import importers


@importers.register("ifeval")
def ifeval(row: Mapping[str, Any]) -> Problem:
    """Pair each instruction with its arguments; those that are null are left out."""
    names, arguments = row["instruction_id_list"], row["kwargs"]
    if len(names) != len(arguments):
        raise ValueError(f"{len(names)} instructions, but {len(arguments)} kwargs")
    instructions = [
        {"id": name, "kwargs": {key: value for key, value in kwargs.items() if value is not None}}
        for name, kwargs in zip(names, arguments, strict=True)
    ]
    spec = {"instructions": instructions, "prompt": row["prompt"]}
    return Problem(prompt=row["prompt"], domain="instruction", verifier="instruction", spec=spec, source="ifeval")
