"""`gradus curriculum build|show|verify|diff`."""

from __future__ import annotations

import argparse
import dataclasses

from gradus.api import steps
from gradus.api.commands.base import Result, command, recipe_arguments
from gradus.api.commands.table import table
from gradus.curricula import manifest as m
from gradus.curricula.diff import diff
from gradus.curricula.find import find_manifest
from gradus.curricula.recipe import load_recipe
from gradus.curricula.report import stage_rows
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("build", "show", "verify", "diff"))
    parser.add_argument("--manifest", default="latest", help="its id or the start of it (default: the newest)")
    recipe_arguments(parser)


@command("curriculum", 7, _arguments)
def curriculum(args: argparse.Namespace) -> Result:
    """Build a manifest, show one, verify one against its hashes, or say what differs between two and why."""
    workspace = Workspace.find(args.workspace)
    if args.action == "build":
        path = steps.build(workspace, load_recipe(args.recipe, args.overrides))
        return _shown(m.read(path), f"wrote {path}\n")
    if args.action == "diff":
        return _compared(workspace, args.overrides)
    path = find_manifest(workspace, args.manifest)
    if args.action == "show":
        return _shown(m.read(path), "")
    manifest = m.verify(path)
    files = manifest.files()
    return Result({"manifest": manifest.id, "files": len(files)}, f"{path}: {len(files)} files, every hash is right")


def _compared(workspace: Workspace, names: list[str]) -> Result:
    if len(names) != 2:
        raise ConfigError("`curriculum diff` takes two manifests: ids, or the starts of ids")
    with open_snapshot(workspace) as store:
        found = diff(store, *(find_manifest(workspace, name) for name in names))
    return Result(found, "\n".join(found["text"]))


def _shown(manifest: m.Manifest, before: str) -> Result:
    text = f"{before}manifest {manifest.id[:12]} “{manifest.name}”, for {manifest.tokenizer.model_id}\n"
    text += table(stage_rows(manifest))
    if manifest.rl:
        out = ", ".join(f"{count} {reason}" for reason, count in manifest.rl.left_out.items())
        text += f"\nRL: {manifest.rl.problems.num_rows} problems with pass rate in {list(manifest.rl.band)}"
        text += f", minibatch {manifest.rl.quotas} x {manifest.rl.group_size} rollouts; left out: {out or 'none'}"
    return Result({"id": manifest.id} | dataclasses.asdict(manifest), text)
