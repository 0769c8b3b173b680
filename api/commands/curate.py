"""`gradus curate exclude|restore|weight|label`: say something of problems and traces."""

from __future__ import annotations

import argparse
import getpass
from dataclasses import fields

from gradus.api.commands.base import Result, command
from gradus.engine.labels import ACTIONS, AS_IT_WAS, Filter, Said, curate, matching
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=ACTIONS)
    parser.add_argument("ids", nargs="*", metavar="ID", help="problems or traces, by id or the start of it")
    parser.add_argument("--reason", required=True, help="why; it stands beside what was changed")
    parser.add_argument("--value", default="", help="label: its name; weight: a number; restore: a label to take away")
    parser.add_argument("--actor", help="who says it (default: you)")
    group = parser.add_argument_group("instead of ids: all that meet these conditions")
    group.add_argument("--kind", choices=("problem", "trace"), default="problem", help="(default: problem)")
    for name in ("domain", "source", "tag", "text", "teacher", "label", "model"):
        group.add_argument(f"--{name}")
    group.add_argument("--trace-kind", choices=("cot", "correction", "imported"))
    group.add_argument("--min-rate", type=float, help="pass@1 of a model, from 0 to 1")
    group.add_argument("--max-rate", type=float)


@command("curate", 7, _arguments)
def curate_records(args: argparse.Namespace) -> Result:
    """Exclude, restore, weigh or label problems and traces; the next curriculum follows."""
    workspace = Workspace.find(args.workspace)
    said = Said(action=args.action, value=args.value, actor=args.actor or getpass.getuser(), reason=args.reason)
    given = {field.name: getattr(args, field.name) for field in fields(Filter)}
    filtered = any(value is not None for value in given.values())
    if bool(args.ids) == filtered:
        raise ConfigError(
            "one of ids and conditions is needed, as --domain or --max-rate: of which records is it said?"
        )
    ids = matching(workspace, args.kind, Filter(**given)) if filtered else args.ids
    counts = curate(workspace, ids, said)
    lines = [f"{counts['kept']} of {counts['in']} records changed"]
    lines += [f"  {num:>8} {AS_IT_WAS}" for num in counts["dropped"].values()]
    if not counts["visible"]:
        lines.append("another process writes the workspace; queries show this when it publishes")
    return Result(counts, "\n".join(lines))
