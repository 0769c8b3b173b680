"""Users' SQL: one SELECT, on a read-only snapshot, without the outside world, within limits.

Three layers. The parsed statement is walked against an allow-list, because a statement's type is not
enough: `WITH x AS (COPY …) SELECT 1` calls itself a SELECT and writes. The connection is read-only, with
external access off and its configuration locked. And the query runs in a process of its own, without our
environment, that is killed when its time is over. Not covered: DuckDB promises no privilege separation.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from gradus.engine.workspace import Workspace
from gradus.errors import DataError, WorkspaceError

WORKER = Path(__file__).with_name("sqlworker.py")
START_S = 0.3
"""What the worker takes to start."""
QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"}
FROM_NODES = {
    "BASE_TABLE",
    "SUBQUERY",
    "JOIN",
    "EXPRESSION_LIST",
    "TABLE_FUNCTION",
    "EMPTY",
    "COLUMN_DATA",
    "CTE",
    "PIVOT",
}
OUR_TABLES = (
    "problems",
    "attempts",
    "verdicts",
    "traces",
    "drops",
    "dropped",
    "origins",
    "priors",
    "fits",
    "difficulty",
    "seeded_difficulty",
    "judged",
    "model_judged",
    "pass_rates",
    "funnel",
)
CATALOG_PREFIXES = ("pg_", "duckdb_", "pragma_", "sqlite_")
TABLE_FUNCTIONS = {"range", "generate_series", "unnest"}
FORBIDDEN_FUNCTIONS = {"getenv", "query", "query_table", "current_setting"}
SETTINGS = {
    "enable_external_access": False,
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SQLLimits:
    """What one query may use."""

    timeout_s: float = 10.0
    max_rows: int = 10_000
    memory_mb: int = 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """A query's columns and rows; truncated when there were more than the limit."""

    columns: list[str]
    rows: list[dict[str, Any]]
    truncated: bool


def query(workspace: Workspace, sql: str, parameters: dict[str, Any] | None = None, *, limits: SQLLimits) -> Answer:
    """Run one query; DataError says what is wrong with it."""
    snapshot = workspace.snapshots / "current.duckdb"
    if not snapshot.exists():
        raise WorkspaceError(f"{workspace.root}: nothing in it yet; `gradus problems generate` starts it")
    check(sql)
    settings = SETTINGS | {"memory_limit": f"{limits.memory_mb}MB", "max_temp_directory_size": "1GB"}
    request = {
        "snapshot": str(snapshot.resolve()),
        "sql": sql,
        "parameters": parameters or {},
        "limits": asdict(limits),
    }
    # What does not fit in memory goes there: a process that is killed would leave it beside the snapshot.
    with tempfile.TemporaryDirectory(prefix="gradus-sql-") as folder:
        found = _run(request | {"settings": settings | {"temp_directory": folder}}, limits)
    if "error" in found:
        raise DataError(f"SQL: {found['error']}")
    columns = _unique(found["columns"])
    rows = [dict(zip(columns, row, strict=True)) for row in found["rows"]]
    return Answer(columns, rows, found["truncated"])


def _run(request: dict[str, Any], limits: SQLLimits) -> dict[str, Any]:
    """Give a request to a worker and return its answer."""
    # Where a site's Python needs this to find its own library; nothing else of our environment is handed on.
    environment = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(WORKER)],
            input=json.dumps(request).encode(),
            capture_output=True,
            env=environment,
            timeout=limits.timeout_s + START_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise DataError(f"the query took longer than {limits.timeout_s:g} s") from None
    if done.returncode:
        raise DataError(
            f"SQL: the query's process ended with status {done.returncode}: "
            f"it may need more than {limits.memory_mb} MB; ask for less at a time"
        )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _unique(columns: list[str]) -> list[str]:
    """Return the names with a number after those that were there before: a, a_1."""
    names: dict[str, None] = {}
    for column in columns:
        name, number = column, 0
        while name in names:
            number += 1
            name = f"{column}_{number}"
        names[name] = None
    return list(names)


def check(sql: str) -> None:
    """Raise DataError unless sql is one SELECT made of nothing but what is allowed."""
    nodes = list(_nodes(_parsed(sql)))
    with_names = {str(entry["key"]).lower() for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    for node in nodes:
        _check_node(node)
        _check_table(node, with_names)


def _parsed(sql: str) -> dict[str, Any]:
    """Return DuckDB's parse tree of one SELECT."""
    try:
        sql.encode()
        with duckdb.connect(":memory:", config=SETTINGS) as connection:
            row = connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchone()
        parsed: dict[str, Any] = json.loads(row[0]) if row else {}
    except UnicodeEncodeError as error:
        raise DataError(f"SQL: the query is no Unicode text: {error}") from None
    except RecursionError:
        raise DataError("SQL: the query is nested too deeply") from None
    except duckdb.Error as error:
        raise DataError(f"SQL: {str(error).splitlines()[0]}") from None
    if parsed.get("error"):
        message = str(parsed.get("error_message", "cannot be parsed")).splitlines()[0]
        raise DataError(f"only a SELECT is taken here: {message}")
    if len(parsed["statements"]) != 1:
        raise DataError(f"one statement is taken at a time, not {len(parsed['statements'])}")
    return parsed


def _check_node(node: dict[str, Any]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in QUERY_NODES:
        raise DataError(f"only reading is allowed here, not {kind.removesuffix('_QUERY_NODE').removesuffix('_NODE')}")
    if "column_name_alias" in node and kind not in FROM_NODES:
        raise DataError(f"{kind} is not allowed in FROM")
    name = str(node.get("function_name", "")).lower()
    if name in FORBIDDEN_FUNCTIONS:
        raise DataError(f"the function {name} is not allowed here")
    if kind == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise DataError(f"the table function {name} is not allowed here")


def _check_table(node: dict[str, Any], with_names: set[str]) -> None:
    """Refuse a table that is neither ours nor a name of a WITH: DuckDB's own show settings and paths."""
    kind = node.get("type")
    if kind not in ("BASE_TABLE", "SHOW_REF") or node.get("query"):
        return
    path = [str(name).lower() for name in node["qualified_name"]["path"]]
    if kind == "SHOW_REF" and path == ['"tables"']:
        return
    if path[0] == "main" and len(path) == 2 and path[1] in OUR_TABLES:
        return
    known = len(path) == 1 and path[0] in with_names.union(OUR_TABLES)
    if not known or path[0].startswith(CATALOG_PREFIXES):
        raise DataError(f"SQL: no table {'.'.join(path)!r} here; there are: {', '.join(OUR_TABLES)}")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON tree, outermost first; without recursion, which a deep query would exhaust."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
