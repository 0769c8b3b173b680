"""Packing beside TRL's and seqpacker's on the same lengths, and how evenly attention is shared out over ranks.

    python benchmarks/bench_packing.py [--peers DIR] [--sizes 100000 1000000 10000000] [--limit-s 300]

Lengths are log-normal (a median and a sigma), clipped to 200…60,000 tokens; a stage takes those that fit its context.
DIR is a folder of `pip install --target DIR --no-deps trl seqpacker`. What is measured of each:
  ours                 `pack`, its default window; `ours, one window` packs all traces as one, as the peers do
  seqpacker            `Packer.pack_flat`, its default: optimised best fit decreasing, in Rust
  trl                  `_pack_bfd`, which `pack_dataset(strategy="bfd")` maps over a data set, all traces in one batch;
                       it moves the tokens as it packs, so they are made for it, a byte each instead of four
  trl, batches of 1000 the same as `pack_dataset` calls it if it is not told otherwise, with tokens of four bytes

Every packer runs in a process of its own on one core, whose greatest resident memory counts; making lengths and tokens
takes no time, and what comes out is checked. A peer that takes much longer than --limit-s is stopped: its line says so.
The balance is that of batches of 512 sequences: the greatest cost of a data-parallel rank over the mean, as the worst
and the mean of all batches. `naive` gives each rank a run of the batch, in training order. `linear` adds what else a
model computes: 2 FLOPs a parameter and token, beside 2 x layers x width for each pair of tokens, halved by the causal
mask, for Llama 3.1 8B and SmolLM2-135M.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from gradus.curricula.balance import arrange, attention_cost, block_costs, context_parallel, share_out
from gradus.curricula.packing import Ints, Packing, pack

MEDIAN, SIGMA = 4000, 1.0
CONTEXTS = (16, 32, 64)
BATCH = 512
STAGES = {
    "one entry": {1.0: (MEDIAN, SIGMA)},
    "four entries": {0.45: (1500, 0.8), 0.35: (6000, 0.9), 0.17: (12_000, 0.8), 0.03: (3000, 1.2)},
}
"""Share of the sequences: median and sigma of the lengths."""
MODELS = {"Llama 3.1 8B": (8.03e9, 32, 4096), "SmolLM2-135M": (134.5e6, 30, 576)}
"""Parameters, layers, width."""


def traces(count: int, context: int, *, median: int = MEDIAN, sigma: float = SIGMA) -> Ints:
    """Return count lengths that fit the context, in thousands of tokens; the same at every call."""
    found = np.empty(0, np.int64)
    rng = np.random.default_rng(0)
    while len(found) < count:
        lengths = np.clip(rng.lognormal(np.log(median), sigma, count), 200, 60_000).astype(np.int64)
        found = np.concatenate([found, lengths[lengths <= context * 1024]])
    return found[:count]


def checked(lengths: Ints, packing: Packing, capacity: int) -> int:
    """Return the number of sequences after proof that each trace is in one, and none too long."""
    assert np.array_equal(np.sort(packing.rows), np.arange(len(lengths)))
    assert np.add.reduceat(lengths[packing.rows], packing.offsets[:-1]).max() <= capacity
    return len(packing)


Packed = tuple[float, int, int]
"""Seconds, sequences, and how many of the traces they hold."""


def ours(lengths: Ints, capacity: int, window: int | None = None) -> Packed:
    start = time.perf_counter()
    packing = pack(lengths, capacity, window=window)
    return time.perf_counter() - start, checked(lengths, packing, capacity), len(lengths)


def seqpacker(lengths: Ints, capacity: int) -> Packed:
    from seqpacker import Packer

    packer = Packer(capacity)
    start = time.perf_counter()
    rows, splits = packer.pack_flat(lengths)
    seconds = time.perf_counter() - start
    return seconds, checked(lengths, Packing(rows, np.concatenate([[0], splits, [len(rows)]])), capacity), len(lengths)


def trl(lengths: Ints, capacity: int, limit_s: float, batch: int) -> Packed:
    """Pack batch by batch until all is packed or the time is up."""
    import pyarrow as pa
    from trl.data_utils import _pack_bfd

    seconds, num_sequences, done = 0.0, 0, 0
    while done < len(lengths) and seconds < limit_s:
        part = lengths[done : done + batch]
        offsets = np.concatenate([[0], np.cumsum(part)])
        if batch < len(lengths):
            tokens = pa.ListArray.from_arrays(offsets.astype(np.int32), np.zeros(offsets[-1], np.int32))
        else:
            tokens = pa.LargeListArray.from_arrays(offsets, np.zeros(offsets[-1], np.int8))
        table = pa.table({"input_ids": tokens})
        start = time.perf_counter()
        packed = _pack_bfd(table, capacity)
        seconds += time.perf_counter() - start
        assert len(packed["input_ids"].combine_chunks().flatten()) == offsets[-1]
        num_sequences, done = num_sequences + len(packed), done + len(part)
    return seconds, num_sequences, done


PACKERS: dict[str, Callable[[Ints, int, float], Packed]] = {
    "ours": lambda lengths, capacity, _: ours(lengths, capacity),
    "ours, one window": lambda lengths, capacity, _: ours(lengths, capacity, len(lengths)),
    "seqpacker": lambda lengths, capacity, _: seqpacker(lengths, capacity),
    "trl": lambda lengths, capacity, limit_s: trl(lengths, capacity, limit_s, len(lengths)),
    "trl, batches of 1000": lambda lengths, capacity, limit_s: trl(lengths, capacity, limit_s, 1000),
}
"""The last argument is a limit in seconds."""
ONE_CORE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")


def measure(packer: str, count: int, context: int, limit_s: float) -> dict[str, Any]:
    """Run one packer in this process."""
    lengths = traces(count, context)
    seconds, num_sequences, done = PACKERS[packer](lengths, context * 1024, limit_s)
    return {
        "seconds": round(seconds, 3),
        "traces": done,
        "sequences": num_sequences,
        "utilisation": round(float(lengths[:done].sum() / (num_sequences * context * 1024)), 5),
        "peak_mib": peak_mib(),
    }


def peak_mib() -> int:
    """Return this process's greatest resident memory; getrusage would count the process that started it too."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM"))


