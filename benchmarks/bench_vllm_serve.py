"""Tokens a second from a running `vllm serve`: our client beside vLLM's own benchmark client, on the same load.

    python benchmarks/bench_vllm_serve.py [--model DIR] [--requests 4000] [--in-flight 512] [--max-tokens 256]

Starts the server, then lets the two clients take turns: `vllm bench serve` (which streams), ours, and ours as it keeps
attempts by default, with token ids and log-probabilities. Ours is the whole path of `gradus sample`: planned asks in,
Parquet parts out. Every answer is max_tokens long (`ignore_eos`), so all clients ask for the same number of tokens.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch
from common import about

from gradus.engine.answers import Listed, Sink, sample
from gradus.engine.models import resolve_model
from gradus.engine.sample import Ask
from gradus.engine.spending import FREE, Budget, open_purse
from gradus.engine.teachers.base import SamplingConfig, TeacherConfig, open_teacher

SECONDS_TO_START = 600
VLLM = [sys.executable, "-m", "vllm.entrypoints.cli.main"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="default")
    parser.add_argument("--requests", type=int, default=4000)
    parser.add_argument("--in-flight", type=int, default=512)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--serve", default="", help="more arguments of `vllm serve`, as one string")
    args = parser.parse_args()
    model = str(resolve_model(args.model))
    prompts = [f"Calculate step by step: what is {i} + {7 * i + 3} * {i % 9 + 2}?" for i in range(args.requests)]
    clients: dict[str, Callable[[str], float]] = {
        "vllm_bench": lambda url: by_vllm(url, model, prompts, args),
        "gradus": lambda url: by_gradus(url, prompts, args, keep=False),
        "gradus_with_logprobs": lambda url: by_gradus(url, prompts, args, keep=True),
    }
    with server(model, args) as url:
        by_gradus(url, prompts[: args.in_flight], args, keep=False)  # the server's first requests are slow
        runs = {name: [] for name in clients}
        for _ in range(args.repeats):
            for name, client in clients.items():
                runs[name].append(round(client(url)))
    middle = {name: statistics.median(values) for name, values in runs.items()}
    shape = {key: vars(args)[key] for key in ("requests", "in_flight", "max_tokens")}
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    result = about(device) | shape | {"output_tokens_per_s": runs, "share_of_vllm_bench": {}}
    for name in ("gradus", "gradus_with_logprobs"):
        result["share_of_vllm_bench"][name] = round(middle[name] / middle["vllm_bench"], 3)
    print(json.dumps(result))


@contextmanager
def server(model: str, args: argparse.Namespace) -> Iterator[str]:
    """Run `vllm serve` on a free port of loopback; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [*VLLM, "serve", model, "--host", "127.0.0.1", "--port", str(port), "--served-model-name", "model"]
    command += ["--max-model-len", "2048", "--max-num-seqs", str(args.in_flight), "--no-enable-prefix-caching"]
    command += ["--disable-uvicorn-access-log", *args.serve.split()]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read().decode(errors="replace")[-6000:])
            raise
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(1)
    raise SystemExit(f"vllm serve did not start: exit code {process.poll()}")


def by_vllm(url: str, model: str, prompts: list[str], args: argparse.Namespace) -> float:
    """Return output tokens a second as `vllm bench serve` counts them."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "prompts.jsonl"
        data.write_text("".join(json.dumps({"prompt": prompt}) + "\n" for prompt in prompts))
        command = [*VLLM, "bench", "serve", "--backend", "openai-chat", "--endpoint", "/v1/chat/completions"]
        command += ["--base-url", url, "--model", "model", "--tokenizer", model, "--dataset-name", "custom"]
        command += ["--dataset-path", str(data), "--skip-chat-template", "--custom-output-len", str(args.max_tokens)]
        command += ["--num-prompts", str(len(prompts)), "--max-concurrency", str(args.in_flight), "--ignore-eos"]
        command += ["--temperature", "0.8", "--disable-tqdm", "--disable-shuffle"]
        command += ["--save-result", "--result-dir", folder, "--result-filename", "result.json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"vllm bench serve failed:\n{(done.stdout + done.stderr)[-4000:]}")
        result: dict[str, Any] = json.loads((Path(folder) / "result.json").read_text())
    if result["completed"] != len(prompts):
        raise SystemExit(f"vllm bench serve completed {result['completed']} of {len(prompts)}")
    return float(result["output_throughput"])


def by_gradus(url: str, prompts: list[str], args: argparse.Namespace, *, keep: bool) -> float:
    """Return output tokens a second of the path that `gradus sample` takes."""
    options = {
        "base_url": f"{url}/v1",
        "max_in_flight": args.in_flight,
        "token_ids": keep,
        "extra_body": {"ignore_eos": True},
    }
    sampling = SamplingConfig(temperature=0.8, max_tokens=args.max_tokens, logprobs=keep)
    asks = [
        Ask(
            problem_id=str(i),
            messages=({"role": "user", "content": prompt},),
            sampler="bench",
            sampling=sampling,
            seed=i,
            index=0,
        )
        for i, prompt in enumerate(prompts)
    ]
    with tempfile.TemporaryDirectory() as folder:
        teacher = open_teacher(TeacherConfig(kind="openai", model="model", options=options))
        purse = open_purse(Path(folder), "sample", teacher.model_id, budget=Budget(), price=FREE)
        start = time.perf_counter()
        try:
            made = sample(Listed(asks), teacher, Sink(Path(folder) / "parts", "sample"), purse=purse)
        finally:
            teacher.close()
        seconds = time.perf_counter() - start
    if made.made != len(prompts):
        raise SystemExit(f"{made.made} of {len(prompts)} attempts were made; {made.failure}")
    return purse.ledger.now.tokens_out / seconds


if __name__ == "__main__":
    main()
