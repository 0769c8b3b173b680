"""Tokens a second and model FLOPs utilisation of supervised steps on one GPU, beside transformers with Liger's kernels.

    python benchmarks/bench_train.py [--model qwen3-0.6b] [--context 16384] [--documents whole|packed] [--steps 10]
        [--activation-checkpointing none] [--optimizer adamw] [--peer]

Random weights of the model's dimensions and random tokens: what is computed is the same. `whole` fills each sequence
with one document; `packed` with documents of 200 tokens and more, log-normal around 4,000, that do not see each other.

FLOPs of a token: 6 for each parameter (embeddings tied to the head are one) and 6 · layers · heads · head size · length
of its document, causal attention being half of all pairs. What is computed again is not counted. MFU is against
989 TFLOP/s, the dense bfloat16 peak of an H100 SXM; prime-rl's published figures come out of the same formula.

The peer is transformers' model in bfloat16 autocast with Liger's fused cross-entropy, norms, SwiGLU and RoPE, PyTorch's
causal attention (which sees across documents, so compare `whole`), and fused AdamW.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import about
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedConfig, Qwen3Config

from gradus.trainer import platform as platforms
from gradus.trainer.batch import Batch, Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.learner import Learner
from gradus.trainer.sft import train_step

PEAK = 989e12
MODELS: dict[str, Callable[[], PreTrainedConfig]] = {
    "qwen3-0.6b": lambda: Qwen3Config(
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        vocab_size=151936,
        tie_word_embeddings=True,
        max_position_embeddings=131072,
    ),
    "smollm2-135m": lambda: LlamaConfig(
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        head_dim=64,
        vocab_size=49152,
        tie_word_embeddings=True,
        max_position_embeddings=131072,
    ),
}


def write_model(name: str, folder: Path) -> None:
    torch.manual_seed(0)
    with torch.device("cuda"):
        model = AutoModelForCausalLM.from_config(MODELS[name](), dtype=torch.bfloat16)
    model.save_pretrained(folder)


def lengths(rng: np.random.Generator, context: int, documents: str) -> Iterator[int]:
    left = context
    while left:
        drawn = context if documents == "whole" else int(rng.lognormal(np.log(4000), 1.0))
        length = min(left, max(200, drawn))
        left -= length
        yield length


def make_batch(args: argparse.Namespace, vocabulary: int) -> Batch:
    rng = np.random.default_rng(0)

    def row() -> list[Document]:
        sizes = lengths(rng, args.context, args.documents)
        return [Document(rng.integers(0, vocabulary, n), np.ones(n, bool)) for n in sizes]

    return collate([row() for _ in range(args.rows)], args.context)


def flops(config: PreTrainedConfig, batch: Batch, num_params: int) -> float:
    """Return the FLOPs of a step, forward and backward."""
    attention = 6 * config.num_hidden_layers * config.num_attention_heads * config.head_dim
    _, sizes = batch.document_BT.flatten().unique(return_counts=True)
    return float(6 * num_params * batch.tokens_BT.numel() + attention * (sizes.double() ** 2).sum())


def ours(folder: Path, batch: Batch, args: argparse.Namespace, platform: platforms.Platform) -> Callable[[], Any]:
    compute = ComputeConfig(activation_checkpointing=args.activation_checkpointing)
    learner = Learner(
        folder,
        platform,
        context_length=args.context,
        optim=OptimConfig(name=args.optimizer),
        num_updates=1000,
        compute=compute,
    )
    batch = batch.to(platform.device)
    return lambda: train_step(learner, [batch])["loss"]


def peer(folder: Path, batch: Batch, args: argparse.Namespace, platform: platforms.Platform) -> Callable[[], Any]:
    from liger_kernel.transformers import AutoLigerKernelForCausalLM

    model = AutoLigerKernelForCausalLM.from_pretrained(folder, dtype=torch.float32).to(platform.device).train()
    if args.activation_checkpointing != "none":
        model.gradient_checkpointing_enable()
    optim = OptimConfig()
    optimizer = torch.optim.AdamW(model.parameters(), lr=optim.lr, weight_decay=optim.weight_decay, fused=True)
    tokens = batch.tokens_BT.to(platform.device)

    def step() -> float:
        with torch.autocast("cuda", torch.bfloat16):
            loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optim.max_norm)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss)

    return step


def measure(step: Callable[[], Any], steps: int) -> dict[str, float]:
    """Return seconds a step, median and range, and what memory they took at most."""
    start = time.perf_counter()
    for _ in range(3):
        step()
    warmup_s = time.perf_counter() - start
    torch.cuda.reset_peak_memory_stats()
    seconds = []
    for _ in range(steps):
        torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    gib = torch.cuda.max_memory_allocated() / 2**30
    return {
        "s": statistics.median(seconds),
        "from": min(seconds),
        "to": max(seconds),
        "peak_gib": round(gib, 1),
        "warmup_s": round(warmup_s, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=MODELS, default="qwen3-0.6b")
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--rows", type=int, default=1)
    parser.add_argument("--documents", choices=("whole", "packed"), default="whole")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--activation-checkpointing", choices=("none", "selective", "full"), default="none")
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--peer", action="store_true", help="needs liger-kernel")
    args = parser.parse_args()
    platform = platforms.start()
    config = MODELS[args.model]()
    batch = make_batch(args, config.vocab_size)
    result: dict[str, Any] = about(platform.device) | vars(args)
    with tempfile.TemporaryDirectory() as folder:
        write_model(args.model, Path(folder))
        # Tied, so that the head's weights are the embeddings'.
        num_params = sum(p.numel() for p in AutoModelForCausalLM.from_pretrained(folder).parameters())
        work = flops(config, batch, num_params)
        result |= {"params": num_params, "tflop": work / 1e12}
        for make in (ours, peer) if args.peer else (ours,):
            found: dict[str, Any]
            try:
                found = measure(make(Path(folder), batch, args, platform), args.steps)
                found["tokens_per_s"] = round(batch.tokens_BT.numel() / found["s"])
                found["mfu"] = round(work / found["s"] / PEAK, 4)
            except torch.OutOfMemoryError:
                found = {"error": "out of memory"}
            result[make.__name__] = found
            torch.cuda.empty_cache()
    platforms.stop()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
