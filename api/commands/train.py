"""`gradus train sft|rl`: start the trainer on a manifest, or go on with what was begun."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError, GradusError, MachineError, StoppedError

if TYPE_CHECKING:
    from gradus.api.launch import Launch


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=("sft", "rl"), help="supervised, or GSPO")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="override the recipe, as optim.lr=1e-5")
    parser.add_argument("--manifest", default="latest", help="its id or the start of it (default: the newest)")
    parser.add_argument("--model", default="default", help="a Hugging Face folder, a run's name, or `default`")
    parser.add_argument("--recipe", help="one of ours by name (sft-demo, rl-demo), or a TOML file")
    parser.add_argument("--processes", type=int, default=1, help="processes on a machine, one a GPU (default: 1)")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="sft: show each stage's settings, or what would be refused; train nothing",
    )
    parser.add_argument("--background", action="store_true", help="return at once; `gradus runs watch` follows it")
    group = parser.add_argument_group("by Slurm, in the background")
    group.add_argument("--launcher", choices=("local", "slurm"), default="local", help="(default: local)")
    group.add_argument("--nodes", type=int, default=1, help="machines (default: 1)")
    group.add_argument(
        "--slurm", action="append", default=[], metavar="key=value", help="as partition=gpu; may be given again"
    )


@command("train", 8, _arguments)
def train(args: argparse.Namespace) -> Result:
    """Train on a manifest: `sft`, or `rl` by GSPO. The same command resumes."""
    from gradus.api import runs
    from gradus.api.launch import Launch
    from gradus.curricula.find import find_manifest

    workspace = Workspace.find(args.workspace)
    options = dict(_option(text) for text in args.slurm)
    launch = Launch(launcher=args.launcher, num_processes=args.processes, num_nodes=args.nodes, options=options)
    if args.dry_run:
        return _planned(workspace, args, launch)
    run = runs.plan_run(
        workspace,
        args.kind,
        find_manifest(workspace, args.manifest),
        model=args.model,
        recipe=args.recipe,
        overrides=tuple(args.overrides),
        launch=launch,
    )
    name = run.folder.name
    if args.background or args.launcher == "slurm":
        runs.start(run)
        return Result(runs.describe(run.folder), f"started {name}; `gradus runs watch {name}` follows it")
    if status := runs.start_in_foreground(run):
        raise _ended(run.folder, status)
    return Result(runs.describe(run.folder), f"run {run.folder}\nmodel {run.folder / 'export'}")


def _ended(folder: Path, status: int) -> GradusError:
    """Return what to say of a run that did not come to its end; what went wrong, the trainer has said."""
    from gradus.api.runs import run_state, was_saved

    name = folder.name
    if run_state(folder) == "cancelled":
        return StoppedError(f"run {name} was cancelled; the same command goes on")
    if was_saved(folder):
        return StoppedError(f"run {name} was stopped and saved; the same command goes on")
    kind = {kind.exit_code: kind for kind in GradusError.__subclasses__()}.get(status, GradusError)
    if kind in (ConfigError, DataError, MachineError):
        return kind(f"run {name} cannot go on before what the error above says is mended")
    begun = any((folder / "checkpoints").glob("st[eo]p-*"))
    what = "goes on from its checkpoint" if begun else "begins it again: no checkpoint was written yet"
    return kind(f"run {name} ended with status {status}; the same command {what}")


def _planned(workspace: Workspace, args: argparse.Namespace, launch: Launch) -> Result:
    """Show what an SFT run would do, or refuse what it would."""
    import torch

    from gradus.api.runs import model_folder, recipe_path
    from gradus.config import load
    from gradus.curricula.find import find_manifest
    from gradus.curricula.manifest import read
    from gradus.trainer.command import check_tokenizer
    from gradus.trainer.config import SFTConfig
    from gradus.trainer.platform import Platform
    from gradus.trainer.sft import check_stages
    from gradus.trainer.stages import plan_stages, told

    if args.kind != "sft":
        raise ConfigError("--dry-run goes with `train sft`: reinforcement has no stages")
    config = load(SFTConfig, recipe_path(args.recipe), args.overrides)
    manifest, model = read(find_manifest(workspace, args.manifest)), model_folder(workspace, args.model)
    plans = plan_stages(manifest, config)
    check_tokenizer(manifest, model)
    # Slurm's machines are taken to have GPUs, whatever this one has.
    device = torch.device("cuda" if torch.cuda.is_available() or launch.launcher == "slurm" else "cpu")
    check_stages(model, Platform(device, 0, launch.num_processes * launch.num_nodes), plans)
    rows = [told(plan) for plan in plans]
    shown = [row | {"lr": f"{row['lr']:g}"} for row in rows]  # a table has three digits
    return Result({"stages": rows, "steps": plans[-1].last_step}, table(shown))


def _option(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--slurm {text}: is not key=value")
    return name, value