def measured_alone(packer: str, count: int, context: int, args: argparse.Namespace) -> dict[str, Any]:
    """Run one packer in a process of its own; say why if nothing comes of it."""
    patience_s = 2 * args.limit_s + 60
    command = [sys.executable, __file__, "--measure", packer, str(count), str(context), "--limit-s", str(args.limit_s)]
    path = os.pathsep.join(filter(None, [args.peers, os.environ.get("PYTHONPATH")]))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    # TRL holds the tokens some four times over while it packs.
    if packer == "trl" and 4 * int(traces(count, context).sum()) > 0.7 * memory:
        return {"stopped": "its tokens, a byte each and four times over, do not fit this machine's memory"}
    try:
        done = subprocess.run(
            command,
            env=os.environ | ONE_CORE | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=patience_s,
        )
    except subprocess.TimeoutExpired:
        return {"stopped": f"not done after {patience_s:g} s, the import and the making of lengths and tokens included"}
    if done.returncode:
        return {"stopped": (done.stderr.strip().splitlines() or [f"exit {done.returncode}"])[-1]}
    found: dict[str, Any] = json.loads(done.stdout)
    return found | ({"stopped": f"after {args.limit_s} s"} if found["traces"] < count else {})


def speed(args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield seconds, memory and utilisation of every packer at every size, at a context of 64K."""
    for count in args.sizes:
        for packer in PACKERS if args.peers else ("ours", "ours, one window"):
            yield {"packer": packer, "wanted": count, "context": 64} | measured_alone(packer, count, 64, args)


def windows() -> Iterator[dict[str, Any]]:
    """Yield what each width of window gives: utilisation, and how far traces move, in sequences."""
    for context in CONTEXTS:
        lengths = traces(200_000, context)
        per_sequence = context * 1024 / lengths.mean()
        for window in (16, 64, 128, 256, 512, 1024, 2048, len(lengths)):
            start = time.perf_counter()
            packing = pack(lengths, context * 1024, window=window)
            seconds = time.perf_counter() - start
            moved = np.abs(packing.rows - np.arange(len(lengths))) / per_sequence
            yield {
                "context": context,
                "window": window if window < len(packing) else "all",
                "seconds": round(seconds, 2),
                "utilisation": round(float(lengths.sum() / (len(packing) * context * 1024)), 5),
                "mean_moved": round(float(moved.mean()), 1),
                "most_moved": round(float(moved.max()), 1),
            }


def mixes() -> Iterator[dict[str, Any]]:
    """Yield the utilisation of other mixes, beside the most that any packing could reach."""
    for context in CONTEXTS:
        for median in (1500, 4000, 10_000):
            for sigma in (0.7, 1.0, 1.3):
                lengths = traces(200_000, context, median=median, sigma=sigma)
                num_sequences = checked(lengths, pack(lengths, context * 1024), context * 1024)
                share = float(lengths.sum() / (context * 1024))
                yield {
                    "context": context,
                    "median": median,
                    "sigma": sigma,
                    "mean": round(float(lengths.mean())),
                    "utilisation": round(share / num_sequences, 5),
                    "possible": round(share / least_sequences(lengths, context * 1024), 5),
                }


def least_sequences(lengths: Ints, capacity: int) -> int:
    """Return a number of sequences that no packing can go below: L2 of Martello and Toth (1990).

    Of the traces of `small` or more, those longer than capacity - small are alone, no two longer than half go together,
    and the rest have the room beside these.
    """
    rising = np.sort(lengths)
    sums = np.concatenate([[0], np.cumsum(rising)])
    small = np.unique(rising[rising <= capacity // 2])
    small = np.append(small, capacity // 2 + 1)
    first, half, alone = (
        np.searchsorted(rising, value, side=side)
        for value, side in ((small, "left"), (capacity // 2, "right"), (capacity - small, "right"))
    )
    room = (alone - half) * capacity - (sums[alone] - sums[half])
    lacking = np.maximum(0, sums[half] - sums[np.minimum(first, half)] - room)
    return int((len(rising) - half + -(-lacking // capacity)).max())


def imbalance(costs: Ints, shares: Ints) -> tuple[float, float]:
    """Return the worst and the mean over batches of max/mean over ranks. shares: (batches, ranks), their costs."""
    ratios = shares.max(axis=1) * shares.shape[1] / costs.reshape(len(shares), -1).sum(axis=1)
    return round(float(ratios.max()), 4), round(float(ratios.mean()), 4)


def shared(costs: Ints, ranks: int) -> Ints:
    """Return (batches, ranks): what share_out gives each rank of a batch."""
    return np.array([[batch[share].sum() for share in share_out(batch, ranks)] for batch in costs.reshape(-1, BATCH)])


def packed(count: int, context: int, median: int, sigma: float) -> Ints:
    """Return the attention of the sequences that count traces make."""
    lengths = traces(count, context, median=median, sigma=sigma)
    packing = pack(lengths, context * 1024)
    return attention_cost(lengths[packing.rows], packing.offsets)


def stage(entries: dict[float, tuple[int, float]], context: int) -> tuple[Ints, Ints]:
    """Return costs and entries of a stage's sequences, each entry evenly spread by its share; whole batches."""
    costs = [packed(int(400_000 * share), context, *mix) for share, mix in entries.items()]
    most = min(len(own) / share for own, share in zip(costs, entries, strict=True))
    counts = [int(most * share) for share in entries]
    place = np.concatenate([(np.arange(count) + 0.5) / count for count in counts])
    merged = np.argsort(place, kind="stable")[: sum(counts) // BATCH * BATCH]
    of = np.repeat(np.arange(len(counts)), counts)
    return np.concatenate([own[:count] for own, count in zip(costs, counts, strict=True)])[merged], of[merged]


def balance() -> Iterator[dict[str, Any]]:
    """Yield the balance over data-parallel ranks: naive, by stride, shared out, and shared out of arranged batches."""
    for name, mixes in STAGES.items():
        for context in CONTEXTS:
            costs, entries = stage(mixes, context)
            for ranks in (8, 16, 32, 64, 128, 256, 512):
                yield {"stage": name, "context": context, "ranks": ranks} | balanced(costs, entries, context, ranks)


def balanced(costs: Ints, entries: Ints, context: int, ranks: int) -> dict[str, Any]:
    """Compare ways to share out batches: (worst, mean) of the imbalance."""
    batches = costs.reshape(-1, BATCH)
    naive = batches.reshape(len(batches), ranks, -1).sum(axis=2)
    start = time.perf_counter()
    order = arrange(costs, entries, batch_sequences=BATCH, ranks=ranks)
    arranging = time.perf_counter() - start
    even = shared(costs[order], ranks)
    return {
        "batches": len(batches),
        "naive": imbalance(costs, naive),
        "stride": imbalance(costs, batches.reshape(len(batches), -1, ranks).sum(axis=1)),
        "share_out": imbalance(costs, shared(costs, ranks)),
        "arranged": imbalance(costs[order], even),
        "arrange_s": round(arranging, 1),
        "moved_batches": round(float(np.abs(order - np.arange(len(order))).mean() / BATCH), 1),
        "linear": {
            model: {
                "naive": with_linear(costs, naive, context * 1024, size),
                "arranged": with_linear(costs[order], even, context * 1024, size),
            }
            for model, size in MODELS.items()
        },
    }


def with_linear(costs: Ints, shares: Ints, tokens: int, size: tuple[float, int, int]) -> tuple[float, float]:
    """Return the imbalance of all FLOPs of a forward pass."""
    parameters, layers, width = size
    each, attention = 2 * parameters * tokens, 2 * layers * width
    return imbalance(costs * attention + each, shares * attention + each * (BATCH // shares.shape[1]))


def context() -> Iterator[dict[str, Any]]:
    """Yield the balance over the ranks that share a sequence, in blocks of 128 queries: worst and mean of 1,000."""
    for length in CONTEXTS:
        lengths = traces(20_000, length)
        packed = [lengths[rows] for rows in pack(lengths, length * 1024)]
        documents = [own for own in packed if own.sum() > 0.95 * length * 1024][:1000]
        for ranks in (2, 4, 8, 16):
            ratios = np.array([_context_ratios(own, ranks) for own in documents])
            worst, mean = ratios.max(axis=0).round(4).tolist(), ratios.mean(axis=0).round(4).tolist()
            ways = ("contiguous", "head and tail", "dealt by cost")
            yield {"context": length, "ranks": ranks} | dict(zip(ways, zip(worst, mean, strict=True), strict=True))


def _context_ratios(lengths: Ints, ranks: int) -> list[float]:
    chunks = [int(part.sum()) for part in np.array_split(block_costs(lengths), 2 * ranks)]
    contiguous = np.array(chunks[::2]) + chunks[1::2]
    head_and_tail = np.array(chunks[:ranks]) + chunks[ranks:][::-1]
    return [float(c.max() / c.mean()) for c in (contiguous, head_and_tail, context_parallel(lengths, ranks))]


SECTIONS: dict[str, Callable[[argparse.Namespace], Iterator[dict[str, Any]]]] = {
    "speed": speed,
    "windows": lambda _: windows(),
    "mixes": lambda _: mixes(),
    "balance": lambda _: balance(),
    "context": lambda _: context(),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="", help="folder with trl and seqpacker")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--limit-s", type=float, default=300.0, help="for one peer at one size")
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--measure", nargs=3, metavar=("PACKER", "COUNT", "CONTEXT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.measure:
        packer, count, thousands = args.measure
        print(json.dumps(measure(packer, int(count), int(thousands), args.limit_s)))
        return
    # Not at the top: the processes that are measured need none of it.
    import torch
    from common import about

    machine = about(torch.device("cpu"))
    for section in args.only:
        for line in SECTIONS[section](args):
            print(json.dumps({"benchmark": f"packing, {section}"} | line | machine), flush=True)


if __name__ == "__main__":
    main()
