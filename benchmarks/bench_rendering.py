"""How fast conversations become tokens and loss mask, on one core, beside a bare rendering and tokenization.

    python benchmarks/bench_rendering.py [MODEL] [--conversations 10000] [--tokens 1000]

A conversation has 1, 4, 20 or 100 learnt turns and `--tokens` tokens in all, those of 20 and 100 turns fewer than that
many conversations. `bare` renders the template once and tokenizes the text: without a mask, and without proof that
the prompt of each learnt turn is what stands before it, which takes two more renderings a turn.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from typing import Any

import torch
from common import about

from gradus.curricula.chat import Renderer
from gradus.engine.models import resolve_model
from gradus.engine.records import Message

TEXT = "the sum of two numbers is 42, so we add 7 and get x = 49; hence f(n) = n + 1. Let us check: 3 * 4 = 12.\n\n"
TOKENS_PER_WORD = 1.4


def conversation(rng: random.Random, num_turns: int, num_tokens: int) -> list[Message]:
    """Return questions and answers, the answers four times as long."""
    num_words = int(num_tokens / TOKENS_PER_WORD / num_turns / 5)
    said = []
    for _ in range(num_turns):
        for role, count in (("user", num_words), ("assistant", 4 * num_words)):
            said.append(Message(role=role, content=" ".join(rng.choices(TEXT.split(" "), k=count))))
    return said


def measure(renderer: Renderer, num_turns: int, talks: list[list[Message]]) -> dict[str, Any]:
    """Return tokens a second of the renderer and of the bare way; processor time."""
    learn = [False, True] * num_turns
    start = time.process_time()
    num_tokens = sum(len(renderer.trace(talk, learn)[0]) for talk in talks)
    seconds = time.process_time() - start
    tokenizer = renderer._tokenizer
    start = time.process_time()
    bare = sum(
        len(
            tokenizer.backend_tokenizer.encode(
                tokenizer.apply_chat_template(talk, tokenize=False), add_special_tokens=False
            )
        )
        for talk in talks
    )
    bare_seconds = time.process_time() - start
    assert bare == num_tokens
    return {
        "turns": num_turns,
        "conversations": len(talks),
        "tokens": num_tokens,
        "seconds": round(seconds, 2),
        "tokens/s": round(num_tokens / seconds),
        "bare tokens/s": round(num_tokens / bare_seconds),
        "share of bare": round(bare_seconds / seconds, 2),
    }


def main() -> None:
    """Print a line for each number of turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="default")
    parser.add_argument("--conversations", type=int, default=10_000)
    parser.add_argument("--tokens", type=int, default=1000)
    arguments = parser.parse_args()
    renderer, rng = Renderer(resolve_model(arguments.model)), random.Random(0)
    for num_turns, share in ((1, 1), (4, 1), (20, 10), (100, 100)):
        talks = [
            conversation(rng, num_turns, arguments.tokens) for _ in range(max(1, arguments.conversations // share))
        ]
        said = {"benchmark": "rendering", **measure(renderer, num_turns, talks)}
        print(json.dumps(said | about(torch.device("cpu"))), flush=True)


if __name__ == "__main__":
    main()
