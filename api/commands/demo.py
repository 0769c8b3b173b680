"""`gradus demo`."""

from __future__ import annotations

import argparse
import time

from gradus.api.commands.base import Result, command, worker_arguments
from gradus.api.commands.table import table
from gradus.api.demo import FULL, REDUCED, Demo
from gradus.engine.workspace import Workspace


def _arguments(parser: argparse.ArgumentParser) -> None:
    worker_arguments(parser)
    parser.add_argument("--reduced", action="store_true", help="fewer problems and steps: the same job in 4 minutes")


@command("demo", 0, _arguments)
def demo(args: argparse.Namespace) -> Result:
    """Run the whole main job on the model that comes with Gradus; again: resume."""
    start = time.monotonic()
    size = REDUCED if args.reduced else FULL
    job = Demo(Workspace.create(args.workspace), size, args.workers)
    report = job.run()
    rows = [{"step": name, "seconds": round(seconds)} for name, seconds in job.seconds.items()]
    paths = {
        "workspace": job.workspace.root,
        "manifest": job.found["curriculum"]["path"],
        "checkpoint": job.found["train rl"]["export"],
        "report": report,
    }
    lines = [table(job.found["re-score"]["table"]), "", table(rows), ""]
    lines += [f"{name:<11} {path}" for name, path in paths.items()]
    lines += [f"\ndone in {time.monotonic() - start:.0f} s"]
    data = {
        "paths": {k: str(v) for k, v in paths.items()},
        "seconds": job.seconds,
        "rates": job.found["re-score"]["table"],
    }
    return Result(data, "\n".join(lines))
