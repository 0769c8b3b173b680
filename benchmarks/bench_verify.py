"""`gradus verify` on cheap lines: lines a second and peak memory, by number of lines and workers.

    python benchmarks/bench_verify.py [NUM_LINES …]

A line is a short multiple-choice answer, judged in about 50 µs, so that reading, checking, sending and writing weigh
much; a costlier verifier comes closer to cores × one. "per_s" is of the whole command,
from its start to its end; "floor_s" is its time on one line. Peaks are resident: of the command's main process, of its
largest worker (equal to the first where there is none), and of all its processes together (sampled).
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import torch
from common import about

ENDINGS = ("The answer is B.", "Answer: C", "I cannot tell", "so the second one is right")
SAMPLE_S = 0.05


def write_lines(path: Path, num: int) -> None:
    with path.open("w") as file:
        for n in range(num):
            answer = f"Case {n}.\n{ENDINGS[n % 4]}"
            spec = {"expected": "B", "choices": ["iron", "copper", "zinc", "tin"]}
            file.write(json.dumps({"id": f"r{n}", "verifier": "choice", "answer": answer, "spec": spec}) + "\n")


def run(source: Path, target: Path, workers: int) -> dict[str, float]:
    """Run the command once; seconds, and peaks in MB."""
    options = ["--input", str(source), "--output", str(target), "--workers", str(workers), "--json"]
    start = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "gradus", "verify", *options], stdout=subprocess.DEVNULL)
    watched = psutil.Process(process.pid)
    main = largest = together = 0
    while process.poll() is None:
        try:
            own = watched.memory_info().rss
            others = [child.memory_info().rss for child in watched.children(recursive=True)]
        except psutil.NoSuchProcess:
            continue
        main, largest = max(main, own), max(largest, *others, 0)
        together = max(together, own + sum(others))
        time.sleep(SAMPLE_S)
    seconds = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(process.returncode)
    return {
        "seconds": seconds,
        "main_mb": main / 1e6,
        "worker_mb": (largest or main) / 1e6,
        "together_mb": together / 1e6,
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("num_lines", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    args = parser.parse_args()
    result: dict[str, object] = about(torch.device("cpu"))
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "in.jsonl", Path(folder) / "out.jsonl"
        write_lines(source, 1)
        for workers in (1, 2):
            floors = [run(source, target, workers)["seconds"] for _ in range(3)]
            result[f"floor_s, {workers} workers"] = round(statistics.median(floors), 2)
        for num in args.num_lines:
            write_lines(source, num)
            for workers in (1, 2):
                found = run(source, target, workers)
                if len(target.read_bytes().splitlines()) != num:
                    raise SystemExit(f"{num} lines in, not as many out")
                rounded = {name: round(value, 1) for name, value in found.items()}
                result[f"{num} lines, {workers} workers"] = rounded | {"per_s": round(num / found["seconds"])}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
