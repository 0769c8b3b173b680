"""Which SQL users may write: one SELECT, made of nothing but what is allowed. Runs in the query's process.

The parsed statement is walked, because a statement's type is not enough: `WITH x AS (COPY …) SELECT 1` calls itself
a SELECT and writes. Allowed are the kinds of nodes listed here, the snapshot's own tables and views, and every
scalar, aggregate and window function that DuckDB says has no side effects, and that reads no setting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import duckdb

from gradus.errors import DataError

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
TABLE_FUNCTIONS = {"range", "generate_series", "unnest", "json_each", "json_tree"}
HARMLESS = {"random", "setseed", "uuid", "uuidv4", "uuidv7", "gen_random_uuid", "error"}
"""Of the functions with side effects: those whose effect ends with the query."""
FORBIDDEN = {"getenv", "query", "query_table", "current_setting", "getvariable", "pg_sleep"}
"""What DuckDB does not count among the functions with side effects."""
BOOKKEEPING = {
    *("ingested", "migrations", "hashed_by", "unscored", "unscored_attempts", "unscored_verdicts", "scoring"),
    *("several_verdicts", "replaced_verdicts", "problem_places", "attempt_places", "attempts_of", "verdicts_of"),
    *("trace_places", "traces_of", "verdict_places", "measured"),
}
"""Tables of the store that hold no records."""
TABLE_NAME = re.compile(r"[^\W\d]\w*")


def forbidden_functions(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the names, in lower case, that this DuckDB's queries may not call."""
    rows = connection.execute("SELECT DISTINCT lower(function_name) FROM duckdb_functions() WHERE has_side_effects")
    return {name for (name,) in rows.fetchall()} - HARMLESS | FORBIDDEN


def tables_of(connection: duckdb.DuckDBPyConnection) -> set[str]:
    """Return the tables and views of the database in use."""
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND database_name = current_database() "
        "UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal AND database_name = current_database()"
    )
    return {name for (name,) in found.fetchall()} - BOOKKEEPING


def check(connection: duckdb.DuckDBPyConnection, sql: str, forbidden: set[str]) -> None:
    """Raise DataError unless sql is one SELECT that may run."""
    nodes = list(_nodes(_parsed(connection, sql)))
    tables = tables_of(connection)
    with_names = {str(entry["key"]).lower() for node in nodes for entry in node.get("cte_map", {}).get("map", ())}
    for name in with_names:
        if not TABLE_NAME.fullmatch(name) or name.startswith(("pg_", "duckdb_", "pragma_", "sqlite_")):
            raise DataError(f"SQL: {name!r} cannot be the name of a WITH here; letters, digits and _ can")
    for node in nodes:
        _check_node(node, forbidden)
        _check_table(node, tables, with_names)


def _parsed(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    """Return DuckDB's parse tree of one SELECT."""
    rows = connection.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchall()
    parsed: dict[str, Any] = json.loads(rows[0][0])
    if parsed.get("error"):
        message = str(parsed.get("error_message", "cannot be parsed")).splitlines()[0]
        if not message.startswith("Only SELECT statements"):
            raise DataError(f"SQL: {message}")
        # A PIVOT without IN first asks which columns there will be: several statements, one of which makes a type.
        pivot = "; PIVOT needs IN: FROM t PIVOT (avg(x) FOR c IN ('a', 'b') GROUP BY d)"
        raise DataError(f"SQL: only a SELECT is taken here{pivot if re.search('(?i)pivot', sql) else ''}")
    if len(parsed["statements"]) != 1:
        raise DataError(f"SQL: one statement is taken at a time, not {len(parsed['statements'])}")
    return parsed


def _check_node(node: dict[str, Any], forbidden: set[str]) -> None:
    kind = str(node.get("type", ""))
    if kind.endswith("_NODE") and kind not in QUERY_NODES:
        kind = kind.removesuffix("_QUERY_NODE").removesuffix("_NODE")
        raise DataError(f"SQL: only reading is allowed here, not {kind}")
    if "column_name_alias" in node and kind not in FROM_NODES:
        raise DataError(f"SQL: {kind} is not allowed in FROM")
    name = str(node.get("function_name", "")).lower()
    if name in forbidden:
        raise DataError(f"SQL: the function {name} is not allowed here")
    if kind == "TABLE_FUNCTION":
        name = str(node.get("function", {}).get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS:
            raise DataError(
                f"SQL: the table function {name!r} is not allowed here; those are: {', '.join(sorted(TABLE_FUNCTIONS))}"
            )


def _check_table(node: dict[str, Any], tables: set[str], with_names: set[str]) -> None:
    """Refuse a table that is neither ours nor a name of a WITH: DuckDB's own show settings and paths."""
    kind = node.get("type")
    if kind not in ("BASE_TABLE", "SHOW_REF") or node.get("query"):
        return
    path = [str(name).lower() for name in node["qualified_name"]["path"]]
    if kind == "SHOW_REF" and path == ['"tables"']:
        return
    known = tables if path[0] == "main" else tables | with_names
    if path not in ([path[-1]], ["main", path[-1]]) or path[-1] not in known:
        raise DataError(f"SQL: no table {'.'.join(path)!r} here; there are: {', '.join(sorted(tables))}")


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON tree, outermost first; without recursion, which a deep query would exhaust."""
    waiting = [tree]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
        waiting.extend(value.values() if isinstance(value, dict) else value if isinstance(value, list) else ())
