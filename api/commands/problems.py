"""`gradus problems import|generate|list`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from gradus.api import steps
from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.curricula.recipe import GenerateConfig, load_recipe
from gradus.engine.sources.base import generators, importers, read_problems
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("import", "generate", "list"))
    parser.add_argument("file", nargs="?", type=Path, help="import: a JSONL file")
    parser.add_argument("--format", choices=importers.names(), help="import: the file's layout")
    parser.add_argument("--tag", action="append", default=[], help="import: mark the problems, as with 'heldout'")
    parser.add_argument("--generator", choices=generators.names(), help="generate: which")
    parser.add_argument("--num", type=int, default=20, help="generate: how many (default: 20)")
    parser.add_argument("--heldout", type=int, default=0, help="generate: how many more to hold out for evaluation")
    parser.add_argument("--seed", type=int, default=0, help="generate: another seed, other problems")
    parser.add_argument("--recipe", help="generate: everything that a recipe asks for")
    parser.add_argument("--domain", help="list: only this domain")
    parser.add_argument("--limit", type=int, default=20, help="list: at most this many (default: 20)")


@command("problems", 2, _arguments)
def problems(args: argparse.Namespace) -> Result:
    """Import, generate or list problems."""
    return {"import": _import, "generate": _generate, "list": _list}[args.action](args)


def _import(args: argparse.Namespace) -> Result:
    if not args.file or not args.format:
        raise ConfigError("`problems import` needs --format and a file")
    found = read_problems(args.file, args.format, tags=tuple(args.tag))
    counts = steps.add_problems(Workspace.find(args.workspace), found, args.format)
    return Result(counts, f"{counts['kept']} problems added, {counts['known']} were there already")


def _generate(args: argparse.Namespace) -> Result:
    workspace = Workspace.find(args.workspace)
    if args.recipe:
        configs = load_recipe(args.recipe).problems
    elif args.generator and args.num > 0:
        configs = (GenerateConfig(generator=args.generator, num=args.num, num_heldout=args.heldout, seed=args.seed),)
    else:
        raise ConfigError("`problems generate` needs --recipe, or --generator and --num above 0")
    counts = {c.generator: steps.add_problems(workspace, steps.generated(c), c.generator) for c in configs}
    lines = [f"{name}: {c['kept']} problems added, {c['known']} were there already" for name, c in counts.items()]
    return Result(counts, "\n".join(lines))


def _list(args: argparse.Namespace) -> Result:
    query = "SELECT * FROM problems WHERE $domain IS NULL OR domain = $domain ORDER BY id LIMIT $limit"
    with open_snapshot(Workspace.find(args.workspace)) as store:
        rows = store.rows(query, {"domain": args.domain, "limit": args.limit})
    short = [
        {"id": row["id"][:8], "domain": row["domain"], "tags": " ".join(row["tags"]), "prompt": row["prompt"]}
        for row in rows
    ]
    return Result([row | {"spec": json.loads(row["spec"])} for row in rows], table(short))
