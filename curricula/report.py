"""A manifest in a table: what the command line and the demo's report show of its stages."""

from __future__ import annotations

from typing import Any

from gradus.curricula.manifest import Manifest


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
            "mixture": ", ".join(f"{name} {share:.0%}" for name, share in stage.mixture.items()),
        }
        for stage in manifest.stages
    ]
