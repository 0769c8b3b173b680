"""What our client costs beside a server that costs nothing: requests a second, and thousands in flight.

    python benchmarks/bench_client.py [--requests 10000] [--in-flight 5000] [--hold 2]

The server, in a process of its own, speaks just enough HTTP/1.1 to send one canned chat completion to everybody: at
once, then after `--hold` seconds. `server_per_s` is what it manages for a client that does nothing but copy bytes:
the ceiling of this machine. The `openai` package asks the same server in the same run, where it is installed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import platform
import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from common import about

from gradus.engine.teachers.base import Completion, Request, SamplingConfig, TeacherConfig, open_teacher

TEXT = "First, 17 + 25 = 42. Then 42 / 2 = 21. The answer is \\boxed{21}. " * 10
COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 0,
    "model": "none",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": TEXT}}],
    "usage": {"prompt_tokens": 30, "completion_tokens": 200, "total_tokens": 230},
}


class Canned(asyncio.Protocol):
    """One connection of the server: waits for whole requests, sends the same reply to each."""

    in_flight = most = 0

    def __init__(self, reply: bytes, hold_s: float) -> None:
        self.reply, self.hold_s, self.buffer, self.missing = reply, hold_s, b"", 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head = self.buffer.find(b"\r\n\r\n")
        if head < 0:
            return
        lower = self.buffer[:head].lower()
        length = int(lower.split(b"content-length:")[1].split(b"\r\n")[0]) if b"content-length:" in lower else 0
        if len(self.buffer) < head + 4 + length:
            return
        path, self.buffer = self.buffer[: self.buffer.index(b"\r\n")], b""
        if path.startswith(b"GET"):
            self.transport.write(http(json.dumps({"most": Canned.most}).encode()))
            Canned.most = Canned.in_flight
        elif self.hold_s:
            Canned.in_flight += 1
            Canned.most = max(Canned.most, Canned.in_flight)
            asyncio.get_running_loop().call_later(self.hold_s, self.send)
        else:
            self.transport.write(self.reply)

    def send(self) -> None:
        Canned.in_flight -= 1
        self.transport.write(self.reply)


def http(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def serve(connection: Any, hold_s: float) -> None:
    async def run() -> None:
        reply, loop = http(json.dumps(COMPLETION).encode()), asyncio.get_running_loop()
        server = await loop.create_server(lambda: Canned(reply, hold_s), "127.0.0.1", 0, backlog=8192)
        connection.send(server.sockets[0].getsockname()[1])
        await loop.run_in_executor(None, connection.poll, None)  # until the other end closes

    open_files()
    asyncio.run(run())


def open_files() -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Server:
    """The server's process; `with Server(hold_s) as port`."""

    def __init__(self, hold_s: float) -> None:
        context = multiprocessing.get_context("spawn")
        self.ours, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs, hold_s), daemon=True)
        self.process.start()

    def __enter__(self) -> int:
        return int(self.ours.recv())

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.join()


def most_in_flight(port: int) -> int:
    async def ask() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /stats HTTP/1.1\r\n\r\n")
        raw = await reader.read(4096)
        writer.close()
        return int(json.loads(raw.split(b"\r\n\r\n")[1])["most"])

    return asyncio.run(ask())


def by_copying(port: int, requests: int, in_flight: int) -> int:
    """Ask with sockets alone: the ceiling."""
    message = b'POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 300\r\n\r\n{"model":' + b" " * 290 + b"}"
    size = len(http(json.dumps(COMPLETION).encode()))

    async def client(share: int) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(share):
            writer.write(message)
            await reader.readexactly(size)
        writer.close()
        return share

    async def run() -> int:
        return sum(await asyncio.gather(*(client(requests // in_flight) for _ in range(in_flight))))

    return asyncio.run(run())


def by_gradus(port: int, requests: int, in_flight: int) -> int:
    options = {"base_url": f"http://127.0.0.1:{port}/v1", "max_in_flight": in_flight}
    teacher = open_teacher(TeacherConfig(kind="openai", model="none", options=options))
    sampling = SamplingConfig(max_tokens=512)
    asks = [
        Request(messages=({"role": "user", "content": f"What is {i} + 1?"},), sampling=sampling, seed=i)
        for i in range(requests)
    ]
    try:
        return sum(isinstance(answer, Completion) and answer.text == TEXT for _, answer in teacher.answer(asks))
    finally:
        teacher.close()


def by_openai(port: int, requests: int, in_flight: int) -> int:
    import httpx
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    async def run() -> int:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        http_client = DefaultAsyncHttpxClient(limits=limits)
        client = AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", http_client=http_client)
        gate = asyncio.Semaphore(in_flight)

        async def one(i: int) -> bool:
            async with gate:
                answer = await client.chat.completions.create(
                    model="none",
                    messages=[{"role": "user", "content": f"What is {i} + 1?"}],
                    temperature=0.8,
                    max_tokens=512,
                    seed=i,
                    logprobs=True,
                )
            return answer.choices[0].message.content == TEXT

        outcomes = await asyncio.gather(*(one(i) for i in range(requests)), return_exceptions=True)
        return sum(outcome is True for outcome in outcomes)  # the others timed out

    return asyncio.run(run())


def measure(client: Callable[[int, int, int], int], port: int, requests: int, in_flight: int) -> dict[str, float]:
    """Return requests a second, the client's own share of a core, and what went wrong."""
    start, own = time.perf_counter(), time.process_time()
    answered = client(port, requests, in_flight)
    seconds, own = time.perf_counter() - start, time.process_time() - own
    return {
        "requests": requests,
        "per_s": round(requests / seconds, 1),
        "core_share": round(own / seconds, 2),
        "client_us": round(1e6 * own / requests, 1),
        "unanswered": requests - answered,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--in-flight", type=int, default=5_000)
    parser.add_argument("--hold", type=float, default=2.0)
    parser.add_argument("--repeats", type=int, default=3)
    args = parser.parse_args()
    open_files()
    clients: dict[str, Callable[[int, int, int], int]] = {"gradus": by_gradus}
    try:
        import openai

        clients["openai"] = by_openai
        peer = openai.__version__
    except ImportError:
        peer = "not installed"
    result: dict[str, Any] = about(torch.device("cpu")) | {"python": platform.python_version(), "openai": peer}
    with Server(0.0) as port:
        by_copying(port, 6400, 64)
        result["server_per_s"] = measure(by_copying, port, args.requests, 64)["per_s"]
        for name, client in clients.items():
            client(port, 200, 64)  # imports and connections
            number = args.requests if client is by_gradus else args.requests // 10  # it takes that much longer
            runs = [measure(client, port, number, 256) for _ in range(args.repeats)]
            result[f"{name}_at_once"] = sorted(runs, key=lambda run: run["per_s"])[len(runs) // 2]
            result[f"{name}_at_once"]["spread"] = [run["per_s"] for run in runs]
    with Server(args.hold) as port:
        for name, client in clients.items():
            # Ours finds out by itself what the server bears, in some seven rounds.
            found = measure(client, port, args.in_flight * (4 if client is by_gradus else 1), args.in_flight)
            result[f"{name}_held"] = found | {"most_in_flight": most_in_flight(port), "hold_s": args.hold}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
