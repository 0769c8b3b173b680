"""A server among well-behaved readers, writers, and clients that do everything wrong: does it leak, does it lose?

    python benchmarks/soak.py                # 10 minutes
    python benchmarks/soak.py --seconds 60

Starts `gradus serve` with a token on a workspace of its own. Readers page, query and scrape; writers label problems and
save queries, and repeat some requests under their Idempotency-Key; vandals hang up in the middle of an answer, send
garbage, half requests, huge heads and bodies, tokens that are none, and reconnect. Prints one JSON line, and exits with
1 unless: every write that was acknowledged is there once and in the audit log; no answer was a 500, and no orderly
request was left without one; the server, come to rest, holds as many file descriptors and threads (give or take 4) as
when it rested after the first tenth of the time, and less than 32 MB more; and in the second half of the time its
memory, under load, grew by less than 16 MB. At 20,000 requests that finds whatever keeps 2 KB of each.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import random
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

REST_S = 20
"""Until idle connections and half requests have been given up."""
HANGS_UP = b"GET /v1/problems?limit=1000 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n"
HEAD = b"POST /v1/labels HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
READS = ("/v1/problems?limit=100", "/v1/problems?domain=math&limit=20", "/v1/difficulty", "/v1/labels?limit=50")
READS += ("/v1/manifests", "/v1/queries", "/metrics", "/readyz", "/", "/v1/nowhere", "/v1/problems?cursor=nonsense")


class Server:
    """`gradus serve` as a process of its own."""

    def __init__(self, workspace: Path) -> None:
        made = gradus("token", "create", "--name=soak", "--scope=admin", workspace=workspace)
        self.token: str = json.loads(made)["token"]
        command = [sys.executable, "-m", "gradus", "serve", "--port=0", "--log-format=json", "--requests-per-s=0"]
        self.log = (workspace / "log.jsonl").open("w+")
        self.process = subprocess.Popen([*command, "--workspace", str(workspace)], stderr=self.log)
        while not (found := re.search(r"running on http://127.0.0.1:(\d+)", self.said())):
            assert self.process.poll() is None, self.said()
            time.sleep(0.1)
        self.port = int(found[1])

    def said(self) -> str:
        return Path(self.log.name).read_text()

    def holds(self) -> dict[str, int]:
        """Return what the process holds now."""
        proc = Path("/proc") / str(self.process.pid)
        status = (proc / "status").read_text()
        numbers = {name: int(re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[1]) for name in ("VmRSS", "Threads")}
        return {"rss_kb": numbers["VmRSS"], "threads": numbers["Threads"], "fds": len(list((proc / "fd").iterdir()))}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Send one orderly request on a connection of its own; return the status and what JSON there is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        with contextlib.closing(connection):
            sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = connection.getresponse()
            data = response.read()
        is_json = "json" in (response.getheader("Content-Type") or "")
        return response.status, json.loads(data) if is_json else data


class Crowd:
    """Clients of every kind, until they are told to stop; what they saw."""

    def __init__(self, server: Server, ids: list[str]) -> None:
        self.server, self.ids = server, ids
        self.over = threading.Event()
        self.seen: Counter[str] = Counter()
        self.labelled: dict[str, str] = {}
        """By label: of which problem the server said that it is labelled so."""
        self.saved: dict[str, str] = {}
        self.threads: list[threading.Thread] = []

    def start(self, act: Callable[[random.Random], None], count: int) -> None:
        """Let count clients do act again and again."""
        for number in range(count):
            args = (act, random.Random(f"{act.__name__} {number}"))
            thread = threading.Thread(target=self._again, args=args, daemon=True)
            thread.start()
            self.threads.append(thread)

    def _again(self, act: Callable[[random.Random], None], dice: random.Random) -> None:
        while not self.over.is_set():
            try:
                act(dice)
            except (OSError, http.client.HTTPException) as error:
                self.seen[f"{act.__name__} {type(error).__name__}"] += 1

    def read(self, dice: random.Random) -> None:
        """Ask for something, now and then by SQL."""
        if dice.random() < 0.1:
            status, _ = self.server.ask("POST", "/v1/sql", {"query": "SELECT count(*) FROM problems"})
        else:
            status, _ = self.server.ask("GET", dice.choice(READS))
        self.seen[f"read {status}"] += 1

    def write(self, dice: random.Random) -> None:
        """Label a problem, every fifth time sending the request twice; or save a query."""
        name, problem = f"soak-{dice.getrandbits(64):x}", dice.choice(self.ids)
        if dice.random() < 0.2:
            sql = f"SELECT '{name}' AS name"
            status, _ = self.server.ask("PUT", f"/v1/queries/{name}", {"sql": sql})
            if status == 200:
                self.saved[name] = sql
        else:
            body = {"ids": [problem], "action": "label", "value": name, "reason": "soak"}
            for _ in range(2 if dice.random() < 0.2 else 1):
                status, _ = self.server.ask("POST", "/v1/labels", body, **{"Idempotency-Key": name})
                if status == 201:
                    self.labelled[name] = problem
        self.seen[f"write {status}"] += 1

    def spoil(self, dice: random.Random) -> None:
        """Do one of the things that clients should not."""
        token = self.server.token.encode()
        length = b"Content-Length: %d\r\n\r\n"
        pieces, patience_s = dice.choice(
            [
                ([HANGS_UP % token], 0.0),
                ([dice.randbytes(dice.randint(1, 5000))], 0.2),
                ([HANGS_UP[: dice.randint(1, 60)]], dice.choice([0.0, 0.5, 12.0])),
                ([HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n"], 0.2),
                ([HEAD + length % (10 << 20), b"x" * 65536], 0.2),
                ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *([b"10000\r\n" + b"x" * 65536 + b"\r\n"] * 40)], 0.2),
                ([HEAD + b"Authorization: Bearer " + token + b"\r\n" + length % 100, b'{"ids": ['], 0.1),
                ([HEAD + b"Authorization: Bearer gradus_0\r\n" + length % 2 + b"{}"], 0.2),
                ([HANGS_UP % token * 20], 0.05),
                ([], dice.choice([0.0, 0.5])),
            ]
        )
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=5) as connection:
            if dice.random() < 0.5:  # reset instead of an orderly end
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            for piece in pieces:
                connection.sendall(piece)
            self.over.wait(patience_s)
            if dice.random() < 0.5:
                connection.recv(dice.choice([1, 100, 65536]))
        self.seen["spoil"] += 1


def gradus(*arguments: str, workspace: Path) -> str:
    command = [sys.executable, "-m", "gradus", *arguments, "--workspace", str(workspace), "--json"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def lost(server: Server, crowd: Crowd, workspace: Path) -> dict[str, int]:
    """Count what was acknowledged and is not there, or is there twice."""
    found: Counter[tuple[str, str]] = Counter()
    path: str | None = "/v1/labels?limit=1000"
    while path:
        _, page = server.ask("GET", path)
        found.update((row["value"], row["record_id"]) for row in page["rows"])
        path = f"/v1/labels?limit=1000&cursor={page['next']}" if page["next"] else None
    audited = Counter(line["path"] for line in json.loads(gradus("audit", "--limit=10000000", workspace=workspace))
                      if line["status"] in (200, 201))  # fmt: skip
    return {
        "labels": sum(found[item] == 0 for item in crowd.labelled.items()),
        "labels_twice": sum(count > 1 for count in found.values()),
        "queries": sum(
            server.ask("GET", f"/v1/queries/{name}")[1].get("sql") != sql for name, sql in crowd.saved.items()
        ),
        "audit": max(0, len(crowd.labelled) - audited["/v1/labels"])
        + sum(f"/v1/queries/{name}" not in audited for name in crowd.saved),
    }


def soak(server: Server, crowd: Crowd, seconds: float, workspace: Path) -> dict[str, Any]:
    """Let the crowd in for a tenth of the time, rest, let it in for the rest of the time, rest; compare."""
    samples: list[dict[str, int]] = []
    resting: list[dict[str, int]] = []
    for share in (0.1, 0.9):
        crowd.over.clear()
        crowd.start(crowd.read, 4)
        crowd.start(crowd.write, 2)
        crowd.start(crowd.spoil, 6)
        until = time.monotonic() + seconds * share
        while time.monotonic() < until:
            time.sleep(1)
            samples.append(server.holds())
        crowd.over.set()
        for thread in crowd.threads:
            thread.join(90)
        time.sleep(REST_S)
        resting.append(server.holds())
    half = samples[len(samples) // 2 :]
    early, late = (
        statistics.median(s["rss_kb"] for s in part) for part in (half[: len(half) // 4 + 1], half[-len(half) // 4 :])
    )
    return {
        "seconds": seconds,
        "seen": dict(sorted(crowd.seen.items())),
        "acknowledged": {"labels": len(crowd.labelled), "queries": len(crowd.saved)},
        "lost": lost(server, crowd, workspace),
        "rest": {"before": resting[0], "after": resting[1]},
        "rss_mb": {"from": round(early / 1024, 1), "to": round(late / 1024, 1)},
        "peak": {name: max(sample[name] for sample in samples) for name in samples[0]},
        "failures": server.said().count('"status": 500,'),
        "cut_off": sum(num for what, num in crowd.seen.items() if re.match(r"(read|write) \D", what)),
    }


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--problems", type=int, default=300)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gradus-soak-") as folder:
        workspace = Path(folder) / "workspace"
        gradus("init", workspace=workspace)
        gradus("problems", "generate", "--generator=arithmetic", f"--num={args.problems}", workspace=workspace)
        server = Server(workspace)
        try:
            _, page = server.ask("GET", "/v1/problems?limit=1000")
            found = soak(server, Crowd(server, [row["id"] for row in page["rows"]]), args.seconds, workspace)
        finally:
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(30)
    before, after = found["rest"]["before"], found["rest"]["after"]
    found["ok"] = (
        not any(found["lost"].values())
        and found["failures"] == 0
        and after["fds"] <= before["fds"] + 4
        and after["threads"] <= before["threads"] + 4
        and after["rss_kb"] - before["rss_kb"] < 32 << 10
        and found["rss_mb"]["to"] - found["rss_mb"]["from"] < 16
        and all(found["acknowledged"].values())
        and not found["cut_off"]
    )
    print(json.dumps(found))
    return 0 if found["ok"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
