"""The command line: `gradus <command> …`; each command lives in a file of `commands`."""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb

from gradus import __version__, log
from gradus.api.commands.base import Result, commands
from gradus.errors import GradusError

DESCRIPTION = "Verified, difficulty-staged data for reasoning models, and the trainer that learns from it."


class Intermixed(argparse.ArgumentParser):
    """A command's parser: words may stand before, between and after options, which argparse does not do by itself."""

    _inside = False

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        # In Python 3.11 the intermixed form calls this method for each of its two passes.
        if self._inside:
            return super().parse_known_args(args, namespace)
        self._inside = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self._inside = False


def parser() -> argparse.ArgumentParser:
    """Return the whole parser, commands in the order of the main job."""
    top = argparse.ArgumentParser(prog="gradus", description=DESCRIPTION)
    top.add_argument("--version", action="version", version=f"gradus {__version__}")
    sub = top.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=Intermixed)
    for name in sorted(commands.names(), key=lambda n: commands[n].place):
        command = commands[name]
        one = sub.add_parser(name, help=command.summary, description=command.summary)
        command.arguments(one)
        one.add_argument("--workspace", type=Path, default=Path("workspace"), help="its folder (default: ./workspace)")
        one.add_argument("--json", action="store_true", help="print one JSON object for machines")
        one.add_argument("--verbose", action="store_true", help="show the libraries' own messages, and tracebacks")
        one.set_defaults(run=command.run)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status. Errors a user can cause are one line on standard error."""
    args = parser().parse_args(argv)
    log.configure(verbose=args.verbose)
    try:
        result: Result = args.run(args)
    except (GradusError, OSError, duckdb.Error) as error:
        if args.verbose:
            traceback.print_exc()
        print(f"gradus {args.command}: {' '.join(str(error).splitlines())}", file=sys.stderr)
        return error.exit_code if isinstance(error, GradusError) else 4
    except KeyboardInterrupt:
        print(f"gradus {args.command}: interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    if args.json:
        print(json.dumps(result.data, default=str))
    elif result.text:
        print(result.text)
    return result.exit_code


if __name__ == "__main__":
    raise SystemExit(main())
