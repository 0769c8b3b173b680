"""`gradus curriculum build|show|verify|diff|export|sign|schema`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from gradus.api import steps
from gradus.api.commands.base import Result, command, recipe_arguments
from gradus.api.commands.manifest_files import exported, schema, signed, verified
from gradus.api.commands.planned import plan_text
from gradus.api.commands.table import table
from gradus.curricula import manifest as m
from gradus.curricula.course import courses
from gradus.curricula.diff import diff
from gradus.curricula.find import find_manifest
from gradus.curricula.recipe import load_recipe
from gradus.curricula.report import difficulty_rows, stage_rows
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("build", "show", "verify", "diff", "export", "sign", "schema"))
    parser.add_argument("--dry-run", action="store_true", help="build: say what it would take and what is missing")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="show: draw it, as FILE.png or FILE.svg")
    parser.add_argument("--manifest", default="latest", help="its id or the start of it (default: the newest)")
    parser.add_argument("--to", type=Path, metavar="FOLDER", help="export: new, or an earlier export")
    parser.add_argument("--packed", action="store_true", help="export: a row is a packed sequence, not a trace")
    parser.add_argument("--key", type=Path, metavar="FILE", help="sign: an Ed25519 private key")
    parser.add_argument("--public-key", type=Path, metavar="FILE", help="verify: whose signature there must be")
    recipe_arguments(parser)


@command("curriculum", 7, _arguments)
def curriculum(args: argparse.Namespace) -> Result:
    """Build a manifest, show, prove, sign or export one, say what differs between two and why, or print the schema."""
    if args.action == "schema":
        return schema()
    workspace = Workspace.find(args.workspace)
    if args.dry_run and args.action != "build":
        raise ConfigError(f"--dry-run goes with `curriculum build`; `curriculum {args.action}` writes nothing anyway")
    if args.dry_run:
        return _planned(workspace, args)
    if args.action == "build":
        path = steps.build(workspace, load_recipe(args.recipe, args.overrides))
        return _shown(m.read(path), f"wrote {path}\n")
    if args.action == "diff":
        return _compared(workspace, args.overrides)
    path = find_manifest(workspace, args.manifest)
    if args.action == "show":
        return _drawn(path, args.plot)
    if args.action == "export":
        return exported(path, args.to, packed=args.packed)
    return signed(path, args.key) if args.action == "sign" else verified(path, args.public_key)


def _planned(workspace: Workspace, args: argparse.Namespace) -> Result:
    with open_snapshot(workspace) as store:
        found = steps.plan(store, load_recipe(args.recipe, args.overrides), named=args.recipe)
    return Result(found, plan_text(found))


def _compared(workspace: Workspace, names: list[str]) -> Result:
    if len(names) != 2:
        raise ConfigError("`curriculum diff` takes two manifests: ids, or the starts of ids")
    with open_snapshot(workspace) as store:
        found = diff(store, *(find_manifest(workspace, name) for name in names))
    return Result(found, "\n".join(found["text"]))


def _drawn(path: Path, plot: Path | None) -> Result:
    """Show a manifest with the difficulty of its stages; draw it if asked to."""
    manifest = m.read(path)
    found = courses(path, manifest)
    shown = _shown(manifest, "")
    text = f"{shown.text}\n\ntraces by difficulty for the student\n{table(difficulty_rows(found))}"
    if plot:
        from gradus.api.course_plot import write_course  # matplotlib takes a second

        write_course(path, manifest, plot)
        text += f"\nwrote {plot}"
    return Result(shown.data | {"courses": found}, text)


def _shown(manifest: m.Manifest, before: str) -> Result:
    text = f"{before}manifest {manifest.id[:12]} “{manifest.name}”, for {manifest.tokenizer.model_id}\n"
    text += table(stage_rows(manifest))
    if manifest.rl:
        out = ", ".join(f"{count} {reason}" for reason, count in manifest.rl.left_out.items())
        text += f"\nRL: {manifest.rl.problems.num_rows} problems with pass rate in {list(manifest.rl.band)}"
        text += f", minibatch {manifest.rl.quotas} x {manifest.rl.group_size} rollouts; left out: {out or 'none'}"
    return Result({"id": manifest.id} | dataclasses.asdict(manifest), text)
