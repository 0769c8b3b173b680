"""`gradus decontaminate`: leave out what gives away a benchmark."""

from __future__ import annotations

import argparse

from gradus.api import cleaning
from gradus.api.commands.base import Result, command, executor, executor_arguments
from gradus.engine.workspace import Workspace


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against",
        required=True,
        metavar="NAME|FILE",
        help="a JSONL or Parquet file, the name of one in the workspace's `benchmarks` folder, or `heldout`",
    )
    parser.add_argument("--undo", action="store_true", help="restore what the last run against it dropped")
    executor_arguments(parser)


@command("decontaminate", 6, _arguments)
def decontaminate(args: argparse.Namespace) -> Result:
    """Leave out problems and traces that give away a benchmark's problems."""
    workspace = Workspace.find(args.workspace)
    if args.undo:
        num = cleaning.undo(workspace, cleaning.decontaminate_step(args.against))
        return Result({"restored": num}, f"{num} records restored")
    spread = executor(args)
    if spread:
        from gradus.api import pipelines  # datatrove takes a second

        counts = pipelines.decontaminate(workspace, args.against, spread)
    else:
        counts = cleaning.decontaminate(workspace, args.against)
    return Result(counts, cleaning.summary(counts, "problems and traces"))
