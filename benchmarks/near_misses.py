"""Answers that are certainly wrong though they look right, and certainly right though they look otherwise.

    python benchmarks/near_misses.py [--num 20] [--seed 0] [--family interval]

prints some. Every pair is made from exact values (near_miss/forms.py says how), so its label is no opinion.
What is a matter of taste is left out: (1, 2) for a set's {1, 2}, rounding, converted units, a unit left away.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass

# They register their families.
from near_miss import algebra, closed, hedges, notation, numbers, structures, words  # noqa: F401
from near_miss.forms import FAMILIES


@dataclass(frozen=True, slots=True)
class Pair:
    """An answer beside the expected one; right says whether it should pass."""

    expected: str
    answer: str
    right: bool
    family: str


def pairs(seed: int = 0, families: tuple[str, ...] = ()) -> Iterator[Pair]:
    """Yield different pairs without end, from all families in turn; the same for the same seed."""
    draws = {name: random.Random(zlib.crc32(name.encode()) + seed) for name in families or sorted(FAMILIES)}
    seen: set[tuple[str, str]] = set()
    while True:
        for name, draw in draws.items():
            (expected, value), *forms = FAMILIES[name](draw)
            for answer, other in forms:
                if answer != expected and (expected, answer) not in seen:
                    seen.add((expected, answer))
                    yield Pair(expected, answer, value == other, name)


def near_misses(num: int, seed: int = 0) -> Iterator[Pair]:
    """Yield that many wrong answers."""
    return itertools.islice((pair for pair in pairs(seed) if not pair.right), num)


def rewritings(num: int, seed: int = 0) -> Iterator[Pair]:
    """Yield that many right answers, none written as expected."""
    return itertools.islice((pair for pair in pairs(seed) if pair.right), num)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--family", action="append", choices=sorted(FAMILIES), default=[])
    args = parser.parse_args()
    for pair in itertools.islice(pairs(args.seed, tuple(args.family)), args.num):
        print(json.dumps(asdict(pair), ensure_ascii=False))


if __name__ == "__main__":
    main()
