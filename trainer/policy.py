"""One GSPO update of a policy: rollouts laid out in rows, scored, and learnt from.

N: tokens of answers · S: sequences · V: vocabulary
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor

from gradus.kernels.token_logprob import token_logprob
from gradus.trainer.batch import Batch, Document, collate
from gradus.trainer.guard import Judge
from gradus.trainer.learner import Learner
from gradus.trainer.losses.gspo import GSPOStats, gspo_loss
from gradus.trainer.parallel import Layout
from gradus.trainer.rollout import Rollout

Row = list[Rollout]


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows of rollouts on the device, with what is known of each token of their answers."""

    batch: Batch
    sequence_N: Tensor
    temperature_N: Tensor
    sampler_logprobs_N: Tensor
    advantages_S: Tensor


def layout(rollouts: Sequence[Rollout], place: Layout, *, length: int, rows: int) -> list[list[Row]]:
    """Return this process's rows, grouped by forward pass: equally many groups on every process."""
    shares = [_fill(rollouts[rank :: place.data_size], length) for rank in range(place.data_size)]
    most = max(len(share) for share in shares)
    mine = shares[place.data_rank] + [[] for _ in range(most - len(shares[place.data_rank]))]
    return [mine[start : start + rows] for start in range(0, most, rows)]


def _fill(rollouts: Sequence[Rollout], length: int) -> list[Row]:
    """Put each rollout into the first row with room for it, the longest first."""
    rows: list[Row] = []
    for rollout in sorted(rollouts, key=_length, reverse=True):
        fits = (row for row in rows if sum(map(_length, row)) + _length(rollout) <= length)
        row = next(fits, None)
        if row is None:
            rows.append([rollout])
        else:
            row.append(rollout)
    return rows


def _length(rollout: Rollout) -> int:
    return len(rollout.completion.prompt_token_ids) + len(rollout.completion.token_ids)


def pack(rows: Sequence[Row], place: Layout, *, length: int) -> Pack:
    """Lay out rows of rollouts; only the tokens of answers are learnt."""
    longest = max(1, *(sum(map(_length, row)) for row in rows))
    batch = collate([[_document(r) for r in row] for row in rows], place.padded_length(longest, length))
    batch = batch.to(place.platform.device)
    flat = [rollout for row in rows for rollout in row]
    sequence_N = batch.document_BT[batch.labels_BT >= 0]
    temperature_S, advantages_S = (
        torch.tensor(values, dtype=torch.float32, device=place.platform.device)
        for values in ([r.problem.sampling.temperature for r in flat], [r.advantage for r in flat])
    )
    # Answers stand in the order of flat, so their tokens do, too.
    sampled = [logprob for rollout in flat for logprob in rollout.completion.token_logprobs]
    sampler_N = torch.tensor(sampled, dtype=torch.float32, device=place.platform.device)
    return Pack(batch, sequence_N, temperature_S[sequence_N], sampler_N, advantages_S)


def _document(rollout: Rollout) -> Document:
    prompt, answer = rollout.completion.prompt_token_ids, rollout.completion.token_ids
    learnt = np.arange(len(prompt) + len(answer)) >= len(prompt)
    return Document(np.array(prompt + answer, np.int64), learnt)


def answer_logprobs(learner: Learner, packed: Pack) -> tuple[Tensor, Tensor]:
    """Return (log-probabilities, entropies) of the answers' tokens, at the temperature they were drawn with."""
    labels_BT = packed.batch.labels_BT
    learnt_BT = labels_BT >= 0
    logits_NV = learner.logits(packed.batch)[learnt_BT].float() / packed.temperature_N[:, None]
    return token_logprob(logits_NV, labels_BT[learnt_BT])


def score(learner: Learner, packs: Sequence[Pack]) -> tuple[list[Tensor], dict[str, float]]:
    """Return the log-probabilities before the update, and how they compare with the sampler's."""
    old, sums = [], torch.zeros(3, dtype=torch.float64, device=learner.platform.device)
    with torch.no_grad():
        for packed in packs:
            logprobs_N, entropy_N = answer_logprobs(learner, packed)
            gap_N = (logprobs_N - packed.sampler_logprobs_N).abs()
            sums += torch.stack([gap_N.sum(), entropy_N.sum(), logprobs_N.new_tensor(len(logprobs_N))])
            old.append(logprobs_N)
    gap, entropy, num_tokens = learner.total(sums).tolist()
    return old, {"entropy": entropy / num_tokens, "sampler_gap": gap / num_tokens}


def improve(
    learner: Learner, packs: Sequence[Pack], old: Sequence[Tensor], *, clip: tuple[float, float], judge: Judge
) -> dict[str, float]:
    """Take one update on a minibatch, if its loss and gradient are judged well; return what was measured."""
    device = learner.platform.device
    losses = torch.zeros((), device=device)
    num_sequences = learner.total(torch.tensor(float(sum(len(p.advantages_S) for p in packs)), device=device))
    stats: list[GSPOStats] = []
    for packed, old_N in learner.in_turn(list(zip(packs, old, strict=True))):
        logprobs_N, _ = answer_logprobs(learner, packed)
        loss, seen = gspo_loss(
            logprobs_N,
            old_N,
            sequence_N=packed.sequence_N,
            advantages_S=packed.advantages_S,
            num_sequences=int(num_sequences),
            clip=clip,
        )
        loss.backward()
        losses += loss.detach()
        stats.append(seen)
    measured = {"grad_norm": learner.clip()} | _reduce(learner, stats)
    if judge(float(learner.total(losses)), measured["grad_norm"]) == "take":
        return measured | learner.step() | {"skipped": 0.0}
    learner.discard()
    return measured | {"skipped": 1.0}


def _reduce(learner: Learner, stats: Sequence[GSPOStats]) -> dict[str, float]:
    names = [field.name for field in fields(GSPOStats) if field.name != "ratio_max"]
    sums = torch.stack([sum(getattr(seen, name) for seen in stats) for name in names])
    total = dict(zip(names, learner.total(sums).tolist(), strict=True))
    ratio_max = torch.stack([seen.ratio_max for seen in stats]).max()
    dist.all_reduce(ratio_max, dist.ReduceOp.MAX)
    return {
        "clip_fraction": total["clipped"] / total["num_sequences"],
        "ratio": total["ratio"] / total["num_sequences"],
        "ratio_max": float(ratio_max),
        "kl": total["kl"] / total["num_tokens"],
    }
