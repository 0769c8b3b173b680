"""Tokens a second, model FLOPs utilisation (MFU) and memory of supervised steps, beside transformers with Liger.

    python benchmarks/bench_train.py [--model qwen3-0.6b] [--context 16384] [--documents whole|packed] [--peer]
        [--activation-checkpointing selective|attention|full] [--optimizer adamw|muon] [--qk-clip 100] [--breakdown]
    torchrun --nproc-per-node 2 benchmarks/bench_train.py [--context-parallel 2] …

Random weights of the model's dimensions and random tokens: what is computed is the same. `whole` fills each sequence
with one document; `packed` with documents of 200 tokens and more, log-normal around 4,000, that do not see each other.
What FLOPs are counted, and against which peak, says gradus.trainer.flops. `optimizer_ms` is the optimizer's part of a
step; `state_gib` is what stays in memory between steps.

The peer is transformers' model in bfloat16 autocast with Liger's fused cross-entropy, norms, SwiGLU and RoPE, and fused
AdamW. Its attention is PyTorch's causal one, which sees across documents, so compare `whole`; --peer-attention
flash_attention_4 gives it the kernels that ours takes, with documents kept apart by their positions.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from common import about
from torch import nn
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedConfig, Qwen3Config

from gradus.kernels.document_attention import kernels_name
from gradus.trainer import flops, learner
from gradus.trainer import platform as platforms
from gradus.trainer.attention import DocumentAttention, documents
from gradus.trainer.batch import Batch, Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig, ParallelConfig
from gradus.trainer.model import model_spec
from gradus.trainer.parallel import RECOMPUTED
from gradus.trainer.sft import train_step


def sizes(hidden: int, ffn: int, layers: int, heads: int, key_heads: int, head: int, vocabulary: int) -> dict[str, Any]:
    return {
        "hidden_size": hidden,
        "intermediate_size": ffn,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": key_heads,
        "head_dim": head,
        "vocab_size": vocabulary,
        "tie_word_embeddings": True,
        "max_position_embeddings": 131072,
    }


MODELS: dict[str, Callable[[], PreTrainedConfig]] = {
    "qwen3-0.6b": lambda: Qwen3Config(**sizes(1024, 3072, 28, 16, 8, 128, 151936)),
    "smollm2-135m": lambda: LlamaConfig(**sizes(576, 1536, 30, 9, 3, 64, 49152)),
    # Llama 3.2's 1B and 3B, and sizes between and above with its proportions.
    "llama-1b": lambda: LlamaConfig(**sizes(2048, 8192, 16, 16, 8, 128, 128256)),
    "llama-2b": lambda: LlamaConfig(**sizes(2560, 8192, 24, 20, 10, 128, 128256)),
    "llama-2.6b": lambda: LlamaConfig(**sizes(3072, 8192, 22, 24, 8, 128, 128256)),
    "llama-3b": lambda: LlamaConfig(**sizes(3072, 8192, 28, 24, 8, 128, 128256)),
    "llama-3.6b": lambda: LlamaConfig(**sizes(3072, 8192, 32, 24, 8, 128, 128256)),
}


def draw_weights(model: nn.Module, *_: object, **__: object) -> None:
    """Fill a model's weights where they are, instead of loading gigabytes."""
    with torch.no_grad():
        for weight in model.parameters():
            local = weight.to_local() if hasattr(weight, "to_local") else weight
            local.fill_(1.0) if local.ndim == 1 else local.normal_(std=0.02)


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
        return [
            Document(rng.integers(0, vocabulary, n), np.ones(n, bool))
            for n in lengths(rng, args.context, args.documents)
        ]

    return collate([row() for _ in range(args.rows)], args.context)


def make_learner(folder: Path, args: argparse.Namespace, platform: platforms.Platform) -> learner.Learner:
    learner.read_weights = lambda *_: {}
    learner.set_model_state_dict = draw_weights
    return learner.Learner(
        folder,
        platform,
        context_length=args.context,
        optim=OptimConfig(name=args.optimizer, qk_clip=args.qk_clip),
        num_updates=1000,
        compute=ComputeConfig(activation_checkpointing=args.activation_checkpointing),
        parallel=ParallelConfig(context=args.context_parallel, cpu_offload=args.cpu_offload, float8=args.float8),
    )


