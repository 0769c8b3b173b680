"""The mathematics verifier beside math-verify, in one run; a JSON line for each part.

    python benchmarks/bench_math.py [--hardverify PAIRS.json] [--suite math_verify-0.9.0.tar.gz]
        [--words GSM8K.jsonl …] [--near-misses 100000] [--peer-sample 1000] [--skip-peer]

hardverify   labelled pairs that rule-based graders find hard (TinyV's HardVerify-Math)
suite        the labelled pairs among math-verify's own tests, read from its source distribution
throughput   right and wrong answers to word problems and reasoning-gym's problems, half and half
near_misses  certainly wrong answers, and certainly right ones written otherwise (near_misses.py); one in
             four is stated in a sentence, the others in a box
adversarial  answers written to stall (math_adversarial.py), in the main thread and in another one

Without paths the first two are left out and the third has reasoning-gym's problems alone. `per_s` is
verdicts a second in one process. The peer judges the same pairs, but of near-misses and of the
throughput mix an even sample of --peer-sample, and eight of the adversarial answers:
each may take its five seconds.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import threading
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from common import about
from math_adversarial import ADVERSARIAL, FOR_THE_PEER
from math_pairs import Labelled, generated, hardverify, suite, word_problems
from near_misses import Pair, near_misses, rewritings

from gradus.verifiers.base import verify
from gradus.verifiers.formula.symbolic import warm_up

PEER = "math_verify"


def judge(name: str, pairs: Sequence[Labelled]) -> tuple[list[bool], list[float]]:
    """Return for every pair whether the response passes, and the milliseconds that took."""
    passes, times = [], []
    gc.freeze()  # else a collection walks torch and all pairs, and some verdict is charged a third of a second for it
    for pair in pairs:
        spec: dict[str, Any] = {"expected": pair.expected}
        if pair.tolerance is not None and name != PEER:
            spec["tolerance"] = pair.tolerance
        start = time.perf_counter()
        passes.append(verify(name, pair.response, spec).outcome == "pass")
        times.append(1000 * (time.perf_counter() - start))
    return passes, times


def latency(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    quantiles = {f"p{100 * q:g}_ms": ordered[min(int(q * len(ordered)), len(ordered) - 1)] for q in (0.5, 0.99, 0.999)}
    per_s = {"per_s": 1000 * len(times) / sum(times)}
    return {key: round(value, 3) for key, value in (quantiles | {"max_ms": ordered[-1]} | per_s).items()}


def score(name: str, pairs: Sequence[Labelled]) -> dict[str, float]:
    return summary(pairs, *judge(name, pairs))


def summary(pairs: Sequence[Labelled], passes: Sequence[bool], times: Sequence[float]) -> dict[str, float]:
    """Return accuracy, both kinds of error, and the time."""
    wrong_accepted = sum(passed and not pair.right for passed, pair in zip(passes, pairs, strict=True))
    right_rejected = sum(pair.right and not passed for passed, pair in zip(passes, pairs, strict=True))
    errors = {"wrong_accepted": wrong_accepted, "right_rejected": right_rejected}
    return {"pairs": len(pairs), "accuracy": 1 - sum(errors.values()) / len(pairs)} | errors | latency(times)


def compare(pairs: Sequence[Labelled], peer_pairs: Sequence[Labelled]) -> dict[str, Any]:
    """Score ours on all pairs, and the peer on its own if there are any."""
    return {"math": score("math", pairs)} | ({PEER: score(PEER, peer_pairs)} if peer_pairs else {})


def sampled(pairs: Sequence[Labelled], num: int) -> Sequence[Labelled]:
    """Return about num of the pairs, evenly."""
    return pairs[:: max(1, len(pairs) // num)] if num else []


def stated(index: int, pair: Pair) -> Labelled:
    text = f"So the final answer is ${pair.answer}$." if index % 4 == 3 else rf"\boxed{{{pair.answer}}}"
    return Labelled(pair.expected, text, pair.right)


def bench_near_misses(num: int, num_peer: int) -> dict[str, Any]:
    """Judge num wrong answers and a third as many right ones, and name the families with errors."""
    result: dict[str, Any] = {}
    for kind, made in (("wrong", near_misses(num)), ("right", rewritings(num // 3))):
        pairs = list(made)
        labelled = [stated(index, pair) for index, pair in enumerate(pairs)]
        passes, times = judge("math", labelled)
        result[kind] = {"math": summary(labelled, passes, times)}
        if num_peer:
            result[kind][PEER] = score(PEER, sampled(labelled, num_peer))
        faults = Counter(p.family for p, passed in zip(pairs, passes, strict=True) if passed != p.right)
        result[kind]["faults_by_family"] = dict(faults.most_common())
    return result


def bench_adversarial(with_peer: bool) -> dict[str, Any]:
    """Judge every hostile answer boxed and bare, in both kinds of thread."""
    pairs = [Labelled(e, text, False) for e, answer in ADVERSARIAL for text in (rf"\boxed{{{answer}}}", answer)]
    result: dict[str, Any] = {"math": score("math", pairs)}
    thread = threading.Thread(target=lambda: result.update(math_in_a_thread=score("math", pairs)))
    thread.start()
    thread.join()
    if with_peer:
        result[PEER] = score(PEER, [Labelled(e, rf"\boxed{{{answer}}}", False) for e, answer in FOR_THE_PEER])
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hardverify", type=Path)
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--words", type=Path, nargs="*", default=[])
    parser.add_argument("--generated", type=int, default=100, help="problems of each reasoning-gym generator")
    parser.add_argument("--near-misses", type=int, default=100_000)
    parser.add_argument("--peer-sample", type=int, default=1000)
    parser.add_argument("--skip-peer", action="store_true")
    args = parser.parse_args()
    num_peer = 0 if args.skip_peer else args.peer_sample
    logging.disable()  # the peer logs every answer that it runs out of time for
    for name in ("math", *((PEER,) if num_peer else ())):
        verify(name, r"\boxed{\sqrt{8}}", {"expected": r"2\sqrt{2}"})  # imports
    warm_up()
    device = about(torch.device("cpu"))

    def tell(part: str, result: dict[str, Any]) -> None:
        print(json.dumps({"part": part} | device | result), flush=True)

    for part, path, read in (("hardverify", args.hardverify, hardverify), ("suite", args.suite, suite)):
        if path:
            pairs = list(read(path))
            tell(part, compare(pairs, pairs if num_peer else []))
    mix = [*(pair for path in args.words for pair in word_problems(path)), *generated(args.generated)]
    tell("throughput", {"words": [path.name for path in args.words]} | compare(mix, sampled(mix, num_peer)))
    tell("near_misses", bench_near_misses(args.near_misses, num_peer))
    tell("adversarial", bench_adversarial(bool(num_peer)))


if __name__ == "__main__":
    main()
