"""`gradus runs list|show|watch|blame|cancel|resume`."""

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
    parser.add_argument("action", choices=("list", "show", "watch", "blame", "cancel", "resume"))
    parser.add_argument("name", nargs="?", help="of a run; `list` takes none")
    parser.add_argument("step", nargs="?", type=int, help="for `blame`: what this step learnt from")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="with `show`: what it measured, as .png or .svg")


@command("runs", 8, _arguments)
def runs(args: argparse.Namespace) -> Result:
    """List training runs, follow one, cancel one, go on with one, or ask what a step of one learnt from."""
    from gradus.api import runs as running

    workspace = Workspace.find(args.workspace)
    if (args.action == "list") != (args.name is None):
        raise ConfigError(f"`runs {args.action}` takes {'no name' if args.name else 'the name of a run'}")
    if (args.action == "blame") != (args.step is not None):
        raise ConfigError(f"`runs {args.action}` takes {'no step' if args.step is not None else 'a run and a step'}")
    if args.plot and args.action != "show":
        raise ConfigError(f"`runs {args.action}` draws nothing; `runs show NAME --plot FILE` does")
    if args.action == "list":
        found = running.list_runs(workspace)
        return Result(found, table([_in_short(run) for run in found]))
    if args.action == "blame":
        return _blame(workspace, args.name, args.step)
    if args.action == "cancel":
        return _shown(running.cancel(workspace, args.name, actor=getpass.getuser()))
    if args.action == "resume":
        return _shown(running.resume(workspace, args.name))
    folder = running.find_run(workspace, args.name)
    if args.action == "watch":
        _watch(folder, quiet=args.json)
    if args.plot:
        from gradus.api.run_plot import write_run  # matplotlib takes a second

        write_run(running.read_metrics(folder), args.plot, title=folder.name)
    return _shown(running.describe(folder))


def _blame(workspace: Workspace, name: str, step: int) -> Result:
    from gradus.api.blame import blame

    found = blame(workspace, name, step)
    rows = found.get("traces") or found.get("rollouts") or []
    lines = [f"step {step} of {name}: {len(rows)} {'traces' if 'traces' in found else 'rollouts'}"]
    lines += [_numbers(found["metrics"]) if found["metrics"] else "it was not taken yet"]
    lines += [f"{event['kind']}: {event['reason']}" for event in found["events"]]
    return Result(found, "\n".join([*lines, "", table(rows)]))


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
    """Return what was measured in a line, as the trainer shows it."""
    from gradus.trainer.progress import line

    return line(metrics)
