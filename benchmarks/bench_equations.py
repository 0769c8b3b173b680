"""How often right solutions are called wrong, how many planted slips are found, and how fast equations are read.

    python benchmarks/bench_equations.py [SOLUTIONS.jsonl ...] [--field answer] [--show 20]

Each file holds reference solutions, one a line, under `field`. failed: equations of theirs that do not hold; a
reference may really err, so --show prints some of them to be read. A slip is planted in a fresh copy of a solution: one
digit of a right side that was found to hold is changed, as a computation's result or a chain's last side; found, if an
equation about it fails then. speed: plain sums and products of two to four numbers, each seen once, half of them wrong,
with words around; median of the rounds, in seconds of the processor.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from common import about

from gradus.verifiers.equations import Equation, stated

ROUNDS, NUM_LINES, LINES_A_TEXT = 5, 10_000, 10
_CALCULATOR = re.compile(r"<<[^<>]*>>")
_RESULT = re.compile(r"=\s*\$?(?P<number>\d[\d,.]*\d|\d)$")


def read(path: Path, field: str) -> list[str]:
    return [_CALCULATOR.sub("", json.loads(line)[field]) for line in path.read_text().splitlines() if line.strip()]


def right_ones(texts: Sequence[str], show: int) -> dict[str, Any]:
    """Count what is said of reference solutions."""
    failed, counts = [], Counter[bool | None]()
    start = time.process_time()
    for text in texts:
        for equation in stated(text):
            counts[equation.holds] += 1
            if equation.holds is False:
                failed.append((equation.text, text[max(0, equation.start - 60) : equation.end + 40]))
    seconds = time.process_time() - start
    for equation, around in failed[:show]:
        print(f"failed: {equation!r}\n    in {around!r}")
    decided = counts[True] + counts[False]
    return {
        "solutions": len(texts),
        "equations": counts.total(),
        "decided": decided,
        "failed": counts[False],
        "failed_share": round(counts[False] / max(1, decided), 6),
        "equations/s": round(counts.total() / seconds),
    }


def planted(texts: Sequence[str]) -> dict[str, int | float]:
    """Plant a slip in every solution that states a right result, and count those found."""
    draw, total, found = random.Random(0), 0, 0
    for text in texts:
        holding = [(one, match) for one in stated(text) if one.holds and (match := _RESULT.search(one.text))]
        if not holding:
            continue
        one, match = draw.choice(holding)
        place, spoiled = plant(text, one, match, draw)
        total += 1
        found += any(other.holds is False and other.start <= place < other.end for other in stated(spoiled))
    return {"slips": total, "found": found, "recall": round(found / max(1, total), 4)}


def plant(text: str, one: Equation, match: re.Match[str], draw: random.Random) -> tuple[int, str]:
    """Change a digit of an equation's last number; return where, and the text."""
    digits = [i for i in range(*match.span("number")) if one.text[i].isdigit()]
    place = draw.choice(digits)
    others = set("0123456789") - {one.text[place]} - ({"0"} if place == digits[0] else set())
    at = one.start + place
    return at, text[:at] + draw.choice(sorted(others)) + text[at + 1 :]


def lines(seed: int) -> Iterator[tuple[str, bool]]:
    """Yield sentences with one equation each, and whether it holds."""
    draw = random.Random(seed)
    for i in range(NUM_LINES):
        numbers = [draw.randint(2, 999) for _ in range(draw.randint(2, 4))]
        signs = [draw.choice("+*-") for _ in numbers[1:]]
        side = str(numbers[0]) + "".join(f" {s} {n}" for s, n in zip(signs, numbers[1:], strict=True))
        value = eval(side)  # of digits and signs made two lines above
        wrong = bool(i % 2)
        yield f"So in week {i} that makes {side} = {value + wrong * draw.choice((-10, 7, 100))} clips.", not wrong


def speed() -> dict[str, float]:
    """Time plain arithmetic; a right line that does not hold, or a wrong one that does, ends the benchmark."""
    rates, wrong_found = [], 0
    for seed in range(ROUNDS):
        made = list(lines(seed))
        texts = ["\n".join(line for line, _ in made[i : i + LINES_A_TEXT]) for i in range(0, NUM_LINES, LINES_A_TEXT)]
        start = time.process_time()
        said = [equation.holds for text in texts for equation in stated(text)]
        rates.append(NUM_LINES / (time.process_time() - start))
        known = [holds for _, holds in made]
        if len(said) != len(known) or any((a is True) != b for a, b in zip(said, known, strict=True)):
            raise SystemExit("plain arithmetic was misjudged")
        wrong_found += said.count(False)
    share = round(wrong_found / (ROUNDS * NUM_LINES // 2), 4)
    return {
        "wrong_found": share,
        "equations/s": round(statistics.median(rates)),
        "min": round(min(rates)),
        "max": round(max(rates)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--field", default="answer")
    parser.add_argument("--show", type=int, default=0)
    args = parser.parse_args()
    print(json.dumps({"what": "plain arithmetic", **speed(), **about(torch.device("cpu"))}))
    for path in args.files:
        texts = read(path, args.field)
        found = {"file": path.name, **right_ones(texts, args.show), **planted(texts)}
        print(json.dumps(found | about(torch.device("cpu"))))


if __name__ == "__main__":
    main()
