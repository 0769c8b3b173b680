"""Users' SQL through the API, beside plain DuckDB in this process.

    python benchmarks/bench_sql.py [--queries 200] [--rows 100000]

Latency: a trivial query over HTTP on loopback, by one client and by four, in ms, and queries per second; "request" is
the same for a route that asks nothing, which is the floor of the server. Beside it DuckDB in this process, which guards
nothing: on a connection that stays open, and on a new one for each query. Formats: rows per second of one answer, from
the request to its last byte; beside it DuckDB's own way to the same bytes (COPY to a file of memory; for Arrow its own
stream). The answers are compared first.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pyarrow as pa
import torch
from common import about

from gradus.api import steps
from gradus.api.sql.formats import FORMATS, MEDIA_TYPES
from gradus.engine.records import Problem
from gradus.engine.workspace import Workspace

TRIVIAL = "SELECT count(*) AS n FROM problems"
ROWS = """SELECT range AS n, md5(range::VARCHAR) AS problem_id, range / 7 AS rate, 'math' AS domain,
range % 2 = 0 AS passed FROM range({rows}) ORDER BY n"""
COPIES = {"json": "JSON, ARRAY true", "ndjson": "JSON", "csv": "CSV, HEADER", "parquet": "PARQUET, COMPRESSION zstd"}


def make_workspace(folder: Path) -> Workspace:
    workspace = Workspace.create(folder)
    made = (
        Problem(
            prompt=f"What is {i} + 1?", domain="math", verifier="math", spec={"expected": str(i + 1)}, source="bench"
        )
        for i in range(1000)
    )
    steps.add_problems(workspace, list(made), "bench")
    return workspace


def start_server(workspace: Workspace) -> tuple[subprocess.Popen[bytes], httpx.Client]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "gradus", "serve", "--port", str(port), "--workspace", str(workspace.root)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60)
    while True:
        try:
            client.get("/v1/runs").raise_for_status()
            return process, client
        except httpx.ConnectError:
            time.sleep(0.1)


def ask(client: httpx.Client, sql: str, format: str = "json", **limits: Any) -> bytes:
    headers = {"Accept": MEDIA_TYPES[format]}  # type: ignore[index]
    response = client.post("/v1/sql", json={"query": sql} | limits, headers=headers)
    response.raise_for_status()
    return response.content


def latency(once: Callable[[], object], times: int, clients: int = 1) -> dict[str, float]:
    def timed(_: int) -> float:
        start = time.perf_counter()
        once()
        return 1000 * (time.perf_counter() - start)

    for _ in range(5):
        once()
    start = time.perf_counter()
    with ThreadPoolExecutor(clients) as pool:
        found = sorted(pool.map(timed, range(times)))
    per_s = times / (time.perf_counter() - start)
    p95 = found[int(0.95 * times)]
    return {"p50_ms": round(statistics.median(found), 2), "p95_ms": round(p95, 2), "per_s": round(per_s, 1)}


def median_s(once: Callable[[], object], times: int = 7) -> float:
    def timed() -> float:
        start = time.perf_counter()
        once()
        return time.perf_counter() - start

    return statistics.median(timed() for _ in range(times))


def bench_latency(client: httpx.Client, snapshot: Path, times: int) -> dict[str, Any]:
    settings = {"config": {"memory_limit": "1GB"}, "read_only": True}
    with duckdb.connect(str(snapshot), **settings) as connection:
        assert json.loads(ask(client, TRIVIAL))["rows"] == [{"n": connection.execute(TRIVIAL).fetchall()[0][0]}]
        kept = latency(lambda: connection.execute(TRIVIAL).fetchall(), times)

    def fresh() -> None:
        with duckdb.connect(str(snapshot), **settings) as connection:
            connection.execute(TRIVIAL).fetchall()

    return {
        "query, 1 client": latency(lambda: ask(client, TRIVIAL), times),
        "query, 4 clients": latency(lambda: ask(client, TRIVIAL), times, clients=4),
        "request": latency(lambda: client.get("/v1/runs").raise_for_status(), times),
        "DuckDB here, kept connection": kept,
        "DuckDB here, new connection": latency(fresh, times),
    }


def bare(connection: duckdb.DuckDBPyConnection, sql: str, format: str) -> int:
    """Have DuckDB write the same answer by itself; return its size."""
    if format == "arrow":
        sink = pa.BufferOutputStream()
        reader = connection.sql(sql).to_arrow_reader(8192)
        with pa.ipc.new_stream(sink, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        return sink.getvalue().size
    with tempfile.NamedTemporaryFile(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None) as file:
        connection.execute(f"COPY ({sql}) TO '{file.name}' (FORMAT {COPIES[format]})").fetchall()
        return Path(file.name).stat().st_size


def bench_formats(client: httpx.Client, snapshot: Path, rows: int) -> dict[str, Any]:
    sql = ROWS.format(rows=rows)
    found = {}
    with duckdb.connect(str(snapshot), read_only=True) as connection:
        expected = connection.execute(sql).fetchall()
        assert [tuple(row.values()) for row in json.loads(ask(client, sql, max_rows=rows))["rows"]] == expected
        for name in FORMATS:
            size = len(ask(client, sql, name, max_rows=rows))
            ours = median_s(lambda name=name: ask(client, sql, name, max_rows=rows))
            theirs = median_s(lambda name=name: bare(connection, sql, name))
            found[name] = {
                "rows_per_s": round(rows / ours),
                "duckdb_rows_per_s": round(rows / theirs),
                "mb": round(size / 1e6, 1),
            }
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--rows", type=int, default=100_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = make_workspace(Path(folder))
        snapshot = (workspace.snapshots / "current.duckdb").resolve()
        process, client = start_server(workspace)
        try:
            figures = bench_latency(client, snapshot, args.queries)
            formats = bench_formats(client, snapshot, args.rows)
        finally:
            process.terminate()
            process.wait()
    print(
        json.dumps(
            {"bench": "sql", "latency": figures, "formats": formats, "rows": args.rows} | about(torch.device("cpu"))
        )
    )


if __name__ == "__main__":
    main()
