"""Users' SQL: one SELECT, on a read-only snapshot, without the outside world, within limits.

Two layers. The parsed statement is walked against an allow-list, because a statement's type is not
enough: `WITH x AS (COPY …) SELECT 1` calls itself a SELECT and writes. And the connection is read-only,
with external access off and its configuration locked. Not covered yet: DuckDB promises no privilege
separation of its own, and the query runs in this process.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb

from gradus.engine.workspace import Workspace
from gradus.errors import DataError, WorkspaceError

QUERY_NODES = {"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE", "RECURSIVE_CTE_NODE"}
TABLES = {"BASE_TABLE", "SUBQUERY", "JOIN", "EXPRESSION_LIST", "TABLE_FUNCTION", "EMPTY", "COLUMN_DATA", "CTE", "PIVOT"}
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
    with duckdb.connect(str(snapshot.resolve()), read_only=True, config=settings) as connection:
        connection.execute("SET lock_configuration = true")
        timer = threading.Timer(limits.timeout_s, connection.interrupt)
        timer.start()
        try:
            result = connection.execute(sql, parameters or {})
            columns = [column[0] for column in result.description or ()]
            rows = result.fetchmany(limits.max_rows + 1)
        except duckdb.InterruptException:
            raise DataError(f"the query took longer than {limits.timeout_s:g} s") from None
        except duckdb.Error as error:
            raise DataError(f"SQL: {error}") from None
        finally:
            timer.cancel()
    records = [dict(zip(columns, row, strict=True)) for row in rows[: limits.max_rows]]
    return Answer(columns, records, len(rows) > limits.max_rows)


def check(sql: str) -> None:
    """Raise DataError unless sql is one SELECT made of nothing but what is allowed."""
    with duckdb.connect(":memory:", config=SETTINGS) as connection:
        row = connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchone()
    parsed = json.loads(row[0]) if row else {}
    if parsed.get("error"):
        message = parsed.get("error_message", "cannot be parsed")
        raise DataError(f"only a SELECT is taken here: {message}")
    if len(parsed["statements"]) != 1:
        raise DataError(f"one statement is taken at a time, not {len(parsed['statements'])}")
    for node in _nodes(parsed):
        _check_node(node)


def _check_node(node: dict[str, Any]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in QUERY_NODES:
        raise DataError(f"only reading is allowed here, not {kind.removesuffix('_QUERY_NODE').removesuffix('_NODE')}")
    if "column_name_alias" in node and kind not in TABLES:
        raise DataError(f"{kind} is not allowed in FROM")
    name = str(node.get("function_name", "")).lower()
    if name in FORBIDDEN_FUNCTIONS:
        raise DataError(f"the function {name} is not allowed here")
    if kind == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise DataError(f"the table function {name} is not allowed here")


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _nodes(item)
