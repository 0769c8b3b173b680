"""SFT tokens a second: our trainer beside a plain transformers loop, on the same tokens in the same run.

    python benchmarks/bench_sft.py [--model FOLDER] [--context 256] [--rows 2] [--steps 6]

Both take the default model in float32 (on a GPU: float32 weights, bfloat16 matrix products), the same
random documents and AdamW. Packed documents do not see each other in ours; the plain loop lets them. It
runs first, before our trainer sets the process's allocator up: a plain loop has glibc's.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from common import about
from transformers import AutoModelForCausalLM

from gradus.engine.models import resolve_model
from gradus.trainer import platform as platforms
from gradus.trainer.batch import Batch, Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.learner import Learner
from gradus.trainer.sft import train_step


def make_batch(context: int, rows: int, vocabulary: int) -> Batch:
    """Fill every row with documents of 20 to 200 tokens."""
    rng = np.random.default_rng(0)

    def row() -> list[Document]:
        documents, left = [], context
        while left:
            length = min(left, int(rng.integers(20, 200)))
            documents.append(Document(rng.integers(0, vocabulary, length), np.ones(length, bool)))
            left -= length
        return documents

    return collate([row() for _ in range(rows)], context)


def ours(folder: Path, batch: Batch, platform: platforms.Platform, optim: OptimConfig) -> Callable[[], float]:
    context = batch.tokens_BT.shape[1]
    learner = Learner(folder, platform, context_length=context, optim=optim, num_updates=1000, compute=ComputeConfig())
    return lambda: train_step(learner, [batch])["loss"]


def plain(folder: Path, batch: Batch, device: torch.device, optim: OptimConfig) -> Callable[[], float]:
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(device).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=optim.lr, weight_decay=optim.weight_decay, fused=True)
    tokens, labels = batch.tokens_BT.to(device), batch.labels_BT.to(device)

    def step() -> float:
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            logits = model(tokens).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optim.max_norm)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss)

    return step


def measure(step: Callable[[], float], num_tokens: int, steps: int) -> dict[str, float]:
    for _ in range(2):
        step()
    seconds = []
    for _ in range(steps):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    rates = [num_tokens / s for s in seconds]
    return {"median": statistics.median(rates), "min": min(rates), "max": max(rates)}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="default")
    parser.add_argument("--context", type=int, default=256)
    parser.add_argument("--rows", type=int, default=2)
    parser.add_argument("--steps", type=int, default=6)
    args = parser.parse_args()
    folder, device = resolve_model(args.model), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    batch = make_batch(args.context, args.rows, vocabulary)
    result = about(device) | {"rows": args.rows, "context": args.context, "unit": "tokens/s"}
    makers = {
        "plain": lambda: plain(folder, batch, device, OptimConfig()),
        "ours": lambda: ours(folder, batch, platforms.start(), OptimConfig()),
    }
    for name, make in makers.items():
        result[name] = measure(make(), batch.tokens_BT.numel(), args.steps)
        if device.type == "cuda":
            result[name]["peak_gib"] = torch.cuda.max_memory_allocated() / 2**30
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
    platforms.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
