"""The process that makes a process for each query: a copy of itself, with DuckDB ready, that answers and ends.

Starting DuckDB takes longer than most queries. So it is done once, without threads, and each query has a fork, which
puts up its walls, opens the snapshot, and only then looks at the SQL. The zygote itself never reads a request: it gets
two file descriptors, the query's channel and the file for its answer, and gives them to the fork.

A query's process says, as frames on its channel: `columns`, `size` (of the answer so far), then `end` or `error`.
"""

from __future__ import annotations

import gc
import io
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from gradus.api.sql import walls

# Before duckdb and pyarrow, which may start threads, are imported.
NETWORK_LEFT = walls.leave_network() if __name__ == "__main__" else False

import duckdb  # noqa: E402

from gradus.api.sql import guard, table_formats, text_formats  # noqa: E402
from gradus.api.sql.body import Body, End  # noqa: E402
from gradus.errors import DataError  # noqa: E402
from gradus.verifiers.sandbox import seccomp  # noqa: E402
from gradus.verifiers.sandbox.frames import receive, send  # noqa: E402

SETTINGS: dict[str, Any] = {
    "python_enable_replacements": False,
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
    "async_threads": 0,
}
"""No threads: a fork would not have them."""
TEXT: dict[str, type[text_formats.Ndjson] | type[text_formats.Csv]] = {
    "json": text_formats.Json,
    "ndjson": text_formats.Ndjson,
    "csv": text_formats.Csv,
}
TABLES = {"arrow": table_formats.arrow_writer, "parquet": table_formats.parquet_writer}
# One value of each type that needs a module to become Python's, or text.
REHEARSAL = """SELECT 1.5 AS a, 'x' AS b, 1.5::DOUBLE AS c, TIMESTAMPTZ '2026-01-02' AS d, uuid() AS e,
INTERVAL 1 DAY AS f, [DATE '2026-01-02'] AS g, MAP {1: true} AS h, '\\xFF'::BLOB AS i, {'a': TIME '03:04:05'} AS j,
TIMESTAMP_NS '2026-01-02' AS k, json_extract('{"a": 1}', '$.a') AS l,
regexp_extract('ab', 'a') AS m, strftime(DATE '2026-01-02', '%Y') AS n
WHERE $x = 1"""


@dataclass(frozen=True, slots=True)
class World:
    """What every query's process begins with."""

    connection: duckdb.DuckDBPyConnection
    forbidden: set[str]
    refusing: seccomp.Filter | None


def main() -> None:
    """Make processes until the server is gone; which file descriptor leads to it is the first argument."""
    server = socket.socket(fileno=int(sys.argv[1]))
    # The interrupt of a terminal reaches its whole group: the server decides what ends. The kernel buries the dead.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    dropped = walls.give_up_privileges()
    connection = duckdb.connect(":memory:", config=SETTINGS)
    connection.execute("SET TimeZone = 'UTC'")
    world = World(connection, guard.forbidden_functions(connection), walls.call_filter())
    _rehearse(connection)
    # What is there now is not looked at again, and so not copied, by the collectors of the processes to come.
    gc.freeze()
    send(server, {"missing": walls.missing(network_left=NETWORK_LEFT, privileges_dropped=dropped)})
    while True:
        message, fds, _, _ = socket.recv_fds(server, 1, 2)
        if not message:
            return
        pid = os.fork()
        if pid == 0:
            server.close()
            _answer(world, socket.socket(fileno=fds[0]), io.FileIO(fds[1], "w"))
        with socket.socket(fileno=fds[0]) as channel:
            os.close(fds[1])
            handle = os.pidfd_open(pid)
            socket.send_fds(channel, [b"p"], [handle])
            os.close(handle)


def _answer(world: World, channel: socket.socket, file: io.FileIO) -> None:
    """Be the process of one query. Whatever goes wrong is an answer too."""
    try:
        said = _run(world, receive(channel), channel, file)
    except MemoryError:
        said = {"error": "SQL: Out of Memory"}
    except RecursionError:
        said = {"error": "SQL: the query is nested too deeply"}
    except DataError as error:
        said = {"error": str(error)}
    except Exception as error:
        said = {"error": f"SQL: {next(iter(str(error).splitlines()), type(error).__name__)}"}
    try:
        send(channel, said)
    finally:
        os._exit(0)


def _run(world: World, request: dict[str, Any], channel: socket.socket, file: io.FileIO) -> dict[str, Any]:
    """Answer a request; without a format, only say which parameters the query has."""
    sql, limits = request["sql"], request["limits"]
    walls.enclose(request["snapshot"], request["folder"], limits, world.refusing)
    _open(world.connection, request["snapshot"], request["folder"], limits)
    guard.check(world.connection, sql, world.forbidden)
    if request["format"] is None:
        (statement,) = world.connection.extract_statements(sql)
        return {"parameters": sorted(statement.named_parameters), "end": asdict(End(0, "no"))}
    body = Body(file, limits["max_bytes"], lambda size: send(channel, {"size": size}))
    end = _write(
        world.connection,
        request,
        body,
        tell_columns=lambda columns: send(channel, {"columns": columns}),
    )
    body.flush()
    return {"end": asdict(end)}


def _open(connection: duckdb.DuckDBPyConnection, snapshot: str, folder: str, limits: dict[str, Any]) -> None:
    """Use the snapshot, and nothing else from then on."""
    quoted = snapshot.replace("'", "''")
    connection.execute(f"ATTACH '{quoted}' AS snapshot (READ_ONLY)")
    connection.execute("USE snapshot")
    connection.execute(f"SET threads = {len(os.sched_getaffinity(0))}")
    connection.execute(f"SET memory_limit = '{limits['memory_mb']}MiB'")
    connection.execute(f"SET temp_directory = '{folder.replace(chr(39), chr(39) * 2)}'")
    connection.execute(f"SET max_temp_directory_size = '{limits['temp_mb']}MiB'")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def _write(
    connection: duckdb.DuckDBPyConnection,
    request: dict[str, Any],
    body: Body,
    *,
    tell_columns: Callable[[list[str]], None],
) -> End:
    sql, parameters, name = request["sql"], request["parameters"], request["format"]
    max_rows = request["limits"]["max_rows"]
    if style := TEXT.get(name):
        result = connection.execute(sql, parameters)
        return text_formats.write_text(style, result, body, tell_columns=tell_columns, max_rows=max_rows)
    relation = connection.sql(sql, params=parameters)
    return table_formats.write_table(TABLES[name], relation, body, tell_columns=tell_columns, max_rows=max_rows)


def _rehearse(connection: duckdb.DuckDBPyConnection) -> None:
    """Answer a query in every format: behind its walls, a process cannot import anything any more."""
    guard.check(connection, REHEARSAL, set())
    for name in (*TEXT, *TABLES):
        with tempfile.TemporaryFile(buffering=0) as file:
            request = {"sql": REHEARSAL, "parameters": {"x": 1}, "format": name, "limits": {"max_rows": 10}}
            body = Body(file, 1 << 20, lambda _: None)  # type: ignore[arg-type]
            _write(connection, request, body, tell_columns=lambda _: None)
            body.flush()


if __name__ == "__main__":
    main()
