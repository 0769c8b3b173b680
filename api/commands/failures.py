"""`gradus failures`: what a model gets wrong, by kind."""

from __future__ import annotations

import argparse
from typing import Any

from gradus.api.commands.base import Result, command, worker_arguments
from gradus.api.commands.table import table
from gradus.api.correcting import classify, clusters
from gradus.engine.records import DOMAINS
from gradus.engine.store import open_store
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError

SHOWN = 200
"""Characters of an example's answer."""


def _arguments(parser: argparse.ArgumentParser) -> None:
    worker_arguments(parser)
    parser.add_argument("--model", help="of this model alone, as `gradus score` names it (default: every model)")
    parser.add_argument("--domain", choices=DOMAINS, help="in this domain alone (default: all)")
    parser.add_argument("--examples", type=int, default=1, help="shown of each kind (default: 1)")


@command("failures", 6, _arguments)
def failures(args: argparse.Namespace) -> Result:
    """Show what models get wrong, by domain and kind of mistake, with examples."""
    if args.examples < 0:
        raise ConfigError(f"--examples must not be negative, not {args.examples}")
    workspace = Workspace.find(args.workspace)
    with workspace.writing(), open_store(workspace) as store:
        fresh = classify(store, workspace, workers=args.workers)
        found = clusters(store, model=args.model, domain=args.domain, num_examples=args.examples)
    rows = [{name: value for name, value in row.items() if name != "examples"} for row in found]
    shown = [_example(row, example) for row in found for example in row["examples"]]
    text = "\n\n".join([f"{fresh} failures classified, the others were already", table(rows), *shown])
    return Result({"classified": fresh, "clusters": found}, text)


def _example(row: dict[str, Any], example: dict[str, Any]) -> str:
    answer = example["answer"] if len(example["answer"]) <= SHOWN else example["answer"][: SHOWN - 1] + "…"
    said = "\n".join(f"    {line}" for line in [*example["prompt"].splitlines()[-1:], *answer.splitlines()])
    return f"{row['domain']}, {row['kind']}: {example['detail']}\n{said}"
