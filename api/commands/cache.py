"""`gradus cache stats` and `prune`: what models have answered, and what that cost."""

from __future__ import annotations

import argparse
import re
from contextlib import closing

from gradus.api.asking import cache_folder
from gradus.api.commands.base import Result, age, command, recipe_arguments
from gradus.api.commands.table import table
from gradus.curricula.recipe import load_recipe
from gradus.engine.cache import FILE, ResponseCache
from gradus.engine.spending import FILE as LEDGER
from gradus.engine.spending import spending
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

BYTES = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("stats", "prune"), help="stats counts; prune drops answers")
    parser.add_argument("--older-than", type=age, metavar="AGE", help="prune what was made longer ago, as 30d or 12h")
    parser.add_argument("--max-size", type=_size, metavar="SIZE", help="prune the oldest until the rest fits, as 20GB")
    parser.add_argument("--model", help="prune only this model's answers; alone: all of them")
    recipe_arguments(parser)


@command("cache", 13, _arguments)
def cache(args: argparse.Namespace) -> Result:
    """Count the answers that models have given, and what was spent; or prune them."""
    workspace = Workspace.find(args.workspace)
    folder = cache_folder(workspace, load_recipe(args.recipe, args.overrides))
    limits = {"model": args.model, "older_than_s": args.older_than, "max_bytes": args.max_size}
    if args.action == "stats" and any(limit is not None for limit in limits.values()):
        raise ConfigError("--older-than, --max-size and --model belong to `gradus cache prune`")
    with closing(ResponseCache(folder)) as answers:
        if args.action == "prune":
            counts = answers.prune(**limits)
            dropped = ", ".join(f"{count} by {reason}" for reason, count in counts["dropped"].items())
            return Result(
                counts, f"{folder / FILE}: {counts['kept']} of {counts['in']} answers kept; dropped {dropped}"
            )
        found = answers.stats() | {"path": str(folder / FILE), "spent": spending(workspace.root / LEDGER)}
    text = f"{found['answers']} answers, {found['file_bytes'] / 1e6:,.1f} MB: {found['path']}"
    parts = [text, *(table(rows) for rows in (found["models"], found["spent"]) if rows)]
    return Result(found, "\n\n".join(parts))


def _size(text: str) -> int:
    """Return the bytes of `500MB`, `20G`."""
    found = re.fullmatch(r"([0-9.]+)([KMGT]?)B?", text.upper())
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not a size, as 20GB")
    return int(float(found[1]) * BYTES[found[2]])
