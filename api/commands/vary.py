"""`gradus vary`: new problems from old."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import Any

from gradus.api import varying
from gradus.api.asking import told
from gradus.api.commands.base import Result, both, command, recipe_arguments, worker_arguments
from gradus.api.commands.table import table
from gradus.curricula.recipe import Recipe, load_recipe
from gradus.engine.varying.base import ways
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    both(recipe_arguments, worker_arguments)(parser)
    parser.add_argument("--way", action="append", choices=ways.names(), help="may be given again (default: all)")
    parser.add_argument("--num", type=int, help="new problems wanted (default: the recipe's vary.num)")
    parser.add_argument("--tag", help="vary only problems with this tag")
    parser.add_argument("--aligned", metavar="TAG", help="vary what the student fails among the problems with this tag")
    parser.add_argument("--dry-run", action="store_true", help="show what would be tried, and ask nothing")


@command("vary", 3, _arguments)
def vary(args: argparse.Namespace) -> Result:
    """Make new problems from old ones, and keep those whose answer independent solutions agree on."""
    workspace, recipe = Workspace.find(args.workspace), _chosen(args)
    if args.dry_run:
        plan = varying.show_plan(workspace, recipe)
        return Result(plan, _plan_text(plan))
    counts = varying.vary(workspace, recipe, workers=args.workers)
    return Result(counts, _text(counts))


def _chosen(args: argparse.Namespace) -> Recipe:
    """Return the recipe with the flags in place of what it says."""
    recipe = load_recipe(args.recipe, args.overrides)
    said = {
        "ways": args.way and tuple(dict.fromkeys(args.way)),
        "num": args.num,
        "tag": args.tag,
        "aligned": args.aligned,
    }
    try:
        config = replace(recipe.vary, **{name: value for name, value in said.items() if value is not None})
    except ValueError as error:
        raise ConfigError(f"vary: {error}") from None
    return replace(recipe, vary=config)


def _text(counts: dict[str, Any]) -> str:
    lines = [f"{counts['in']} variants: {counts['kept']} kept ({counts['added']} of them new)"]
    lines[0] += f", {sum(counts['dropped'].values())} dropped, {counts['open']} open"
    lines += [f"  {num:>8} {reason}" for reason, num in counts["dropped"].items()]
    lines += [f"{way}: {found['kept']} of {found['tried']} kept" for way, found in counts["ways"].items()]
    if counts["mean_share"] is not None:
        lines.append(f"of the solutions to those kept, {counts['mean_share']:.2f} agree")
    return "\n".join(lines + _refused(counts)) + told(counts) + _skills(counts)


def _plan_text(plan: dict[str, Any]) -> str:
    first = ", ".join(f"{num} by {way}" for way, num in plan["first_round"].items())
    lines = [
        f"{plan['wanted']} wanted, {plan['tries_at_most']} tries at most, {plan['problems']} problems to vary",
        f"first: {first}; {plan['solutions_each']} solutions each, {plan['agree']} must agree",
        f"teachers: {', '.join(plan['teachers'])}",
    ]
    return "\n".join(lines + _refused(plan)) + _skills(plan)


def _refused(counts: dict[str, Any]) -> list[str]:
    """Say what cannot be varied and why."""
    refused = counts["refused_problems"]
    return [f"not by {way}: {num} problems of {reason}" for way, why in refused.items() for reason, num in why.items()]


def _skills(counts: dict[str, Any]) -> str:
    return "\n\n" + table(counts["skills"]) if counts["skills"] else ""
