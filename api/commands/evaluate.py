"""`gradus eval`: a model's pass rate on held-out problems."""

from __future__ import annotations

import argparse

from gradus.api import steps
from gradus.api.commands.base import Result, both, command, recipe_arguments, worker_arguments
from gradus.api.commands.table import table
from gradus.api.runs import model_folder
from gradus.curricula.recipe import load_recipe
from gradus.engine.records import HELDOUT
from gradus.engine.workspace import Workspace


def _arguments(parser: argparse.ArgumentParser) -> None:
    both(recipe_arguments, worker_arguments)(parser)
    parser.add_argument("--model", default="default", help="a Hugging Face folder, a run's name, or `default`")
    parser.add_argument("--tag", default=HELDOUT, help=f"which problems (default: {HELDOUT})")


@command("eval", 9, _arguments)
def evaluate(args: argparse.Namespace) -> Result:
    """Measure a model's pass rate, by domain, on held-out problems."""
    workspace = Workspace.find(args.workspace)
    model = str(model_folder(workspace, args.model))
    found = steps.evaluate(
        workspace, load_recipe(args.recipe, args.overrides), model, tag=args.tag, workers=args.workers
    )
    return Result(found, f"{found['model']}\n{table(found['rates'])}")
