"""`gradus sweep [MANIFEST …] [key=value …] --lr 1e-5,2e-5`."""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.api.pictures import picture_format
from gradus.curricula.find import find_manifest
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

if TYPE_CHECKING:
    from gradus.api.sweep_plan import SweepConfig


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "words",
        nargs="*",
        metavar="MANIFEST|key=value",
        help="manifests, each a mixture to try (default: the newest); overrides of the recipe for all trials",
    )
    parser.add_argument("--model", default="default", help="a Hugging Face folder, a run's name, or `default`")
    parser.add_argument("--recipe", help="one of ours by name (sft-demo), or a TOML file")
    parser.add_argument("--lr", metavar="A,B,…", help="learning rates to try: short for --set optim.lr=A,B,…")
    parser.add_argument(
        "--set", action="append", default=[], metavar="key=A,B,…", help="values to try of a setting; may be given again"
    )
    parser.add_argument("--tokens", type=int, metavar="N", help="of each trial (default: as many as the recipe takes)")
    parser.add_argument(
        "--halving", type=int, default=2, metavar="N", help="1 in N goes on, N times as far; 1: none ends early (2)"
    )
    parser.add_argument(
        "--heldout", metavar="MANIFEST", help="of traces that no trial holds, whose loss decides: id or file"
    )
    parser.add_argument("--at-once", type=int, default=1, metavar="N", help="trials side by side, each on its own GPUs")
    parser.add_argument("--processes", type=int, default=1, help="processes of a trial, one a GPU (default: 1)")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw it as FILE.png or FILE.svg, too")


@command("sweep", 8, _arguments)
def sweep(args: argparse.Namespace) -> Result:
    """Try settings side by side on the model that will be trained, and write the best as a recipe."""
    from gradus.api.sweep import sweep as run_sweep
    from gradus.api.sweep_plot import write_plot
    from gradus.api.sweep_report import BEST, as_data, best_recipe, train_command
    from gradus.engine.parts import atomic_file

    workspace = Workspace.find(args.workspace)
    plots = [args.plot] if args.plot else []
    for path in plots:
        picture_format(path)
    asked = _asked(workspace, args)
    found = run_sweep(workspace, asked, num_processes=args.processes, at_once=args.at_once)
    data, recipe = as_data(asked, found), found.folder / BEST
    for path in (found.folder / "plot.svg", *plots):
        write_plot(found, path, by_heldout=asked.heldout is not None)
    for path, text in ((recipe, best_recipe(asked, found)), (found.folder / "sweep.json", json.dumps(data, indent=2))):
        with atomic_file(path) as file:
            file.write(text.encode())
    lines = [table(data["trials"]), *data["notes"], f"{found.folder / 'plot.svg'}"]
    return Result(data | {"recipe": str(recipe)}, "\n".join([*lines, train_command(asked, found)]))


def _asked(workspace: Workspace, args: argparse.Namespace) -> SweepConfig:
    from gradus.api.runs import model_folder
    from gradus.api.sweep_plan import SweepConfig

    overrides = tuple(word for word in args.words if "=" in word)
    names = [word for word in args.words if "=" not in word] or ["latest"]
    axes = ([f"optim.lr={args.lr}"] if args.lr else []) + args.set
    return SweepConfig(
        manifests=tuple(_manifest(workspace, name) for name in names),
        model=model_folder(workspace, args.model).resolve(),
        recipe=args.recipe,
        overrides=overrides,
        axes=dict(read_axis(text) for text in axes),
        tokens=args.tokens,
        halving=args.halving,
        heldout=_manifest(workspace, args.heldout) if args.heldout else None,
    )


def _manifest(workspace: Workspace, name: str) -> Path:
    """Return a manifest's file by its id, or as it is named: it may be another workspace's."""
    return Path(name) if name.endswith(".json") else find_manifest(workspace, name)


def read_axis(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a setting and its values; a comma inside brackets does not part them."""
    key, equals, values = text.partition("=")
    if not equals or not key or not values:
        raise ConfigError(f"--set {text}: is not key=value,value")
    return key, tuple(re.split(r",(?![^\[]*\])", values))
