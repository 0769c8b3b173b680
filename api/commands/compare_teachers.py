"""`gradus compare-teachers`: whose traces a student can learn from."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from gradus.api import fitting, probing
from gradus.api.commands.base import Result, both, command, recipe_arguments, worker_arguments
from gradus.api.commands.table import table
from gradus.api.pictures import picture_format
from gradus.api.runs import model_folder
from gradus.curricula.recipe import load_recipe
from gradus.engine.compatibility.scorers import SCORERS
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, DataError

SHOWN = ("rsr", "local_nll", "nll", "tokens", "steps", "style")


def _arguments(parser: argparse.ArgumentParser) -> None:
    both(recipe_arguments, worker_arguments)(parser)
    default = fitting.FitConfig()
    parser.add_argument("--student", help="a Hugging Face folder, a run's name, or `default` (default: the recipe's)")
    parser.add_argument(
        "--scorer", choices=sorted(SCORERS), default=default.scorer, help=f"(default: {default.scorer})"
    )
    parser.add_argument(
        "--limit", type=int, default=default.limit, help=f"problems a teacher and domain (default: {default.limit})"
    )
    parser.add_argument(
        "--window", type=int, default=default.window, help=f"steps that a step sees (default: {default.window})"
    )
    parser.add_argument(
        "--max-context", type=int, default=default.max_context, help=f"in tokens (default: {default.max_context})"
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FILE",
        help=".png or .svg (default: compare-teachers.png in the workspace)",
    )
    parser.add_argument("--probe", type=int, default=0, metavar="STEPS", help="train the student on each, and evaluate")
    parser.add_argument("--probe-recipe", help="training recipe of the probe, by name or a TOML file")


@command("compare-teachers", 6, _arguments)
def compare_teachers(args: argparse.Namespace) -> Result:
    """Compare how teachers' traces fit a student, by domain, with intervals and a verdict."""
    from gradus.api.fit_plot import write_plot  # matplotlib takes a second

    for name in ("limit", "window", "max_context"):
        if getattr(args, name) < 1:
            raise ConfigError(f"--{name.replace('_', '-')} must be at least 1, not {getattr(args, name)}")
    workspace, recipe = Workspace.find(args.workspace), load_recipe(args.recipe, args.overrides)
    path = args.plot or workspace.root / "compare-teachers.png"
    picture_format(path)
    student = model_folder(workspace, args.student or recipe.student)
    config = fitting.FitConfig(scorer=args.scorer, limit=args.limit, window=args.window, max_context=args.max_context)
    fitted = fitting.fit_traces(workspace, recipe, student, config)
    if not fitted.scored:
        raise DataError("no trace to compare: sample and judge with some teachers first, or import traces")
    found = []
    if args.probe:
        plan = probing.ProbeConfig(steps=args.probe, recipe=args.probe_recipe, workers=args.workers)
        found = probing.probe(workspace, recipe, student, fitted, plan)
    panels, verdicts = fitting.compare(fitted, probing.pass_rates(found))
    write_plot(panels, path)
    data = fitting.as_data(fitted, panels, verdicts) | {"probe": [one.row() for one in found], "plot": str(path)}
    return Result(data, _text(data))


def _text(data: dict[str, Any]) -> str:
    rows = [_short(row) for row in data["teachers"]]
    head = f"{data['in']} traces, {data['kept']} compared ({data['scored']} newly scored), student {data['student']}"
    lines = [head, *(f"  {num:>8} left out: {reason}" for reason, num in data["dropped"].items()), table(rows)]
    if data["probe"]:
        lines += ["", table(data["probe"])]
    for verdict in data["verdicts"]:
        lines += ["", f"{verdict['domain']}: {verdict['best'] or 'no verdict'}"]
        lines += [f"  - {reason}" for reason in verdict["reasons"]]
    return "\n".join([*lines, "", f"plot: {data['plot']}"])


def _short(row: dict[str, Any]) -> dict[str, Any]:
    name = f"({row['teacher']})" if row["own"] else row["teacher"]
    short = {"teacher": name, "domain": row["domain"], "traces": row["traces"], "problems": row["problems"]}
    return short | {metric: _interval(row, metric) for metric in SHOWN}


def _interval(row: dict[str, Any], metric: str) -> str:
    if row[metric] is None:
        return ""
    digits = 1 if metric in ("tokens", "steps") else 3
    low = row[f"{metric}_low"]
    reach = f" ± {row[metric] - low:.{digits}f}" if low is not None else ""
    return f"{row[metric]:.{digits}f}{reach}"
