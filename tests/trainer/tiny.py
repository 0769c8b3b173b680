"""A tiny random Llama and a small curriculum, on disk: what the trainer's tests train."""

import dataclasses
import json
import random
from collections import Counter

import made_manifests
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

from gradus.curricula import manifest as m
from gradus.curricula import posterior
from gradus.curricula.fingerprint import tokenizer_fingerprint
from gradus.curricula.shards import write_shard

VOCAB = 300
MODELS = {
    "llama": (LlamaConfig, LlamaForCausalLM),
    "qwen2": (Qwen2Config, Qwen2ForCausalLM),
    "qwen3": (Qwen3Config, Qwen3ForCausalLM),
}


def make_model(folder, *, tied=True, seed=0, family="llama", head_dim=16):
    """Write a Llama, Qwen2 or Qwen3 of 2 layers whose tokens are 300 characters."""
    torch.manual_seed(seed)
    config_of, model_of = MODELS[family]
    config = config_of(
        vocab_size=VOCAB,
        hidden_size=64,
        intermediate_size=96,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=head_dim,
        max_position_embeddings=256,
        tie_word_embeddings=tied,
        bos_token_id=1,
        eos_token_id=2,
    )
    model = model_of(config)
    for name, weight in model.named_parameters():
        if name.endswith(("q_norm.weight", "k_norm.weight", "proj.bias")):
            torch.nn.init.uniform_(weight, 0.5, 1.5)
    model.save_pretrained(folder)
    tokenizer = Tokenizer(WordLevel({chr(i + 33): i for i in range(VOCAB)}, unk_token="!"))
    tokenizer.pre_tokenizer = Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    fast.save_pretrained(folder)
    return folder


def write_rows(workspace, schema, rows):
    """Write a content-addressed file; return its entry in the manifest."""
    return write_shard(made_manifests.make_workspace(workspace) / "curricula", schema, rows)


def make_traces(count, seed):
    """Return count traces that count upwards from a random number: easy to learn."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        start, length = rng.randrange(10, 200), rng.randrange(8, 30)
        tokens = {"token_ids": list(range(start, start + length)), "loss_mask": [i >= 3 for i in range(length)]}
        names = {"trace_id": f"t{seed}-{number:04d}", "problem_id": f"p{number}"}
        rows.append(made_manifests.make_trace(number, length, **names, **tokens))
    return rows


def make_stage(workspace, name, *, context_length=64, num_traces=24, seed=0):
    """Write a stage in two shards, two traces a sequence."""
    rows = make_traces(num_traces, seed)
    half = num_traces // 2
    shards = tuple(write_rows(workspace, m.TRACE_SCHEMA, part) for part in (rows[:half], rows[half:]))
    # Across the shards, so that rows count over both.
    lengths = [row["num_tokens"] for row in rows]
    packing = [made_manifests.packing_row([i, half + i], 0, lengths) for i in range(half)]
    return m.Stage(
        name=name,
        context_length=context_length,
        num_traces=num_traces,
        shards=shards,
        packing=write_rows(workspace, m.PACKING_SCHEMA, packing),
        utilisation=sum(lengths) / (half * context_length),
        **made_manifests.told(["math/cot"], packing, lengths, ["cot"]),
    )


def make_rl(workspace, problems, *, reserve=(), **changes):
    """Write an RL section; problems, and those in reserve, are (domain, verifier, spec, prompt)."""
    rows = [
        {
            "problem_id": f"{domain}-{number}",
            "domain": domain,
            "verifier": verifier,
            "spec": json.dumps(spec),
            "messages": json.dumps([{"role": "user", "content": prompt}]),
            "prompt_token_ids": [ord(letter) - 33 for letter in prompt],
            "num_attempts": 8 + number,
            "num_passed": 4,
            "pass_rate": 4 / (8 + number),
            "role": "active" if number < len(problems) else "reserve",
            "in_band": float(posterior.inside(4, 8 + number, 0.1, 0.9).round(posterior.DIGITS)),
        }
        for number, (domain, verifier, spec, prompt) in enumerate([*problems, *reserve])
    ]
    section = m.RLSection(
        problems=write_rows(workspace, m.RL_SCHEMA, rows),
        band=(0.1, 0.9),
        quotas={},
        group_size=4,
        sampling={},
        left_out={},
        reserve=dict(Counter(domain for domain, *_ in reserve)),
    )
    return dataclasses.replace(section, **changes)


def make_manifest(workspace, model, *, stages=(), rl=None):
    """Write the manifest of stages and an RL section; return its path."""
    root = made_manifests.make_workspace(workspace)
    tokenizer = m.Tokenizer(model_id="tiny", fingerprint=tokenizer_fingerprint(model))
    return made_manifests.make_manifest(root, *stages, rl=rl, tokenizer=tokenizer)
