"""`gradus sql`: ask the store."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gradus.api.commands.base import Result, command
from gradus.api.commands.table import table
from gradus.api.sql import saved
from gradus.api.sql.formats import FORMATS
from gradus.api.sql.query import Answer, Limits, ask, parameters_of
from gradus.engine.parts import atomic_file
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError
from gradus.log import logger

BINARY = ("arrow", "parquet")


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "query", nargs="?", help="one SELECT, or - for standard input; `(SHOW TABLES)` lists the tables"
    )
    parser.add_argument(
        "--param",
        action="append",
        default=[],
        metavar="name=value",
        help="bind $name; JSON, or else text; may be given again",
    )
    parser.add_argument("--format", choices=("table", *FORMATS), default="table", help="of the answer (default: table)")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write the answer there")
    named = parser.add_argument_group("saved queries")
    named.add_argument("--list", action="store_true", help="list the saved queries")
    named.add_argument("--saved", metavar="NAME", help="run a saved query")
    named.add_argument("--save", metavar="NAME", help="save the query; values given with --param become defaults")
    named.add_argument("--description", default="", help="what the query to save answers")
    named.add_argument("--forget", metavar="NAME", help="delete a saved query")
    limits = parser.add_argument_group("limits")
    limits.add_argument("--timeout-s", type=float, default=60.0, help="give up after (default: 60)")
    limits.add_argument("--max-rows", type=int, default=10_000, help="answer at most (default: 10000)")
    limits.add_argument("--max-mb", type=int, default=1024, help="an answer's size (default: 1024)")
    limits.add_argument("--memory-mb", type=int, default=1024, help="a query's memory (default: 1024)")


@command("sql", 10, _arguments)
def sql(args: argparse.Namespace) -> Result:
    """Ask one SELECT of the newest snapshot, read-only."""
    workspace = Workspace.find(args.workspace)
    if sum(map(bool, (args.list, args.saved, args.forget, args.query))) != 1 or (args.save and not args.query):
        raise ConfigError("one of a query, --saved NAME, --list and --forget NAME is needed; --save goes with a query")
    if args.list:
        queries = saved.list_queries(workspace)
        return Result([asdict(query) for query in queries], table([_in_short(query) for query in queries]))
    if args.forget:
        saved.delete(workspace, args.forget)
        return Result({"deleted": args.forget}, f"deleted {args.forget}")
    values = dict(_parameter(text) for text in args.param)
    if args.saved:
        query = saved.find_query(workspace, args.saved)
        return _ask(args, workspace, query.sql, saved.bind(query, values))
    text = sys.stdin.read() if args.query == "-" else args.query
    return _save(args, workspace, text, values) if args.save else _ask(args, workspace, text, values)


def _ask(args: argparse.Namespace, workspace: Workspace, sql: str, values: dict[str, Any]) -> Result:
    """Run the query, and put the answer where it was asked for."""
    shown = args.format == "table"
    if args.json and not shown and not args.output:
        raise ConfigError(f"--json and --format {args.format} both want standard output; -o FILE leaves it to --json")
    if args.output and shown:
        raise ConfigError(f"--output {args.output}: --format is needed: {', '.join(FORMATS)}")
    if args.format in BINARY and not args.output and sys.stdout.isatty():
        raise ConfigError(f"--format {args.format} is not for a terminal; -o FILE writes it")
    limits = Limits(
        timeout_s=_positive(args, "timeout_s"),
        max_rows=_positive(args, "max_rows"),
        max_bytes=_positive(args, "max_mb") << 20,
        memory_mb=_positive(args, "memory_mb"),
    )
    answer = ask(workspace, sql, values, format="json" if shown else args.format, limits=limits)
    summary = {"rows": answer.num_rows, "truncated": answer.cut}
    if answer.cut != "no":
        logger.warning("only the first %d rows: %s shows more", answer.num_rows, f"--max-{_limit(answer)}")
    if args.output:
        with atomic_file(args.output) as file:
            file.writelines(answer.chunks())
        return Result(summary | {"output": str(args.output)}, f"{answer.num_rows} rows in {args.output}")
    if shown:
        found = json.loads(b"".join(answer.chunks()))
        return Result(found, table(found["rows"]) if found["rows"] else "(no rows)")
    sys.stdout.flush()
    sys.stdout.buffer.writelines(answer.chunks())
    sys.stdout.buffer.flush()
    return Result(summary)


def _save(args: argparse.Namespace, workspace: Workspace, sql: str, values: dict[str, Any]) -> Result:
    parameters = saved.infer(values, parameters_of(workspace, sql))
    query = saved.SavedQuery(name=args.save, sql=sql, description=args.description, parameters=parameters)
    done = saved.save(workspace, query)
    return Result(asdict(done), f"saved; `gradus sql --saved {done.name}` runs it")


def _parameter(text: str) -> tuple[str, Any]:
    """Return name and value: what JSON can read is a number, a truth, null or a list; anything else is text."""
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"--param {text}: it is name=value, as domain=math or limit=10")
    try:
        return name.removeprefix("$"), json.loads(value)
    except ValueError:
        return name.removeprefix("$"), value


def _positive(args: argparse.Namespace, name: str) -> Any:
    value = getattr(args, name)
    if not 0 < value < 1 << 31:
        raise ConfigError(f"--{name.replace('_', '-')} {value}: it is greater than 0")
    return value


def _limit(answer: Answer) -> str:
    return "rows" if answer.cut == "rows" else "mb"


def _in_short(query: saved.SavedQuery) -> dict[str, str]:
    parameters = (one.name if one.required else f"{one.name}={json.dumps(one.default)}" for one in query.parameters)
    return {"name": query.name, "parameters": " ".join(parameters), "answers": query.description}
