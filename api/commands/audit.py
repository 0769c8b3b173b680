"""`gradus audit`: who changed what through the server."""

from __future__ import annotations

import argparse
from collections import deque
from datetime import UTC, datetime, timedelta

from gradus.api.audit_log import AuditLog
from gradus.api.commands.base import Result, age, command
from gradus.api.commands.table import table
from gradus.engine.workspace import Workspace

COLUMNS = ("time", "actor", "method", "path", "status", "request_id")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", type=age, metavar="AGE", help="only what was done at most so long ago, as 12h or 7d")
    parser.add_argument("--actor", help="only what this token did")
    parser.add_argument("--path", default="", metavar="PREFIX", help="only paths that begin so, as /v1/labels")
    parser.add_argument("--limit", type=int, default=50, help="the newest so many (default: 50)")


@command("audit", 15, _arguments)
def audit(args: argparse.Namespace) -> Result:
    """Show the changes that were asked for through the server, newest last."""
    earliest = (datetime.now(UTC) - timedelta(seconds=args.since)).isoformat() if args.since is not None else ""
    fitting = (
        change
        for change in AuditLog(Workspace.find(args.workspace)).changes()
        if change["time"] >= earliest and args.actor in (None, change["actor"]) and change["path"].startswith(args.path)
    )
    rows = list(deque(fitting, maxlen=max(0, args.limit)))
    shown = [{name: change.get(name, "") for name in COLUMNS} for change in rows]
    for row in shown:
        if row["status"] is None:
            row["status"] = "cut off"
    return Result(rows, table(shown) if shown else "no changes")
