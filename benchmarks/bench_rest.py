"""A filtered page of 100 problems out of a million: our REST beside Datasette over SQLite, the same rows, in one run.

    pip install --target PEERS datasette
    python benchmarks/big_workspace.py FOLDER --attempts 1 --open
    python benchmarks/bench_rest.py FOLDER --peers PEERS [--seconds 10] [--pages 1000]

`wrk` (from apt) asks over loopback, on the same cores. The SQLite file holds the same columns in the same order with an
index on what is filtered, (domain, source); Datasette counts and facets nothing, has no time limit, and runs as one
process, as we do. Both give the same ids, which is checked page by page while the pages are collected.

`walks` asks for --pages different pages, more than our server keeps: 20 walks of 50 pages go on side by side, as of
clients who follow `next`; our server reads such walks ahead. `scattered` asks for the same pages in random order, where
nothing can be read ahead. `few` asks for the first pages of the 20 filters again and again. All three as fast as 8
connections go. `half` is `walks` at half the rate that was found, at random moments: the latency that clients see below
saturation. `cpu_ms` is what the server's process used a request, which other work on the machine disturbs less.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import torch
from common import about

from gradus.engine.store import open_snapshot
from gradus.engine.workspace import Workspace

DOMAINS = ("math", "code", "instruction", "stem", "tool")
SOURCES = tuple(f"orders-{i}" for i in range(4))
CONNECTIONS = 8
COLUMNS = ("id", "prompt", "domain", "verifier", "spec", "source", "parents", "tags")
LUA = """
local urls, i, pause = {}, 0, tonumber(os.getenv("PAUSE_MS"))
for line in io.lines(os.getenv("URLS")) do urls[#urls + 1] = line end
math.randomseed(7)
function request() i = i % #urls + 1; return wrk.format("GET", urls[i]) end
if pause > 0 then function delay() return math.floor(0.5 - pause * math.log(1 - math.random())) end end
"""


def write_sqlite(workspace: Workspace, path: Path) -> None:
    """Write the problems as Datasette reads them."""
    with open_snapshot(workspace) as store, sqlite3.connect(path) as file:
        file.execute(f"CREATE TABLE problems ({', '.join(f'{name} TEXT' for name in COLUMNS)})")
        lists = "to_json(parents)::VARCHAR AS parents, to_json(tags)::VARCHAR AS tags"
        query = f"SELECT * REPLACE ({lists}) FROM problems ORDER BY rowid"
        for rows in store.batches(query):
            file.executemany(f"INSERT INTO problems VALUES ({', '.join('?' * len(COLUMNS))})", map(_values, rows))
        file.execute("CREATE INDEX filtered ON problems (domain, source)")
        file.execute("ANALYZE")


def _values(row: dict[str, Any]) -> list[Any]:
    return [row[name] for name in COLUMNS]


@contextmanager
def serving(command: list[str], port: int, ready: str, extra: dict[str, str]) -> Iterator[tuple[httpx.Client, int]]:
    """Run a server; hand out a client of it and its process, and stop it afterwards."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | extra)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                for _ in range(600):
                    try:
                        client.get(ready).raise_for_status()
                        break
                    except httpx.ConnectError:
                        time.sleep(0.1)
                yield client, process.pid
        finally:
            process.terminate()
            process.wait()


def collect(client: httpx.Client, first: list[str], pages: int) -> tuple[list[list[str]], list[list[str]]]:
    """Walk from each first page; return the addresses of each walk, and the ids that every page gave."""
    walks: list[list[str]] = []
    found = []
    for start in first:
        address: str | None = start
        walks.append([])
        while address and len(walks[-1]) < pages // len(first):
            response = client.get(address).raise_for_status()
            body = response.json()
            walks[-1].append(address)
            found.append([row["id"] for row in body["rows"]])
            link = response.links.get("next", {}).get("url") or body.get("next_url")
            address = link and "{0.path}?{0.query}".format(urlsplit(link))
    return walks, found


def load(port: int, addresses: list[str], seconds: int, rate: float = 0) -> dict[str, float]:
    """Ask with wrk, as fast as it goes or at a rate; return requests per second and latencies in ms."""
    with tempfile.TemporaryDirectory() as folder:
        urls, script = Path(folder, "urls"), Path(folder, "ask.lua")
        urls.write_text("\n".join(addresses))
        script.write_text(LUA)
        pause = 1000 * 4 * CONNECTIONS / rate if rate else 0
        connections = 4 * CONNECTIONS if rate else CONNECTIONS
        command = [
            "wrk",
            "-t1",
            f"-c{connections}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "--latency",
            "-s",
            str(script),
        ]
        said = subprocess.run(
            [*command, f"http://127.0.0.1:{port}"],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"URLS": str(urls), "PAUSE_MS": str(pause)},
        ).stdout
    assert not re.search("Non-2xx|Socket errors", said), said
    found = dict(re.findall(r"^\s+(50|90|99)%\s+(\S+)$", said, re.M))
    per_s = float(re.findall(r"Requests/sec:\s+(\S+)", said)[0])
    return {"per_s": round(per_s, 1)} | {f"p{name}_ms": round(_ms(value), 2) for name, value in found.items()}


