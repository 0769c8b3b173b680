"""Small manifests that are right in every respect, made of lengths alone: what tests spoil, read and train on.

Trace i of a stage has kind kinds[i % len(kinds)] and the tokens 1000 i, 1000 i + 1, …, so that a batch tells what it
holds.
"""

import dataclasses
import hashlib
from collections import Counter

from gradus.curricula import manifest as m
from gradus.curricula.canonical import canonical_bytes
from gradus.curricula.schedule import assign
from gradus.curricula.shards import write_shard

BANDS = {"easy": (0.7, 1.0), "hard": (0.0, 0.3), "medium": (0.3, 0.7)}
STEP = 1000


def make_workspace(root):
    """Make the two folders that a manifest needs."""
    for name in ("manifests", "curricula"):
        (root / name).mkdir(parents=True, exist_ok=True)
    return root


def make_trace(number, length, kind="cot", **changes):
    return {
        "trace_id": f"t{number:08d}",
        "problem_id": f"p{number:08d}",
        "domain": "math",
        "kind": kind,
        "teacher": "teacher-8b",
        "num_attempts": 8,
        "num_passed": 4,
        "pass_rate": 0.5,
        "num_tokens": length,
        "token_ids": [STEP * number + i for i in range(length)],
        "loss_mask": [i > 0 for i in range(length)],
    } | changes


def next_fit(rows, lengths, context_length):
    """Fill one sequence after another, in order."""
    packing = []
    for row in rows:
        if not packing or sum(lengths[one] for one in packing[-1]) + lengths[row] > context_length:
            packing.append([])
        packing[-1].append(row)
    return packing


def scheduled(packed):
    """Return (rows, entry) of every sequence, in an order that keeps to a constant schedule."""
    counts = {name: len(packing) for name, packing in packed.items()}
    shares = {name: count / sum(counts.values()) for name, count in counts.items()}
    left, names = {name: iter(packing) for name, packing in packed.items()}, sorted(packed)
    order = assign(m.Schedule(kind="constant", start=shares, end=shares), counts)
    return [(next(left[names[entry]]), int(entry)) for entry in order]


def make_stage(root, lengths, *, name="s", context_length=10, kinds=("cot",), packing=None, shards=1, row=None):
    """Write a stage; packing is the rows of each sequence (None: next fit), row changes every trace's columns."""
    traces = [make_trace(i, n, kinds[i % len(kinds)]) | (row or {}) for i, n in enumerate(lengths)]
    by_kind = {k: [i for i in range(len(lengths)) if kinds[i % len(kinds)] == k] for k in kinds}
    packed = {f"*/{k}": next_fit(rows, lengths, context_length) for k, rows in by_kind.items() if rows}
    sequences = scheduled(packed) if packing is None else [(rows, 0) for rows in packing]
    size = -(-len(traces) // shards)
    parts = [traces[start : start + size] for start in range(0, len(traces), size)]
    rows = [packing_row(rows, entry, lengths) for rows, entry in sequences]
    return m.Stage(
        name=name,
        context_length=context_length,
        shards=tuple(write_shard(root / "curricula", m.TRACE_SCHEMA, part) for part in parts),
        packing=write_shard(root / "curricula", m.PACKING_SCHEMA, rows),
        num_traces=len(traces),
        **told(sorted(packed), rows, lengths, kinds),
        utilisation=round(sum(row["num_tokens"] for row in rows) / max(1, len(rows) * context_length), 6),
    )


def packing_row(rows, entry, lengths):
    there = [lengths[row] for row in rows if 0 <= row < len(lengths)]
    return {"rows": rows, "entry": entry, "num_tokens": sum(there), "attention": sum(n * n for n in there)}


def told(names, rows, lengths, kinds):
    """Return what a manifest says of a stage's packing rows."""
    entries, tokens = {}, Counter()
    for number, name in enumerate(names):
        mine = [row for row in rows if row["entry"] == number]
        num_tokens = sum(row["num_tokens"] for row in mine)
        documents = sum(len(row["rows"]) for row in mine)
        entries[name] = m.Entry(
            num_sequences=len(mine), num_tokens=num_tokens, num_documents=documents, available_tokens=num_tokens
        )
    for row in rows:
        for trace in row["rows"]:
            if 0 <= trace < len(lengths):
                tokens[f"math/{kinds[trace % len(kinds)]}/teacher-8b/medium"] += lengths[trace]
    total = sum(tokens.values())
    shares = {name: entry.num_sequences / max(1, len(rows)) for name, entry in entries.items()}
    if not rows:
        shares = {name: 1 / len(names) for name in names}
    return {
        "token_budget": total,
        "mixture": {name: round(count / total, 6) for name, count in sorted(tokens.items())},
        "num_tokens": total,
        "num_sequences": len(rows),
        "num_documents": sum(entry.num_documents for entry in entries.values()),
        "schedule": m.Schedule(kind="constant", start=shares, end=shares),
        "entries": entries,
        "policy": "uniform",
    }


def make_manifest(root, *stages, **changes):
    """Write a manifest of stages; return its path."""
    manifest = m.Manifest(
        format=m.FORMAT,
        name="made",
        gradus_version="0",
        policy="",
        seed=0,
        recipe={},
        inputs="",
        tokenizer=m.Tokenizer(model_id="tiny", fingerprint="0"),
        stages=stages,
        dropped={},
        bands=BANDS,
    )
    return write(root, dataclasses.asdict(dataclasses.replace(manifest, **changes)))


def write(root, data):
    """Write a manifest's data, whatever it holds, under the hash that it has."""
    raw = canonical_bytes(data)
    path = root / "manifests" / f"{hashlib.sha256(raw).hexdigest()}.json"
    path.write_bytes(raw)
    return path
