"""Problems that are evaluated on and never trained on, from a JSONL file.

A line holds `domain`, `verifier`, `spec`, and `messages` or a `prompt`; it may hold `problem_id` (default: a hash of
those) and `sampling` (default: SamplingConfig's). `gradus train` writes a workspace's held-out problems like that.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from gradus.config import build
from gradus.engine.records import content_id
from gradus.engine.teachers.base import SamplingConfig
from gradus.errors import ConfigError, DataError
from gradus.trainer.problems import RLProblem
from gradus.verifiers.base import MALFORMED, SpecError, check_spec

FILE = "heldout.jsonl"
"""In a run's folder: the workspace's held-out problems, as they were when the run began."""


def read_heldout(path: Path, *, per_domain: int) -> list[RLProblem]:
    """Return the first per_domain problems of each domain."""
    if not path.exists():
        raise ConfigError(
            f"{path}: no problems to evaluate on; `gradus train` writes the workspace's held-out ones there. "
            "Give evaluate.problems=FILE, or evaluate.attempts=0 for none."
        )
    counts: Counter[str] = Counter()
    found = []
    with path.open() as file:
        for number, line in enumerate(file, 1):
            problem = _problem(line, f"{path}, line {number}")
            counts[problem.domain] += 1
            if counts[problem.domain] <= per_domain:
                found.append(problem)
    if not found:
        raise DataError(f"{path}: holds no problem")
    return found


def _problem(line: str, where: str) -> RLProblem:
    try:
        row: dict[str, Any] = json.loads(line)
        asked = {name: row[name] for name in ("domain", "verifier", "spec")}
        messages = tuple(row["messages"] if "messages" in row else [{"role": "user", "content": row["prompt"]}])
        check_spec(row["verifier"], row["spec"])
    except KeyError as error:
        raise DataError(f"{where}: no {error}; it needs domain, verifier, spec, and messages or a prompt") from None
    except (SpecError, *MALFORMED) as error:
        raise DataError(f"{where}: {error}") from None
    return RLProblem(
        **asked,
        problem_id=row.get("problem_id") or content_id(*asked.values(), *messages),
        messages=messages,
        sampling=build(SamplingConfig, row.get("sampling", {}), f"{where}: sampling"),
    )
