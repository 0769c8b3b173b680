"""`gradus rollouts import`: what a policy answered in training becomes attempts, by policy version."""

from __future__ import annotations

import argparse
from pathlib import Path

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.api.progress import progress
from gradus.api.runs import find_run
from gradus.engine.rollouts import import_rollouts, rollout_files
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("import",), help="take the rollouts in, with their verdicts")
    parser.add_argument("name", metavar="RUN", help="a run's name, as `gradus train rl` printed it, or its folder")


@command("rollouts", 8, _arguments)
def rollouts(args: argparse.Namespace) -> Result:
    """Import a run's rollouts as attempts of its policy versions; again adds nothing."""
    workspace = Workspace.find(args.workspace)
    named = Path(args.name)
    run = named.resolve() if (named / "rollouts").is_dir() else find_run(workspace, args.name)
    files = rollout_files(run)
    with workspace.writing(), open_store(workspace) as store:
        with progress("rollouts", len(files)) as advance:
            counts = import_rollouts(files, store, workspace.parts, advance=advance)
        store.sync(workspace.parts)
        versions = store.named("policy_versions", {"run": run.name})
    dropped = "".join(f"\n  {num:>8} {reason}" for reason, num in counts["dropped"].items())
    text = f"{counts['in']} rollouts: {counts['kept']} kept{dropped}\n\n{table(versions)}"
    return Result({**counts, "run": run.name, "versions": versions}, text)
