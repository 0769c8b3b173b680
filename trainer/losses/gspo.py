"""Group sequence policy optimisation (Zheng et al. 2025, arXiv 2507.18071).

The ratio of a sequence y is s = exp(mean over tokens of log p(y_t) - log p_old(y_t)); the objective is
the mean over sequences of min(s A, clip(s, 1 - low, 1 + high) A). It is computed in the token form,
log s_t = sg[log s] + log p(y_t) - sg[log p(y_t)], which has the same value and the same gradient and
may be cut anywhere.

A is the score's distance from the mean of its group, in standard deviations (of the population).
A rollout that could not be parsed, or judged, is no rollout: it is in no mean, deviation or count.

N: tokens of answers · S: sequences
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

import torch
from torch import Tensor

CLIPS = {"gspo": (3e-4, 4e-4), "motif": (0.28, 0.40)}
"""(low, high): of the GSPO paper; and of Motif's report, which hardly ever binds on a mean over tokens."""
LOG_RATIO_CLAMP = 10.0
STD_EPS = 1e-6
JUDGED = ("pass", "fail")


def group_advantages(outcomes: Sequence[str], scores: Sequence[float]) -> list[float | None]:
    """Return each rollout's advantage in one problem's group; None: it takes no part."""
    judged = [score for outcome, score in zip(outcomes, scores, strict=True) if outcome in JUDGED]
    if len(set(judged)) < 2:
        return [None] * len(scores)
    mean, scale = fmean(judged), pstdev(judged) + STD_EPS
    return [
        (score - mean) / scale if outcome in JUDGED else None for outcome, score in zip(outcomes, scores, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class GSPOStats:
    """Sums over sequences, or tokens, of a batch: divide after adding up."""

    num_sequences: Tensor
    num_tokens: Tensor
    clipped: Tensor
    ratio: Tensor
    kl: Tensor
    """Per token, e^d - 1 - d with d = log p - log p_old: never negative, unbiased for KL(old, new)."""
    ratio_max: Tensor


def gspo_loss(
    logprobs_N: Tensor,
    old_logprobs_N: Tensor,
    *,
    sequence_N: Tensor,
    advantages_S: Tensor,
    num_sequences: int,
    clip: tuple[float, float],
) -> tuple[Tensor, GSPOStats]:
    """Return the loss over whole sequences, divided by num_sequences, and what was seen.

    sequence_N says which sequence a token belongs to; num_sequences counts all processes and batches.
    """
    low, high = clip
    difference_N = logprobs_N - old_logprobs_N
    lengths_S = torch.bincount(sequence_N, minlength=len(advantages_S)).clamp(min=1)
    log_ratio_S = torch.zeros_like(advantages_S).index_add(0, sequence_N, difference_N.detach()) / lengths_S
    log_ratio_N = log_ratio_S[sequence_N] + logprobs_N - logprobs_N.detach()
    ratio_N = log_ratio_N.clamp(-LOG_RATIO_CLAMP, LOG_RATIO_CLAMP).exp()
    advantages_N = advantages_S[sequence_N]
    gain_N = torch.minimum(ratio_N * advantages_N, ratio_N.clamp(1 - low, 1 + high) * advantages_N)
    loss = -(gain_N / lengths_S[sequence_N]).sum() / num_sequences
    return loss, _stats(log_ratio_S, difference_N.detach(), advantages_S, clip)


def _stats(log_ratio_S: Tensor, difference_N: Tensor, advantages_S: Tensor, clip: tuple[float, float]) -> GSPOStats:
    ratio_S = log_ratio_S.clamp(-LOG_RATIO_CLAMP, LOG_RATIO_CLAMP).exp()
    # Only where the clipped side is the smaller one does the clip stop the gradient.
    clipped_S = ((ratio_S > 1 + clip[1]) & (advantages_S > 0)) | ((ratio_S < 1 - clip[0]) & (advantages_S < 0))
    return GSPOStats(
        num_sequences=ratio_S.new_tensor(len(ratio_S)),
        num_tokens=ratio_S.new_tensor(len(difference_N)),
        clipped=clipped_S.sum().to(ratio_S.dtype),
        ratio=ratio_S.sum(),
        kl=(difference_N.exp() - 1 - difference_N).sum(),
        ratio_max=ratio_S.max() if len(ratio_S) else ratio_S.new_tensor(0.0),
    )
