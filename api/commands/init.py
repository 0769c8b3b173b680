"""`gradus init`."""

from __future__ import annotations

import argparse

from gradus.api.commands.base import Result, command
from gradus.engine.workspace import Workspace


@command("init", 1)
def init(args: argparse.Namespace) -> Result:
    """Make a workspace."""
    workspace = Workspace.create(args.workspace)
    return Result({"workspace": str(workspace.root)}, f"workspace {workspace.root} is ready")
