"""Score passages with a Hugging Face model's own forward pass, on a CPU in float32 or a GPU in bfloat16.

Logits are made in float32 for the scored positions alone, some rows at a time, so that the table of them never exists.
rank = 1 + the number of greater logits: equal ones do not push a token down. Models that change the head's output
(soft caps, scales) are refused: a trial when a model is opened compares with the model's own logits.

B: passages · T: positions · N: scored positions · D: width · V: vocabulary
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from gradus.engine.compatibility.reading import Passage, TokenScores
from gradus.errors import DataError

GPU_TOKENS, CPU_TOKENS = 32_768, 2_048
"""Of one forward pass, padding included."""
GPU_LOGITS, CPU_LOGITS = 1 << 28, 1 << 24
"""In memory at once."""
TRIAL = (3, 1, 4, 1, 5, 9, 2, 6)


def load(folder: Path) -> Any:
    """Load a folder's model for scoring."""
    from transformers import AutoModelForCausalLM

    device, dtype = ("cuda", torch.bfloat16) if torch.cuda.is_available() else ("cpu", torch.float32)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, local_files_only=True).to(device).eval()


class TorchScorer:
    """A student in torch."""

    def __init__(self, model: Any) -> None:
        self._body, self._head = model.get_decoder(), model.get_output_embeddings()
        self._device, dtype = self._head.weight.device, self._head.weight.dtype
        self._cuda = self._device.type == "cuda"
        self.name = f"torch {str(dtype).removeprefix('torch.')}"
        self._try(model)

    def score(self, passages: Sequence[Passage]) -> Iterator[tuple[int, TokenScores]]:
        """Yield (index into passages, scores), the longest first."""
        for batch in self._batches(passages):
            chosen = [passages[i] for i in batch]
            scores = self._score_batch(chosen)
            yield from zip(batch, scores, strict=True)

    def close(self) -> None:
        del self._body, self._head

    def _batches(self, passages: Sequence[Passage]) -> Iterator[list[int]]:
        """Yield indices of passages of like length, as many as may be padded to the longest."""
        order = sorted(range(len(passages)), key=lambda i: -len(passages[i].token_ids))
        limit = GPU_TOKENS if self._cuda else CPU_TOKENS
        while order:
            size = max(1, limit // len(passages[order[0]].token_ids))
            yield order[:size]
            order = order[size:]

    @torch.inference_mode()
    def _score_batch(self, passages: Sequence[Passage]) -> list[TokenScores]:
        longest = max(len(p.token_ids) for p in passages)
        # On the right, where a causal model cannot see it: no mask is needed.
        padded = np.zeros((len(passages), longest), dtype=np.int64)
        for row, passage in enumerate(passages):
            padded[row, : len(passage.token_ids)] = passage.token_ids
        lengths = [len(p.token_ids) - p.first for p in passages]
        rows = np.repeat(np.arange(len(passages)), lengths)
        columns = np.concatenate([np.arange(p.first, len(p.token_ids)) for p in passages])
        ids_BT = torch.from_numpy(padded).to(self._device)
        rows_N, columns_N = torch.from_numpy(rows).to(self._device), torch.from_numpy(columns).to(self._device)
        hidden_BTD = self._body(input_ids=ids_BT, use_cache=False).last_hidden_state
        logprobs, ranks = self._score_rows(hidden_BTD[rows_N, columns_N - 1], ids_BT[rows_N, columns_N])
        ends = np.cumsum(lengths)[:-1]
        found = zip(np.split(logprobs.cpu().numpy(), ends), np.split(ranks.cpu().numpy(), ends), strict=True)
        return [TokenScores(*scores) for scores in found]

    def _score_rows(self, hidden_ND: Tensor, targets_N: Tensor) -> tuple[Tensor, Tensor]:
        size = max(1, (GPU_LOGITS if self._cuda else CPU_LOGITS) // self._head.weight.shape[0])
        logprobs, ranks = [], []
        for hidden, targets in zip(hidden_ND.split(size), targets_N.split(size), strict=True):
            logits_NV = self._logits(hidden)
            chosen_N1 = logits_NV.gather(1, targets[:, None])
            logprobs.append(chosen_N1[:, 0] - logits_NV.logsumexp(dim=1))
            ranks.append(1 + (logits_NV > chosen_N1).sum(dim=1))
        return torch.cat(logprobs), torch.cat(ranks)

    def _logits(self, hidden_ND: Tensor) -> Tensor:
        weight, bias = self._head.weight, self._head.bias
        if self._cuda and weight.dtype != torch.float32:
            # bfloat16 logits would tie by the hundred.
            logits_NV = torch.mm(hidden_ND, weight.T, out_dtype=torch.float32)
        else:
            logits_NV = torch.mm(hidden_ND.float(), weight.float().T)
        return logits_NV if bias is None else logits_NV + bias.float()

    @torch.inference_mode()
    def _try(self, model: Any) -> None:
        ids_BT = torch.tensor([TRIAL], device=self._device)
        want = model(input_ids=ids_BT, use_cache=False).logits[0].float()
        got = self._logits(self._body(input_ids=ids_BT, use_cache=False).last_hidden_state[0])
        if not torch.allclose(got, want, rtol=0.02, atol=0.02 * float(want.abs().max())):
            kind = type(model).__name__
            raise DataError(f"{kind} changes its head's output, so it cannot be scored in torch; use --scorer vllm")