def _ms(text: str) -> float:
    number, unit = re.fullmatch(r"([0-9.]+)(us|ms|s|m)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000, "m": 60000}[unit]


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


def filters() -> list[dict[str, str]]:
    """Return every filter that is asked for."""
    return [{"domain": domain, "source": source} for domain in DOMAINS for source in SOURCES]


def measure(client: httpx.Client, process: int, pages: int, seconds: int, first: list[str]) -> tuple[Any, Any]:
    """Collect the pages, then ask for them in the four ways."""
    walks, found = collect(client, first, pages)
    side_by_side = [address for turn in zip_longest(*walks) for address in turn if address]
    scattered = random.Random(7).sample(side_by_side, len(side_by_side))
    port = client.base_url.port
    assert port

    def timed(addresses: list[str], rate: float = 0) -> dict[str, float]:
        before = cpu_s(process)
        figures = load(port, addresses, seconds, rate)
        spent_s = cpu_s(process) - before
        return figures | {"cpu_ms": round(1000 * spent_s / (figures["per_s"] * seconds), 3)}

    load(port, side_by_side, 2)
    figures: dict[str, Any] = {"walks": timed(side_by_side), "scattered": timed(scattered), "few": timed(first)}
    figures["half"] = timed(side_by_side, rate=figures["walks"]["per_s"] / 2)
    return figures | {"pages": len(side_by_side)}, found


def cpu_s(process: int) -> float:
    """Return what a process has used of processors."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ours(workspace: Workspace, pages: int, seconds: int) -> tuple[dict[str, Any], Any]:
    """Measure `gradus serve`."""
    port = free_port()
    command = [sys.executable, "-m", "gradus", "serve", "--port", str(port), "--workspace", str(workspace.root)]
    with serving(command, port, "/healthz", {}) as (client, process):
        first = [f"/v1/problems?{urlencode(chosen | {'limit': '100'})}" for chosen in filters()]
        return measure(client, process, pages, seconds, first)


def theirs(database: Path, peers: Path, pages: int, seconds: int) -> tuple[dict[str, Any], Any]:
    """Measure Datasette."""
    port = free_port()
    command = [sys.executable, "-m", "datasette", "serve", "--immutable", str(database), "--port", str(port)]
    command += ["--setting", "sql_time_limit_ms", "60000", "--setting", "suggest_facets", "off"]
    options = {"_size": "100", "_shape": "objects", "_nofacet": "1", "_nosuggest": "1", "_nocount": "1"}
    with serving(command, port, "/-/versions.json", {"PYTHONPATH": str(peers)}) as (client, process):
        first = [f"/{database.stem}/problems.json?{urlencode(chosen | options)}" for chosen in filters()]
        return measure(client, process, pages, seconds, first)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="made by big_workspace.py --open")
    parser.add_argument("--peers", type=Path, required=True, help="where datasette is installed")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--pages", type=int, default=1000)
    args = parser.parse_args()
    workspace = Workspace.find(args.folder)
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        database = Path(folder, "problems.db")
        write_sqlite(workspace, database)
        us, our_pages = ours(workspace, args.pages, args.seconds)
        them, their_pages = theirs(database, args.peers, args.pages, args.seconds)
    assert our_pages == their_pages, "the pages differ"
    times = {way: round(us[way]["per_s"] / them[way]["per_s"], 2) for way in ("walks", "scattered", "few")}
    line = {"bench": "rest", "ours": us, "datasette": them, "times": times}
    print(json.dumps(line | about(torch.device("cpu"))))


if __name__ == "__main__":
    main()
