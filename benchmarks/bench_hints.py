"""How well talk of a hint is told from talk of a result, and how fast.

    python benchmarks/bench_hints.py [GSM8K.jsonl ...]

The sentences of hint_sentences.py, those the rules were made with and those held out, each by itself: precision and
recall of leaks. Then the false alarms on reference solutions, whose writers were shown nothing: rows of {question,
answer}. The sentences are ours; how often teachers leak in these words, and in others, they do not say.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import torch
from common import about
from hint_sentences import CLEAN, HELD_OUT_CLEAN, HELD_OUT_LEAKING, LEAKING, lines

from gradus.engine.making.hints import mention


def quality(leaking: str, clean: str) -> dict[str, float]:
    """Return precision and recall on sentences, and how many there are."""
    found = sum(bool(mention(sentence)) for sentence in lines(leaking))
    alarms = sum(bool(mention(sentence)) for sentence in lines(clean))
    return {
        "leaking": len(lines(leaking)),
        "clean": len(lines(clean)),
        "recall": round(found / len(lines(leaking)), 3),
        "precision": round(found / (found + alarms), 3),
    }


def false_alarms(paths: list[Path]) -> dict[str, float]:
    """Return how many solutions are said to leak, and how many characters a second are read."""
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    start = time.perf_counter()
    alarms = sum(bool(mention(row["answer"], prompt=row["question"])) for row in rows)
    seconds = time.perf_counter() - start
    size = sum(len(row["answer"]) for row in rows)
    return {"solutions": len(rows), "alarms": alarms, "characters/s": round(size / seconds)}


def main() -> None:
    """Print a JSON line a measure."""
    parser = argparse.ArgumentParser()
    parser.add_argument("solutions", nargs="*", type=Path)
    args = parser.parse_args()
    machine = about(torch.device("cpu"))
    print(json.dumps({"sentences": "made with", **quality(LEAKING, CLEAN), **machine}))
    print(json.dumps({"sentences": "held out", **quality(HELD_OUT_LEAKING, HELD_OUT_CLEAN), **machine}))
    if args.solutions:
        print(json.dumps({**false_alarms(args.solutions), **machine}))


if __name__ == "__main__":
    main()
