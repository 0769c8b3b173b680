"""`gradus runs list|show|watch|cancel|resume`."""

from __future__ import annotations

import argparse
import getpass
import json
import time
from pathlib import Path
from typing import Any

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

EVERY_S = 0.5


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("list", "show", "watch", "cancel", "resume"))
    parser.add_argument("name", nargs="?", help="of a run; `list` takes none")


@command("runs", 8, _arguments)
def runs(args: argparse.Namespace) -> Result:
    """List training runs, follow one, cancel one, or go on with one."""
    from gradus.api import runs as running

    workspace = Workspace.find(args.workspace)
    if (args.action == "list") != (args.name is None):
        raise ConfigError(f"`runs {args.action}` takes {'no name' if args.name else 'the name of a run'}")
    if args.action == "list":
        found = running.list_runs(workspace)
        return Result(found, table([_in_short(run) for run in found]))
    if args.action == "cancel":
        return _shown(running.cancel(workspace, args.name, actor=getpass.getuser()))
    if args.action == "resume":
        return _shown(running.resume(workspace, args.name))
    folder = running.find_run(workspace, args.name)
    if args.action == "watch":
        _watch(folder, quiet=args.json)
    return _shown(running.describe(folder))


def _watch(folder: Path, *, quiet: bool) -> None:
    """Print what is measured, until the run is over."""
    from gradus.api.watching import Watch

    watch, step = Watch(folder), 0
    while True:
        over = watch.over
        for event in watch.read(step):
            step = event.id
            if not quiet:
                print(_line(event.event, event.data), flush=True)
        if over:
            return
        time.sleep(EVERY_S)


def _line(event: str, data: dict[str, Any]) -> str:
    if event == "metrics":
        return _numbers(data)
    return f"{event}: {', '.join(str(value) for value in data.values())}"


def _shown(run: dict[str, Any]) -> Result:
    head = f"{run['name']}: {run['state']}" + (f": {run['error']}" if run["error"] else "")
    lines = [head, f"step {run.get('step', 0)} of {run.get('steps', '?')}", run["folder"]]
    if run["metrics"]:
        lines.append(_numbers(run["metrics"]))
    if run["launch"]:
        lines.append(f"started as {json.dumps(run['launch'])}")
    return Result(run, "\n".join(lines))


def _in_short(run: dict[str, Any]) -> dict[str, Any]:
    metrics = run["metrics"] or {}
    short = {"run": run["name"], "state": run["state"], "step": f"{run.get('step', 0)}/{run.get('steps', '?')}"}
    return short | {"loss": metrics.get("loss"), "reward": metrics.get("reward"), "error": run["error"]}


def _numbers(metrics: dict[str, Any]) -> str:
    """Return what was measured in a line; nothing nested."""
    shown = ((name, value) for name, value in metrics.items() if not isinstance(value, dict))
    return "  ".join(f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}" for name, value in shown)
