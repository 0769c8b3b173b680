"""A manifest in tables: what the command line and the demo's report show of its stages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradus.curricula.manifest import Manifest, Stage


def stage_rows(manifest: Manifest) -> list[dict[str, Any]]:
    """Return one row a stage."""
    return [
        {
            "stage": stage.name,
            "context": stage.context_length,
            "traces": stage.num_traces,
            "tokens": stage.num_tokens,
            "sequences": stage.num_sequences,
            "packed": f"{stage.utilisation:.1%}",
            "mixture": ", ".join(f"{name} {share:.0%}" for name, share in mixture(stage).items()),
        }
        for stage in manifest.stages
    ]


def mixture(stage: Stage) -> dict[str, float]:
    """Return the share of the tokens by entry of the recipe's mixture; of a manifest that states none, by component."""
    if not stage.entries:
        return stage.mixture
    return {name: entry.num_tokens / max(stage.num_tokens, 1) for name, entry in sorted(stage.entries.items())}


def difficulty_rows(courses: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return one row a stage and domain: its traces in each difficulty band (course.py)."""
    bands = dict.fromkeys(row["band"] for course in courses for row in course["difficulty"])
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for course in courses:
        for row in course["difficulty"]:
            key = course["name"], row["domain"]
            counts = found.setdefault(key, {"stage": key[0], "domain": key[1], **dict.fromkeys(bands, 0)})
            counts[row["band"]] = row["traces"]
    return list(found.values())
