"""Run one checked query, in a process of its own.

A function in the middle of one huge value heeds neither DuckDB's interrupt nor its memory limit, but a process
can be killed and its address space bounded. The request comes as JSON on standard input and the answer goes as
JSON to standard output. Started by path, and imports nothing of Gradus, so that it starts fast.
"""

from __future__ import annotations

import datetime
import decimal
import json
import math
import os
import resource
import sys
from pathlib import Path
from typing import Any

import duckdb

HEADROOM_BYTES = 512 << 20
"""What a query may take beyond DuckDB's own limit: values in the making, and the libraries' own use."""
MAX_ANSWER_BYTES = 64 << 20


def run(request: dict[str, Any]) -> dict[str, Any]:
    """Return {columns, rows, truncated}; rows are lists."""
    limits = request["limits"]
    with duckdb.connect(request["snapshot"], read_only=True, config=request["settings"]) as connection:
        connection.execute("SET lock_configuration = true")
        _limit_resources(limits["memory_mb"], limits["timeout_s"])
        result = connection.execute(request["sql"], request["parameters"])
        columns = [column[0] for column in result.description or ()]
        rows: list[list[Any]] = []
        size_bytes = 0
        while len(rows) <= limits["max_rows"] and (row := result.fetchone()) is not None:
            rows.append([plain(value) for value in row])
            size_bytes += len(json.dumps(rows[-1]))
            if size_bytes > MAX_ANSWER_BYTES:
                raise ValueError(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MB; select fewer columns or rows")
    return {"columns": columns, "rows": rows[: limits["max_rows"]], "truncated": len(rows) > limits["max_rows"]}


def plain(value: Any) -> Any:
    """Return value as JSON has it: ISO text for times, hex text for bytes, null for what is no number."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return str(value)


def _limit_resources(memory_mb: int, timeout_s: float) -> None:
    """Bound what is taken from here on; the processor's time only ends a query whose parent is gone."""
    mapped = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    memory = mapped + (memory_mb << 20) + HEADROOM_BYTES
    cpu_s = math.ceil(timeout_s + 1) * (os.cpu_count() or 1)
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    """Answer the one request; whatever goes wrong is an answer too."""
    try:
        answer = run(json.load(sys.stdin))
    except MemoryError:
        answer = {"error": "Out of Memory"}
    except Exception as error:
        answer = {"error": next(iter(str(error).splitlines()), type(error).__name__)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
