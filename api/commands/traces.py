"""`gradus traces`: from verified attempts to traces, and how these are built."""

from __future__ import annotations

import argparse
from typing import Any

from gradus.api.cleaning import summary
from gradus.api.commands.base import Result, both, command, recipe_arguments, worker_arguments
from gradus.api.commands.table import table
from gradus.api.shaping import shape_traces
from gradus.curricula.recipe import load_recipe
from gradus.engine.workspace import Workspace

QUANTILES = ("steps", "words")


@command("traces", 6, both(recipe_arguments, worker_arguments))
def traces(args: argparse.Namespace) -> Result:
    """Make traces of what passed, measure steps, lengths and equations, and drop those beyond the recipe's limits."""
    workspace, recipe = Workspace.find(args.workspace), load_recipe(args.recipe, args.overrides)
    counts = shape_traces(workspace, recipe.traces, workers=args.workers)
    made = f"{counts['new']} traces made, {counts['measured']} measured, the others were already"
    return Result(
        counts, "\n".join([made, summary(counts, "traces"), "", table([_short(r) for r in counts["shapes"]])])
    )


def _short(row: dict[str, Any]) -> dict[str, Any]:
    """Put the quantiles of a row together, and shares in percent."""
    short = {name: row[name] for name in ("domain", "kind", "style", "teacher", "traces", "kept")}
    for what in QUANTILES:
        short[f"{what} 10/50/90%"] = "/".join(f"{row[f'{what}_{at}']:g}" for at in (10, 50, 90))
    short |= {"tokens": _number(row["tokens_50"]), "numbered": _percent(row["numbered"])}
    short |= {"checked": _percent(row["checked"]), "thoughts": _percent(row["reasoning_share"])}
    return short | {"equations": row["equations"], "hold": _percent(row["share_holding"])}


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.1%}"
