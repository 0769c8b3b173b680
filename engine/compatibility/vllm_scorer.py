"""Score passages with vLLM's prompt log-probabilities.

vLLM counts a token's rank among log-probabilities that are greater or equal: where several are equal, its rank is the
last of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gradus.engine.compatibility.reading import Passage, TokenScores
from gradus.engine.teachers.base import TeacherConfig
from gradus.engine.teachers.vllm import open_engine

AT_ONCE = 512


class VLLMScorer:
    """A student in a vLLM engine of its own."""

    def __init__(self, folder: Path, *, max_context: int) -> None:
        import torch

        options = {"max_num_batched_tokens": max(1024, max_context), "enable_prefix_caching": False}
        config = TeacherConfig(max_context=max_context, options=options)
        self._llm = open_engine(str(folder), config, cuda=torch.cuda.is_available())
        self.name = f"vllm {str(self._llm.llm_engine.model_config.dtype).removeprefix('torch.')}"

    def score(self, passages: Sequence[Passage]) -> Iterator[tuple[int, TokenScores]]:
        """Yield (index into passages, scores) in the order of the passages."""
        from vllm import SamplingParams

        ask = SamplingParams(max_tokens=1, prompt_logprobs=0, detokenize=False)
        for start in range(0, len(passages), AT_ONCE):
            chosen = passages[start : start + AT_ONCE]
            prompts = [{"prompt_token_ids": list(passage.token_ids)} for passage in chosen]
            outputs = self._llm.generate(prompts, ask, use_tqdm=False)
            for number, (passage, output) in enumerate(zip(chosen, outputs, strict=True), start):
                yield number, _scores(passage, output.prompt_logprobs)

    def close(self) -> None:
        self._llm.llm_engine.engine_core.shutdown()
        del self._llm


def _scores(passage: Passage, said: Sequence[Any]) -> TokenScores:
    first = passage.first
    found = [entry[token] for token, entry in zip(passage.token_ids[first:], said[first:], strict=True)]
    return TokenScores(
        np.array([entry.logprob for entry in found], dtype=np.float32),
        np.array([entry.rank for entry in found], dtype=np.int64),
    )
