"""How many tokens a second a student scores: log-probability and rank of each, in torch, and in vLLM where asked.

    python benchmarks/bench_student_scoring.py [--model FOLDER] [--vllm] [--tokens 500000]

Without a folder, models of the sizes of SmolLM2-135M and Qwen3-0.6B are made with random weights: speed does not
depend on them. Lengths are drawn evenly from 128 to 2,048 tokens, of which a quarter is prompt and not scored; tokens/s
counts all of them. First it is checked that log-probabilities and ranks are those of float64 logits of the
same hidden states: bfloat16 is allowed its rounding; max_rank_error is a share of the vocabulary. FLOP/s counts
2 x parameters a token, attention left out.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import torch
from common import about

from gradus.engine.compatibility.reading import Passage
from gradus.engine.compatibility.torch_scorer import TorchScorer, load

ROUNDS = 3
H100_FLOPS = 989e12
SHAPES: dict[str, dict[str, Any]] = {
    "135M": {
        "vocab_size": 49152,
        "hidden_size": 576,
        "intermediate_size": 1536,
        "num_hidden_layers": 30,
        "num_attention_heads": 9,
        "num_key_value_heads": 3,
        "tie_word_embeddings": True,
    },
    "0.6B": {
        "vocab_size": 151936,
        "hidden_size": 1024,
        "intermediate_size": 3072,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "tie_word_embeddings": True,
    },
}


def make(name: str) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    cuda = torch.cuda.is_available()
    with torch.device("cuda" if cuda else "cpu"):
        config = LlamaConfig(**SHAPES[name], max_position_embeddings=8192, initializer_range=0.05)
        return LlamaForCausalLM(config).to(torch.bfloat16 if cuda else torch.float32).eval()


def draw(num_tokens: int, vocabulary: int) -> list[Passage]:
    rng, passages = np.random.default_rng(0), []
    while num_tokens > 0:
        length = min(int(rng.integers(128, 2049)), max(num_tokens, 8))
        passages.append(Passage(tuple(rng.integers(vocabulary, size=length).tolist()), length // 4))
        num_tokens -= length
    random.Random(0).shuffle(passages)
    return passages


def check(model: Any, passages: list[Passage]) -> dict[str, float]:
    """Compare a few short passages with the definition in float64, on the layers' own output."""
    short = [Passage(p.token_ids[:96], 32) for p in passages[:4]]
    head = model.lm_head.weight.double()
    errors, moved = [], []
    for index, found in TorchScorer(model).score(short):
        ids = torch.tensor([short[index].token_ids], device=head.device)
        with torch.inference_mode():
            logits = model.model(input_ids=ids).last_hidden_state[0, 31:-1].double() @ head.T
        chosen = logits.gather(1, ids[0, 32:, None])
        want = (chosen[:, 0] - logits.logsumexp(1)).cpu().numpy()
        ranks = (1 + (logits > chosen).sum(1)).cpu().numpy()
        errors.append(np.abs(found.logprobs - want))
        moved.append(np.abs(found.ranks - ranks) / logits.shape[1])
    error, rank_error = np.concatenate(errors), np.concatenate(moved)
    found = {"mean_logprob_error": float(error.mean()), "max_logprob_error": float(error.max())}
    found["max_rank_error"] = float(rank_error.max())
    # In bfloat16 the layers round otherwise when passages share a batch.
    assert found["mean_logprob_error"] < (1e-4 if next(model.parameters()).dtype == torch.float32 else 0.05), found
    return found


def measure(scorer: Any, passages: list[Passage]) -> dict[str, Any]:
    num_tokens = sum(len(p.token_ids) for p in passages)
    rates = []
    for _ in range(ROUNDS + 1):  # the first warms up
        start = time.perf_counter()
        num = sum(1 for _ in scorer.score(passages))
        rates.append(num_tokens / (time.perf_counter() - start))
        assert num == len(passages)
    rates = rates[1:]
    found = {
        "scorer": scorer.name,
        "tokens": num_tokens,
        "passages": len(passages),
        "tokens_per_s": statistics.median(rates),
    }
    return found | {"min": min(rates), "max": max(rates)}


def bench_torch(name: str, model: Any, num_tokens: int) -> None:
    passages = draw(num_tokens, model.config.vocab_size)
    result = about(next(model.parameters()).device) | {"model": name} | check(model, passages)
    result |= measure(TorchScorer(model), passages)
    num_parameters = sum(p.numel() for p in model.parameters())
    result["parameters"] = num_parameters
    result["TFLOP/s"] = 2 * num_parameters * result["tokens_per_s"] / 1e12
    if torch.cuda.is_available():
        result["share_of_989_TFLOP/s"] = result["TFLOP/s"] * 1e12 / H100_FLOPS
        result["peak_GB"] = torch.cuda.max_memory_allocated() / 1e9
    print(json.dumps(result), flush=True)


def bench_vllm(folder: Path, num_tokens: int) -> None:
    from gradus.engine.compatibility.vllm_scorer import VLLMScorer

    vocabulary = json.loads((folder / "config.json").read_text())["vocab_size"]
    with closing(VLLMScorer(folder, max_context=2050)) as scorer:
        result = measure(scorer, draw(num_tokens, vocabulary))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    print(json.dumps(about(device) | {"model": folder.name} | result), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, help="a Hugging Face folder (default: random weights of two sizes)")
    parser.add_argument("--vllm", action="store_true", help="with --model: vLLM beside torch")
    default = 2_000_000 if torch.cuda.is_available() else 500
    parser.add_argument("--tokens", type=int, default=default, help=f"(default here: {default})")
    args = parser.parse_args()
    if args.model:
        bench_torch(args.model.name, load(args.model), args.tokens)
        if args.vllm:
            bench_vllm(args.model, args.tokens)
        return
    for name in SHAPES:
        bench_torch(name, make(name), args.tokens)


if __name__ == "__main__":
    main()
