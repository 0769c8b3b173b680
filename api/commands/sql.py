"""`gradus sql`: ask the store."""

from __future__ import annotations

import argparse

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.api.sqlguard import SQLLimits, query
from gradus.engine.workspace import Workspace


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", help="one SELECT; tables: problems, attempts, verdicts, difficulty, traces, drops")
    parser.add_argument("--timeout-s", type=float, default=60.0, help="give up after (default: 60)")
    parser.add_argument("--max-rows", type=int, default=10_000, help="print at most (default: 10000)")


@command("sql", 10, _arguments)
def sql(args: argparse.Namespace) -> Result:
    """Ask one SELECT of the newest snapshot, read-only."""
    limits = SQLLimits(timeout_s=args.timeout_s, max_rows=args.max_rows)
    answer = query(Workspace.find(args.workspace), args.query, limits=limits)
    more = f"\n(only the first {args.max_rows} rows; --max-rows shows more)" if answer.truncated else ""
    return Result(answer.rows, table(answer.rows) + more)
