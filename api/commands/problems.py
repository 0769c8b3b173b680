"""`gradus problems import|generate|list`."""

from __future__ import annotations

import argparse
import json

from gradus.api import importing, steps
from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.config import load
from gradus.curricula.recipe import GenerateConfig, load_recipe
from gradus.engine.exchange.layouts.base import Told
from gradus.engine.exchange.rows import open_rows
from gradus.engine.sources.base import generators
from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("import", "generate", "list"))
    parser.add_argument("file", nargs="?", help="import: a JSONL or Parquet file, a folder, or owner/name of the Hub")
    parser.add_argument("--format", choices=importing.formats(), help="import: the layout of the rows")
    parser.add_argument("--config", help="import: of a data set with several configurations, which")
    parser.add_argument("--split", help="import: only this split, as 'math' (default: all)")
    parser.add_argument("--licence", default="", help="import: the licence of rows that do not say theirs")
    parser.add_argument("--tag", action="append", default=[], help="import: mark the problems, as with 'heldout'")
    parser.add_argument("--generator", choices=generators.names(), help="generate: which")
    parser.add_argument("--num", type=int, default=20, help="generate: how many (default: 20)")
    parser.add_argument("--heldout", type=int, default=0, help="generate: how many more to hold out for evaluation")
    parser.add_argument("--seed", type=int, default=0, help="generate: another seed, other problems")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="key=value",
        help="generate: the generator's own, as counts=[3]",
    )
    parser.add_argument("--recipe", help="generate: everything that a recipe asks for")
    parser.add_argument("--domain", help="list: only this domain; import: that of rows that do not say it")
    parser.add_argument("--limit", type=int, default=20, help="list: at most this many (default: 20)")


@command("problems", 2, _arguments)
def problems(args: argparse.Namespace) -> Result:
    """Import, generate or list problems."""
    return {"import": _import, "generate": _generate, "list": _list}[args.action](args)


def _import(args: argparse.Namespace) -> Result:
    if not args.file or not args.format:
        raise ConfigError("`problems import` needs --format and a file")
    rows = open_rows(args.file, config=args.config, split=args.split)
    told = Told(source=rows.source, licence=args.licence, domain=args.domain or "", tags=tuple(args.tag))
    counts = importing.import_rows(Workspace.find(args.workspace), rows, args.format, told)
    return Result(counts, importing.summary(counts))


def _generate(args: argparse.Namespace) -> Result:
    workspace = Workspace.find(args.workspace)
    if args.recipe:
        configs = load_recipe(args.recipe).problems
    elif args.generator and args.num > 0:
        told = {"generator": args.generator, "num": args.num, "num_heldout": args.heldout, "seed": args.seed}
        said = [*(f"{name}={value}" for name, value in told.items()), *(f"options.{text}" for text in args.option)]
        configs = (load(GenerateConfig, None, said),)
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