def ours(folder: Path, batch: Batch, args: argparse.Namespace, platform: platforms.Platform) -> dict[str, Any]:
    trained = make_learner(folder, args, platform)
    batches = [batch.to(platform.device)] * args.batches
    if args.breakdown:
        measure(lambda: train_step(trained, batches), args)
        breakdown(lambda: train_step(trained, batches), platform)
    updates: list[float] = []
    trained.step = timed(trained.step, updates)
    found = measure(lambda: train_step(trained, batches), args)
    optimizer_ms = round(statistics.median(updates[args.warmup :]) * 1e3, 2)
    found |= {"optimizer_ms": optimizer_ms, "attention": kernels_name(platform.device, MODELS[args.model]().head_dim)}
    num_rows = args.rows * args.batches * trained.layout.data_size
    return found | rates(found["s"], batch, trained.flops, platform, num_rows=num_rows)


def peer(folder: Path, batch: Batch, args: argparse.Namespace, platform: platforms.Platform) -> dict[str, Any]:
    import liger_kernel.transformers

    config = MODELS[args.model]()
    getattr(liger_kernel.transformers, f"apply_liger_kernel_to_{config.model_type}")()
    with platform.device:
        how = {"dtype": torch.float32, "attn_implementation": args.peer_attention}
        model = AutoModelForCausalLM.from_config(config, **how).train()
    if args.activation_checkpointing != "none":
        model.gradient_checkpointing_enable()
    optim = OptimConfig()
    optimizer = torch.optim.AdamW(model.parameters(), lr=optim.lr, weight_decay=optim.weight_decay, fused=True)
    tokens = batch.tokens_BT.to(platform.device)
    apart = {} if args.peer_attention == "sdpa" else apart_for_peer(batch, platform)

    def step() -> float:
        for _ in range(args.batches):
            with torch.autocast("cuda", torch.bfloat16):
                loss = model(input_ids=tokens, labels=tokens, **apart).loss / args.batches
            loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), optim.max_norm)
        optimizer.step()
        optimizer.zero_grad()
        return float(loss)

    found = measure(step, args)
    with torch.device("meta"):
        spec = model_spec(folder, context_length=args.context, attention=DocumentAttention.Config())
        work = flops.Flops.of(spec.model.build())
    return found | rates(found["s"], batch, work, platform, num_rows=args.rows * args.batches)


def apart_for_peer(batch: Batch, platform: platforms.Platform) -> dict[str, Any]:
    """Return what tells transformers' flash attentions where documents begin: told positions alone, each layer asks."""
    found = documents(batch.starts, batch.tokens_BT.shape[1], device=platform.device)
    longest = int(found.pieces[0, -1])
    cuts = found.starts_of_queries
    ends = {"cu_seq_lens_q": cuts, "cu_seq_lens_k": cuts, "max_length_q": longest, "max_length_k": longest}
    return ends | {"position_ids": batch.positions_BT.to(platform.device)}


def rates(
    seconds: float, batch: Batch, work: flops.Flops, platform: platforms.Platform, *, num_rows: int
) -> dict[str, Any]:
    copies = num_rows / batch.tokens_BT.shape[0]
    num_tokens = batch.tokens_BT.numel() * copies
    step = work.step(num_tokens, float(flops.count_pairs(batch)) * copies)
    share = flops.mfu(step, seconds, platform)
    return {
        "tokens_per_s": round(num_tokens / seconds),
        "mfu": None if share is None else round(share, 4),
        "tflop": round(step / 1e12, 1),
        "params": round(work.per_token / 6),
    }


def measure(step: Callable[[], Any], args: argparse.Namespace) -> dict[str, Any]:
    """Return seconds a step, median and range, and what memory they took at most."""
    start = time.perf_counter()
    for _ in range(args.warmup):
        step()
    torch.cuda.synchronize()
    warmup_s = time.perf_counter() - start
    torch.cuda.reset_peak_memory_stats()
    state = torch.cuda.memory_allocated()
    seconds = []
    for _ in range(args.steps):
        torch.cuda.synchronize()
        start = time.perf_counter()
        step()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    return {
        "s": statistics.median(seconds),
        "from": min(seconds),
        "to": max(seconds),
        "peak_gib": round(torch.cuda.max_memory_allocated() / 2**30, 1),
        "state_gib": round(state / 2**30, 1),
        "warmup_s": round(warmup_s, 1),
    }


