"""`gradus sample`, `judge`, `score` and `correct`: from problems to measured difficulty and corrections."""

from __future__ import annotations

import argparse
from typing import get_args

from gradus.api import rescoring, steps
from gradus.api.asking import told
from gradus.api.commands.base import (
    Result,
    both,
    command,
    executor,
    executor_arguments,
    recipe_arguments,
    worker_arguments,
)
from gradus.api.commands.table import histogram, table
from gradus.api.model_judging import judge_by_model
from gradus.config import load
from gradus.curricula.recipe import load_recipe
from gradus.engine.model_judge import UNSETTLED
from gradus.engine.teachers.base import TeacherConfig
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError
from gradus.verifiers.base import Outcome


def _rescore_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--rescore",
        type=int,
        metavar="N",
        help="only problems that may or may not lie in the RL band: until each has N attempts of the student",
    )


@command("sample", 3, both(recipe_arguments, worker_arguments, executor_arguments, _rescore_argument))
def sample(args: argparse.Namespace) -> Result:
    """Attempt every problem with the recipe's teacher; judge on the way where the recipe counts passes."""
    recipe = load_recipe(args.recipe, args.overrides)
    workspace, spread = Workspace.find(args.workspace), executor(args)
    if args.rescore is not None:
        if spread:
            raise ConfigError("--rescore asks about few problems: leave out --executor")
        counts = rescoring.rescore(workspace, recipe, args.rescore, workers=args.workers)
    elif spread:
        from gradus.api import pipelines  # datatrove takes a second

        counts = pipelines.sample(workspace, recipe, spread)
    else:
        counts = steps.sample(workspace, recipe, workers=args.workers)
    text = "{made} attempts made, {skipped} were there already; {problems} problems, model {model}"
    return Result(counts, text.format(**counts) + told(counts))


def _judge_arguments(parser: argparse.ArgumentParser) -> None:
    worker_arguments(parser)
    executor_arguments(parser)
    parser.add_argument(
        "--model-judge",
        nargs="+",
        metavar="key=value",
        help="then ask this teacher (as kind=vllm model=DIR) about what rules left unsettled; kept apart from verdicts",
    )
    parser.add_argument(
        "--model-judge-on",
        action="append",
        choices=UNSETTLED,
        help="about attempts of this outcome; may be given again (default: unparseable)",
    )


@command("judge", 4, _judge_arguments)
def judge(args: argparse.Namespace) -> Result:
    """Give every attempt its verdict: pass, fail, unparseable or verifier_error."""
    if args.model_judge_on and not args.model_judge:
        raise ConfigError("--model-judge-on needs --model-judge")
    asked = load(TeacherConfig, None, args.model_judge) if args.model_judge else None
    workspace, spread = Workspace.find(args.workspace), executor(args)
    if spread:
        from gradus.api import pipelines

        counts = pipelines.judge(workspace, spread)
    else:
        counts = steps.judge(workspace, workers=args.workers)
    text = f"{counts['judged']} judged ({_told(counts['outcomes'])}), {counts['skipped']} were judged already"
    if asked:
        said = judge_by_model(workspace, asked, args.model_judge_on or UNSETTLED[:1])
        counts["model_judge"] = said
        text += f"\n{said['judged']} judged by {said['judge']} ({_told(said['outcomes'])}), kept apart in model_judged"
    return Result(counts, text)


def _told(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))


@command("score", 5)
def score(args: argparse.Namespace) -> Result:
    """Compute difficulty: unbiased pass@k with Wilson intervals, per problem and model."""
    found = steps.score(Workspace.find(args.workspace))
    return Result(found, histogram(found["histogram"]) + "\n\n" + table(found["pass_rates"]))


@command("correct", 6, both(recipe_arguments, worker_arguments, executor_arguments))
def correct(args: argparse.Namespace) -> Result:
    """Ask the teacher to correct failed attempts, verify, and keep what passes."""
    recipe = load_recipe(args.recipe, args.overrides)
    workspace, spread = Workspace.find(args.workspace), executor(args)
    if spread:
        from gradus.api import pipelines

        counts = pipelines.correct(workspace, recipe, spread, workers=args.workers)
    else:
        counts = steps.correct(workspace, recipe, workers=args.workers)
    asked = "{failures} failures: {made} corrections asked for, {skipped} were there already"
    text = asked + "; {passed} of {corrections} pass"
    faults = {reason: n for reason, n in counts["dropped"].items() if reason not in get_args(Outcome)}
    dropped = "".join(f"\n{n} of them not kept: {reason}" for reason, n in faults.items())
    return Result(counts, text.format(**counts) + dropped + told(counts) + "\n\n" + table(counts["by_kind"]))
