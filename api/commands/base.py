"""What a command is: one file, one decorated function from parsed arguments to a result."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

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


def both(*adders: Callable[[argparse.ArgumentParser], None]) -> Callable[[argparse.ArgumentParser], None]:
    """Return a function that adds the arguments of all adders."""

    def add(parser: argparse.ArgumentParser) -> None:
        for adder in adders:
            adder(parser)

    return add
