"""The mathematics verifier beside math-verify, on labelled pairs, in one run.

    python benchmarks/bench_math.py PAIRS.json

PAIRS.json is HardVerify-Math (TinyV): a list of {"ground_truth", "fn_output", "tn_output"}, where the second
is right, though rule-based graders tend to reject it, and the third is wrong.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path

import torch
from common import about

from gradus.verifiers.base import verify


def score(name: str, pairs: list[tuple[str, str, bool]]) -> dict[str, float | int]:
    """Return accuracy, both kinds of error, and milliseconds a verdict."""
    wrong_accepted = right_rejected = 0
    seconds = []
    for expected, answer, right in pairs:
        start = time.perf_counter()
        passed = verify(name, f"\\boxed{{{answer}}}", {"expected": expected}).outcome == "pass"
        seconds.append(time.perf_counter() - start)
        wrong_accepted += passed and not right
        right_rejected += right and not passed
    return {
        "accuracy": 1 - (wrong_accepted + right_rejected) / len(pairs),
        "false_accepts": wrong_accepted,
        "false_rejects": right_rejected,
        "mean_ms": 1000 * statistics.mean(seconds),
        "max_ms": 1000 * max(seconds),
        "per_s": len(pairs) / sum(seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("pairs", type=Path, nargs="?")
    parser.add_argument("--expected", default="ground_truth")
    parser.add_argument("--right", default="fn_output")
    parser.add_argument("--wrong", default="tn_output")
    args = parser.parse_args()
    if args.pairs is None:
        print(json.dumps({"skipped": "bench_math needs a file of labelled pairs"}))
        return
    rows = json.loads(args.pairs.read_text())
    pairs = [(r[args.expected], r[field], field == args.right) for r in rows for field in (args.right, args.wrong)]
    verify("math", "1", {"expected": "1"}), verify("math_verify", "1", {"expected": "1"})  # imports
    result = about(torch.device("cpu")) | {"pairs": len(pairs)}
    print(json.dumps(result | {name: score(name, pairs) for name in ("math", "math_verify")}))


if __name__ == "__main__":
    main()
