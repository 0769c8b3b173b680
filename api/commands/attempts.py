"""`gradus sample`, `judge`, `score` and `correct`: from problems to measured difficulty and corrections."""

from __future__ import annotations

import argparse

from gradus.api import steps
from gradus.api.commands.base import Result, both, command, recipe_arguments, worker_arguments
from gradus.api.commands.table import histogram, table
from gradus.curricula.recipe import load_recipe
from gradus.engine.workspace import Workspace


@command("sample", 3, recipe_arguments)
def sample(args: argparse.Namespace) -> Result:
    """Attempt every problem with the recipe's teacher."""
    recipe = load_recipe(args.recipe, args.overrides)
    counts = steps.sample(Workspace.find(args.workspace), recipe)
    text = "{made} attempts made, {skipped} were there already; {problems} problems, model {model}"
    return Result(counts, text.format(**counts))


@command("judge", 4, worker_arguments)
def judge(args: argparse.Namespace) -> Result:
    """Give every attempt its verdict: pass, fail, unparseable or verifier_error."""
    counts = steps.judge(Workspace.find(args.workspace), workers=args.workers)
    outcomes = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts["outcomes"].items()))
    return Result(counts, f"{counts['judged']} judged ({outcomes}), {counts['skipped']} were judged already")


@command("score", 5)
def score(args: argparse.Namespace) -> Result:
    """Compute difficulty: unbiased pass@k with Wilson intervals, per problem and model."""
    found = steps.score(Workspace.find(args.workspace))
    return Result(found, histogram(found["histogram"]) + "\n\n" + table(found["pass_rates"]))


@command("correct", 6, both(recipe_arguments, worker_arguments))
def correct(args: argparse.Namespace) -> Result:
    """Ask the teacher to correct failed attempts, verify, and keep what passes."""
    recipe = load_recipe(args.recipe, args.overrides)
    counts = steps.correct(Workspace.find(args.workspace), recipe, workers=args.workers)
    text = (
        "{failures} failures: {made} corrections asked for, {skipped} were there already; {kept} of {corrections} pass"
    )
    return Result(counts, text.format(**counts))
