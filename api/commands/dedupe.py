"""`gradus dedupe`: leave out what is there already."""

from __future__ import annotations

import argparse

from gradus.api import cleaning
from gradus.api.commands.base import Result, command, executor, executor_arguments
from gradus.engine.clean.dedupe import DedupeConfig
from gradus.engine.clean.semantic import SemanticConfig
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--what", choices=sorted(cleaning.READERS), default="problems", help="(default: problems)")
    parser.add_argument("--near", action="store_true", help="near-duplicates too: same numbers, nearly the same words")
    parser.add_argument("--semantic", action="store_true", help="and the same problem retold: same numbers and answer")
    default = DedupeConfig().threshold
    parser.add_argument(
        "--threshold", type=float, default=default, help=f"--near: Jaccard similarity from which (default: {default})"
    )
    parser.add_argument("--undo", action="store_true", help="restore what the last run dropped")
    executor_arguments(parser)


@command("dedupe", 6, _arguments)
def dedupe(args: argparse.Namespace) -> Result:
    """Leave out problems or traces that are there already; numbers always tell them apart."""
    if not 0 < args.threshold <= 1:
        raise ConfigError(f"--threshold must be above 0 and at most 1, not {args.threshold}")
    workspace = Workspace.find(args.workspace)
    if args.undo:
        num = cleaning.undo(workspace, f"dedupe {args.what}")
        return Result({"restored": num}, f"{num} {args.what} restored")
    config = DedupeConfig(near=args.near or args.semantic, threshold=args.threshold)
    semantic, spread = SemanticConfig() if args.semantic else None, executor(args)
    if spread:
        from gradus.api import pipelines  # datatrove takes a second

        counts = pipelines.dedupe(workspace, args.what, config, semantic, spread)
    else:
        counts = cleaning.dedupe(workspace, args.what, config, semantic)
    return Result(counts, cleaning.summary(counts, args.what))
