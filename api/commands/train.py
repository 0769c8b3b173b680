"""`gradus train sft|rl`: start the trainer on a manifest, or go on with what was begun."""

from __future__ import annotations

import argparse
import subprocess

from gradus.api.commands.base import Result, command
from gradus.api.runs import describe, plan_run
from gradus.curricula.find import find_manifest
from gradus.engine.workspace import Workspace
from gradus.errors import GradusError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("sft", "rl"), help="supervised, or GSPO")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="override the recipe, as optim.lr=1e-5")
    parser.add_argument("--manifest", default="latest", help="its id or the start of it (default: the newest)")
    parser.add_argument("--model", default="default", help="a Hugging Face folder, a run's name, or `default`")
    parser.add_argument("--recipe", help="one of ours by name (sft-demo, rl-demo), or a TOML file")
    parser.add_argument("--processes", type=int, default=1, help="processes on this host, one a GPU (default: 1)")


@command("train", 8, _arguments)
def train(args: argparse.Namespace) -> Result:
    """Train on a manifest: `sft`, or `rl` by GSPO. The same command resumes."""
    workspace = Workspace.find(args.workspace)
    manifest = find_manifest(workspace, args.manifest)
    run = plan_run(
        workspace,
        args.kind,
        manifest,
        model=args.model,
        recipe=args.recipe,
        overrides=tuple(args.overrides),
        processes=args.processes,
    )
    status = subprocess.run(run.command, check=False).returncode
    if status:
        raise GradusError(
            f"run {run.folder.name} ended with status {status}; the same command goes on from its checkpoint"
        )
    data = describe(run.folder)
    return Result(data, f"run {run.folder}\nmodel {run.folder / 'export'}")
