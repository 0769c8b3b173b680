"""Prove that the RL section's file holds what the manifest says of it.

Each problem: its specification and messages are JSON of their form, its prompt has tokens, and the probability that its
rate lies in the band is what its counts give; the active ones have at least the section's confidence. The section: how
many are in reserve. Of format 2, which had no roles: every rate lies in the band. Quotas may ask for more than there
is: the trainer takes what there is, and says so.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from gradus.curricula.manifest import RLSection, read_batches, schema_of
from gradus.curricula.posterior import inside
from gradus.errors import DataError

EXACT = 1e-8
"""Of probabilities that are rounded to nine digits."""
ROLES = ("active", "reserve")


def prove_rl(path: Path, section: RLSection, number: int) -> None:
    """Raise DataError unless everything that a manifest of that format says of its problems is so."""
    rows = problem_rows(path, section, number)
    reserve = dict(Counter(row["domain"] for row in rows if row.get("role") == "reserve"))
    if reserve != section.reserve:
        raise DataError(f"rl: in reserve are {reserve!r:.200}, the manifest says {section.reserve!r:.200}")


def problem_rows(path: Path, section: RLSection, number: int) -> Iterator[dict[str, Any]]:
    """Yield the problems of a section, each proven, in the file's order; number is the manifest's format."""
    seen: set[str] = set()
    for batch in read_batches(path, section.problems, schema_of("rl", number)):
        for row, chance in zip(batch.to_pylist(), _chances(section, batch), strict=True):
            for wrong in _wrong(section, row, chance):
                raise DataError(f"rl problem {row['problem_id']!r:.20}: {wrong}")
            if row["problem_id"] in seen:
                raise DataError(f"rl problem {row['problem_id']!r:.20} is there twice")
            seen.add(row["problem_id"])
            yield row


def _chances(section: RLSection, batch: pa.RecordBatch) -> list[float]:
    """Return for each problem the probability that its rate lies in the band."""
    passed, tried = batch["num_passed"].to_numpy(), batch["num_attempts"].to_numpy()
    if len(wrong := np.flatnonzero((passed < 0) | (passed > tried))):
        raise DataError(f"rl: {passed[wrong[0]]} of {tried[wrong[0]]} attempts passed at a problem")
    low, high = section.band
    chances: list[float] = inside(passed, tried, low, high).tolist()
    return chances


def _wrong(section: RLSection, row: dict[str, Any], chance: float) -> Iterator[str]:
    """Yield what is wrong with a problem, in words."""
    if not isinstance(_json(row["spec"]), dict):
        yield "its spec is no JSON object"
    messages = _json(row["messages"])
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        yield "its messages are no JSON list of messages"
    if not row["prompt_token_ids"] or min(row["prompt_token_ids"]) < 0:
        yield "its prompt has no tokens, or one below 0"
    yield from _outside(section, row, chance)


def _outside(section: RLSection, row: dict[str, Any], chance: float) -> Iterator[str]:
    if "role" not in row:
        low, high = section.band
        if row["pass_rate"] is None or not low <= row["pass_rate"] <= high:
            yield f"its pass rate {row['pass_rate']} is outside the band {list(section.band)}"
        return
    if row["role"] not in ROLES:
        yield f"its role is {row['role']!r:.40}, not one of {', '.join(ROLES)}"
    if not abs(chance - row["in_band"]) < EXACT:
        yield f"it is in the band with probability {chance:.9f}, the file says {row['in_band']}"
    if row["role"] == "active" and row["in_band"] < section.confidence:
        yield f"it is active, though in the band with probability {chance:.3f}, less than {section.confidence}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _is_message(message: Any) -> bool:
    return isinstance(message, dict) and isinstance(message.get("role"), str)
