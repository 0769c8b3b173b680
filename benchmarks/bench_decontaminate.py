"""How many planted leaks of a benchmark are found, and how many clean rows are dropped with them.

    python benchmarks/bench_decontaminate.py BENCHMARK.jsonl CLEAN.jsonl [--num-items N] [--skip-clean N]

Every item of the benchmark is planted in each of the ways of planting.py, among texts of CLEAN; `planted_200` is
the goal's measure: 200 leaks, as many of each way. Answers are known in the first run and hidden in the second.
CLEAN must not share problems with BENCHMARK: what is dropped of it is printed, to be looked at. The items themselves
with every number in digits changed are clean, too.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from common import about
from planting import NUMBER, WAYS, Way, World, other_numbers, several

from gradus.engine.clean.benchmark import read_benchmark
from gradus.engine.clean.decontaminate import decontaminate
from gradus.engine.clean.leaks import Item, LeakIndex, Thresholds
from gradus.engine.clean.texts import Text


def plant(items: Sequence[Item], way: Way, world: World, *, answers: bool, seed: int) -> list[Text]:
    """Return every item as a leak; the trace-only leak never shows the answer, as its problem is another."""
    rng = random.Random(f"{seed}/{way.__name__}")
    known = answers and way.__name__ != "trace_only"
    return [
        Text(
            f"{way.__name__}/{number}",
            way(item.text, world, rng),
            item.answer if known else "",
            item.functions if known else frozenset(),
        )
        for number, item in enumerate(items)
    ]


def dropped(texts: Sequence[Text], index: LeakIndex) -> dict[str, str]:
    """Return reason by id."""
    reasons: dict[str, str] = {}
    for _ in decontaminate(texts, index, "benchmark", drop=reasons.__setitem__, advance=lambda _: None):
        pass
    return reasons


def measure(items: Sequence[Item], clean: Sequence[Item], *, answers: bool, seed: int) -> dict[str, Any]:
    """Return the share found by way, the 200 of the goal, and what is dropped of the clean rows."""
    index, world = LeakIndex(items, Thresholds()), World([item.text for item in clean])
    found, hits = {}, []
    for way in (*WAYS, several):
        texts = plant(items, way, world, answers=answers, seed=seed)
        reasons = dropped(texts, index)
        # A text that says what it said before was not changed: it is found, but proves nothing.
        changed = [t for t, item in zip(texts, items, strict=True) if t.text != item.text]
        found[way.__name__] = round(sum(t.id in reasons for t in changed) / max(len(changed), 1), 4)
        if way is not several:
            some = random.Random(seed).sample(changed, k=min(20, len(changed)))
            hits += [t.id in reasons for t in some]
    rows = [
        Text(f"clean/{number}", item.text, item.answer if answers else "", item.functions if answers else frozenset())
        for number, item in enumerate(clean)
    ]
    start = time.perf_counter()
    wrong = dropped(rows, index)
    seconds = time.perf_counter() - start
    long = [Text(f"long/{i}", "\n".join(item.text for item in clean[i : i + 20])) for i in range(0, len(clean), 20)]
    varied = plant([item for item in items if NUMBER.search(item.text)], other_numbers, world, answers=False, seed=seed)
    return {
        "found": found,
        "planted_200": f"{sum(hits)}/{len(hits)}",
        "clean_dropped": f"{len(wrong)}/{len(rows)}",
        "clean_joined_by_20_dropped": f"{len(dropped(long, index))}/{len(long)}",
        "same_story_other_numbers_dropped": f"{len(dropped(varied, index))}/{len(varied)}",
        "clean_reasons": list(wrong.values())[:20],
        "clean_rows_per_s": round(len(rows) / seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("benchmark", type=Path, nargs="?")
    parser.add_argument("clean", type=Path, nargs="?")
    parser.add_argument("--num-items", type=int, default=400, help="how many of the benchmark's first items")
    parser.add_argument("--skip-clean", type=int, default=0, help="leave out CLEAN's first rows")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    if args.clean is None:
        print(json.dumps({"skipped": "bench_decontaminate needs a benchmark and a file of clean rows"}))
        return
    items, clean = read_benchmark(args.benchmark)[: args.num_items], read_benchmark(args.clean)[args.skip_clean :]
    result: dict[str, Any] = {"benchmark": args.benchmark.name, "items": len(items), "clean": args.clean.name}
    for name, answers in (("answers_known", True), ("answers_hidden", False)):
        result[name] = measure(items, clean, answers=answers, seed=args.seed)
    print(json.dumps(about(torch.device("cpu")) | result))


if __name__ == "__main__":
    main()
