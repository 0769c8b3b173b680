"""MinHash signatures beside datatrove's, datasketch's and rensa's, one core, and what dedupe keeps and drops.

    python benchmarks/bench_dedupe.py TEXTS.jsonl [--repeat 5]

TEXTS has a prompt column as benchmarks have; GSM8K's training rows will do. Every library turns the same documents
into 112 hashes of their 5-token shingles, from text to signature, without writing anything: ours with the tokens of
`engine/clean/text.py`, datatrove with its own normalisation and its English tokenizer (spaCy), the other two with our
tokens, as they bring none. A library that cannot be imported is named as missing: datatrove needs spacy, regex and
xxhash<4, datasketch scipy.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

import numpy as np
import torch
from common import about

from gradus.engine.clean.benchmark import read_benchmark
from gradus.engine.clean.dedupe import DedupeConfig, dedupe
from gradus.engine.clean.guard import guard
from gradus.engine.clean.minhash import jaccard, shingle, signatures
from gradus.engine.clean.text import tokens
from gradus.engine.clean.texts import Text

NUM_HASHES, SHINGLE = 112, 5
Sign = Callable[[Sequence[str]], object]


def ours(texts: Sequence[str]) -> object:
    return signatures(shingle([tokens(text) for text in texts], SHINGLE), NUM_HASHES)


def datatrove() -> Sign:
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    step = MinhashDedupSignature("/tmp/never-written", MinhashConfig(n_grams=SHINGLE, num_buckets=14))
    step.get_shingles("The tokenizer is loaded now, and not while the clock runs.")
    return lambda texts: [step.get_signature(step.get_shingles(text)) for text in texts]


def datasketch() -> Sign:
    from datasketch import MinHash

    def sign(texts: Sequence[str]) -> object:
        def shingles(words: list[str]) -> list[bytes]:
            return [" ".join(words[i : i + SHINGLE]).encode() for i in range(len(words))]

        return MinHash.bulk([shingles(tokens(text)) for text in texts], num_perm=NUM_HASHES)

    return sign


def rensa() -> Sign:
    from rensa import RMinHash

    def sign(texts: Sequence[str]) -> object:
        found = shingle([tokens(text) for text in texts], SHINGLE)
        offsets = found.offsets.astype(np.uint64)
        matrix = RMinHash.digest_matrix_from_flat_token_hashes(found.hashes, offsets, NUM_HASHES, 1)
        return np.array(matrix.to_rows(), dtype=np.uint32)

    return sign


def per_s(sign: Sign, texts: Sequence[str], repeat: int) -> dict[str, float]:
    """Return documents a second: median, and the spread between the fastest and the slowest."""
    rates = []
    for _ in range(repeat):
        start = time.perf_counter()
        sign(texts)
        rates.append(len(texts) / (time.perf_counter() - start))
    return {"docs_per_s": round(statistics.median(rates)), "spread": round(max(rates) / min(rates) - 1, 2)}


def throughput(texts: Sequence[str], repeat: int) -> dict[str, Any]:
    """Measure every library that is there, in turn, on the same documents."""
    result: dict[str, Any] = {"docs": len(texts), "words": round(statistics.mean(len(t.split()) for t in texts))}
    result["gradus"] = per_s(ours, texts, repeat)
    for load in (datatrove, datasketch, rensa):
        try:
            sign = load()
        except ImportError as error:
            result[load.__name__] = {"missing": str(error).splitlines()[0]}
            continue
        rate = per_s(sign, texts, repeat)
        times = round(result["gradus"]["docs_per_s"] / rate["docs_per_s"], 1)
        result[load.__name__] = rate | {"gradus_is_times_faster": times}
    return result


def long_documents(texts: Sequence[str], num: int, words: int) -> list[str]:
    """Join texts to documents of about so many words."""
    rng = random.Random(0)
    documents = []
    for _ in range(num):
        parts: list[str] = []
        while sum(len(part.split()) for part in parts) < words:
            parts.append(rng.choice(texts))
        documents.append(" ".join(parts))
    return documents


def kept_of_templated(near: bool) -> int:
    """Return how many of 500 problems from one template, with other numbers, stay."""
    template = "Tom has {} apples and buys {} more at the market near his house. How many apples does he have?"
    pairs = [(number, 3 * number + 7) for number in range(2, 502)]
    texts = [Text(f"{i:08d}", template.format(*pair), str(sum(pair))) for i, pair in enumerate(pairs)]
    return sum(1 for _ in dedupe(lambda: texts, DedupeConfig(near=near), drop=lambda *_: None))


def recall(texts: Sequence[str], threshold: float) -> dict[str, float]:
    """Return the share of changed pairs that near dedupe drops, of those that its definition calls duplicates."""
    rng, found, true = random.Random(1), 0, 0
    for number, text in enumerate(texts):
        words = text.split()
        for place in rng.sample(range(len(words)), k=max(len(words) // 30, 1)):
            if words[place].isalpha():
                words[place] = rng.choice(("indeed", "really", "surely"))
        pair = [Text(f"{number}a", text, "x"), Text(f"{number}b", " ".join(words), "x")]
        one, two = (np.unique(shingle([tokens(t.text)], 3)[0]) for t in pair)
        kept = sum(1 for _ in dedupe(lambda pair=pair: pair, DedupeConfig(near=True), drop=lambda *_: None))  # type: ignore[misc]
        alike = guard(tokens(pair[0].text), "") == guard(tokens(pair[1].text), "") and jaccard(one, two) >= threshold
        if alike and pair[0].text != pair[1].text:
            true += 1
            found += kept == 1
    return {"pairs": true, "recall": round(found / max(true, 1), 4)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("texts", type=Path, nargs="?")
    parser.add_argument("--repeat", type=int, default=5)
    args = parser.parse_args()
    if args.texts is None:
        print(json.dumps({"skipped": "bench_dedupe needs a file of texts"}))
        return
    items = read_benchmark(args.texts)
    texts = [item.text for item in items]
    result: dict[str, Any] = about(torch.device("cpu")) | {"texts": args.texts.name}
    result["problems"] = throughput(texts[:1000], args.repeat)
    result["documents"] = throughput(long_documents(texts, 200, 600), args.repeat)
    result["templated_500_kept"] = {"exact": kept_of_templated(False), "near": kept_of_templated(True)}
    result["reworded"] = recall(texts[:1000], DedupeConfig().threshold)
    rows = [Text(f"{i:08d}", item.text, item.answer) for i, item in enumerate(items)]
    start = time.perf_counter()
    kept = sum(1 for _ in dedupe(lambda: rows, DedupeConfig(near=True), drop=lambda *_: None))
    result["near_dedupe"] = {
        "in": len(rows),
        "kept": kept,
        "rows_per_s": round(len(rows) / (time.perf_counter() - start)),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