def timed(step: Callable[[], dict[str, float]], seconds: list[float]) -> Callable[[], dict[str, float]]:
    """Have an optimizer's step note what it takes; the gradients' norm was waited for just before it."""

    def run() -> dict[str, float]:
        start = time.perf_counter()
        found = step()
        torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        return found

    return run


def breakdown(step: Callable[[], Any], platform: platforms.Platform) -> None:
    """Print where the time of a step goes: the GPU's kernels, and after which of them it had nothing to do."""
    activities = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
    torch.cuda.synchronize()
    start = time.perf_counter()
    with torch.profiler.profile(activities=activities) as profile:
        step()
        torch.cuda.synchronize()
    wall_ms = (time.perf_counter() - start) * 1e3
    if not platform.is_first:
        return
    events = [e for e in profile.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    events = [e for e in events if not e.is_user_annotation]
    events.sort(key=lambda event: event.time_range.start)
    busy, idle = Counter[str](), Counter[str]()
    calls, end = Counter(event.name for event in events), events[0].time_range.start
    last = ""
    for event in events:
        busy[event.name] += event.time_range.elapsed_us()
        idle[last] += max(0, event.time_range.start - end)
        if event.time_range.end > end:
            end, last = event.time_range.end, event.name
    idle_ms, busy_ms = idle.total() / 1e3, busy.total() / 1e3
    print(f"profiled step: {wall_ms:.1f} ms, of it idle {idle_ms:.1f} ms, kernels {busy_ms:.1f} ms")
    for title, spent in (("kernels", busy), ("idle after", idle)):
        print(title)
        for name, us in spent.most_common(40 if spent is busy else 12):
            print(f"{us / 1e3:9.2f} ms {100 * us / spent.total():5.1f}% {calls[name]:6d} x {name[:110]}", flush=True)


def shared_folder(platform: platforms.Platform) -> Path:
    """Return a folder that all processes see; the first one makes it."""
    name = [tempfile.mkdtemp() if platform.is_first else ""]
    dist.broadcast_object_list(name, device=platform.device)
    return Path(name[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=MODELS, default="qwen3-0.6b")
    parser.add_argument("--context", type=int, default=16384)
    parser.add_argument("--rows", type=int, default=1, help="sequences a batch, in each group of processes")
    parser.add_argument("--batches", type=int, default=1, help="batches a step")
    parser.add_argument("--documents", choices=("whole", "packed"), default="whole")
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--warmup", type=int, default=3)
    parser.add_argument("--activation-checkpointing", choices=RECOMPUTED, default="none")
    parser.add_argument("--optimizer", choices=("adamw", "muon"), default="adamw")
    parser.add_argument("--qk-clip", type=float, default=0.0)
    parser.add_argument("--context-parallel", type=int, default=1)
    parser.add_argument("--cpu-offload", action="store_true")
    parser.add_argument("--float8", action="store_true")
    parser.add_argument("--peer", action="store_true", help="then the peer, too, which needs liger-kernel")
    parser.add_argument("--peer-alone", action="store_true")
    parser.add_argument("--peer-attention", choices=("sdpa", "flash_attention_2", "flash_attention_4"), default="sdpa")
    parser.add_argument("--breakdown", action="store_true")
    args = parser.parse_args()
    if not torch.cuda.is_available():
        print(json.dumps({"skipped": "bench_train needs a GPU"}))
        return
    platform = platforms.start()
    config = MODELS[args.model]()
    folder = shared_folder(platform)
    if platform.is_first:
        config.save_pretrained(folder)
    dist.barrier()
    batch = make_batch(args, config.vocab_size)
    result: dict[str, Any] = about(platform.device) | {"gpus": platform.world_size} | vars(args)
    for make in (peer,) if args.peer_alone else (ours, peer)[: 1 + args.peer]:
        try:
            result[make.__name__] = make(folder, batch, args, platform)
        except torch.OutOfMemoryError:
            result[make.__name__] = {"error": "out of memory"}
        gc.collect()
        torch.compiler.reset()
        torch.cuda.empty_cache()
    if platform.is_first:
        print(json.dumps(result), flush=True)
    platforms.stop()


if __name__ == "__main__":
    main()
