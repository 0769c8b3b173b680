"""What a command is: one file, one decorated function from parsed arguments to a result."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gradus.config import load
from gradus.engine.pipeline.executors import ExecutorConfig
from gradus.errors import ConfigError
from gradus.registry import Registry


@dataclass(frozen=True, slots=True)
class Result:
    """What a command found: data for machines, text for people."""

    data: Any
    text: str = ""
    exit_code: int = 0


Run = Callable[[argparse.Namespace], Result]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, its help line, its arguments, and its place in the list."""

    run: Run
    summary: str
    arguments: Callable[[argparse.ArgumentParser], None]
    place: int


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
commands: Registry[Command] = Registry("gradus.api.commands", "command")


def command(
    name: str, place: int, arguments: Callable[[argparse.ArgumentParser], None] = lambda _: None
) -> Callable[[Run], Run]:
    """Register a function as a command; the first line of its docstring is its help."""

    def keep(run: Run) -> Run:
        summary = (run.__doc__ or "").splitlines()[0]
        commands.register(name)(Command(run, summary, arguments, place))
        return run

    return keep


def age(text: str) -> float:
    """Return the seconds of `90`, `12h`, `30d`."""
    found = re.fullmatch(r"([0-9.]+)([smhdw]?)", text)
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} is not an age, as 30d or 12h")
    return float(found[1]) * SECONDS[found[2] or "s"]


def recipe_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --recipe and `key=value` overrides."""
    parser.add_argument("--recipe", default="default", help="one of ours by name, or a TOML file (default: default)")
    parser.add_argument(
        "overrides", nargs="*", metavar="key=value", help="override the recipe, as sample.num_attempts=8"
    )


def worker_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --workers."""
    cores = len(os.sched_getaffinity(0))
    parser.add_argument("--workers", type=int, default=cores, help=f"processes that judge (default: {cores})")


def executor_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --executor and what goes with it."""
    group = parser.add_argument_group("spread the problems over ranks")
    group.add_argument("--executor", choices=("local", "ray", "slurm"), help="run ranks by datatrove's executor")
    group.add_argument("--tasks", type=int, metavar="N", help="ranks (local: as many as run at once)")
    group.add_argument(
        "--at-once", type=int, metavar="N", help="ranks that run at a time (default: local as many as cores, else all)"
    )
    group.add_argument(
        "--executor-option",
        action="append",
        default=[],
        metavar="key=value",
        help="for the executor, as partition=cpu, time=24:00:00, cpus_per_task=8; may be given again",
    )


def executor(args: argparse.Namespace) -> ExecutorConfig | None:
    """Return what the arguments say of an executor; None for none."""
    if args.executor is None:
        if args.tasks or args.at_once or args.executor_option:
            raise ConfigError("--tasks, --at-once and --executor-option need --executor")
        return None
    at_once = args.at_once or (len(os.sched_getaffinity(0)) if args.executor == "local" else -1)
    tasks = at_once if args.tasks is None else args.tasks
    if tasks < 0:
        raise ConfigError(f"--executor {args.executor} needs --tasks: into how many shares the problems are split")
    options = [f"options.{text}" for text in args.executor_option]
    numbers = [f"tasks={tasks}", f"workers={at_once}"]
    return load(ExecutorConfig, None, [f"kind={args.executor}", *numbers, *options])


def both(*adders: Callable[[argparse.ArgumentParser], None]) -> Callable[[argparse.ArgumentParser], None]:
    """Return a function that adds the arguments of all adders."""

    def add(parser: argparse.ArgumentParser) -> None:
        for adder in adders:
            adder(parser)

    return add
