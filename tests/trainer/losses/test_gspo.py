import math

import pytest
import torch

from gradus.trainer.losses.gspo import CLIPS, group_advantages, gspo_loss


def definition(logprobs, old, lengths, advantages, clip):
    """Write the paper's objective down, one sequence at a time."""
    total, start = 0.0, 0
    for length, advantage in zip(lengths, advantages, strict=True):
        tokens = slice(start, start + length)
        ratio = ((logprobs[tokens] - old[tokens]).sum() / length).exp()
        clipped = ratio.clamp(1 - clip[0], 1 + clip[1])
        total = total + torch.minimum(ratio * advantage, clipped * advantage)
        start += length
    return -total / len(lengths)


def case(lengths, spread, *, seed=0):
    generator = torch.Generator().manual_seed(seed)
    old = -3 * torch.rand(sum(lengths), generator=generator, dtype=torch.float64)
    logprobs = old + spread * torch.randn(sum(lengths), generator=generator, dtype=torch.float64)
    advantages = torch.randn(len(lengths), generator=generator, dtype=torch.float64)
    sequence = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    return logprobs, old, sequence, advantages


@pytest.mark.parametrize("clip", CLIPS.values(), ids=CLIPS)
@pytest.mark.parametrize("spread", [0.0, 1e-3, 0.3, 2.0])
@pytest.mark.parametrize("lengths", [[1], [3, 40, 17, 25, 8, 31]])
def test_value_and_gradient_are_those_of_the_definition(lengths, spread, clip):
    logprobs, old, sequence, advantages = case(lengths, spread)
    got, want = logprobs.clone().requires_grad_(), logprobs.clone().requires_grad_()
    loss, _ = gspo_loss(got, old, sequence_N=sequence, advantages_S=advantages, num_sequences=len(lengths), clip=clip)
    expected = definition(want, old, lengths, advantages, clip)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(got.grad, want.grad, rtol=1e-12, atol=1e-12)


def test_a_case_by_hand():
    # Ratios e^0.1, clipped to 1.04, and e^-0.2, clipped to 0.97 where the advantage is negative.
    loss, stats = gspo_loss(
        torch.tensor([-1.0, -1.0, -2.2]),
        torch.tensor([-1.2, -1.0, -2.0]),
        sequence_N=torch.tensor([0, 0, 1]),
        advantages_S=torch.tensor([1.0, -1.0]),
        num_sequences=2,
        clip=(0.03, 0.04),
    )
    assert loss.item() == pytest.approx(-(1.04 - 0.97) / 2, abs=1e-6)
    assert (stats.clipped, stats.num_sequences, stats.num_tokens) == (2, 2, 3)
    assert stats.ratio.item() == pytest.approx(math.exp(0.1) + math.exp(-0.2))
    assert stats.ratio_max.item() == pytest.approx(math.exp(0.1))
    kl = sum(math.exp(d) - 1 - d for d in (0.2, 0.0, -0.2))
    assert stats.kl.item() == pytest.approx(kl, rel=1e-4)


def test_parts_of_a_batch_add_up_to_the_whole():
    lengths = [3, 40, 17, 25]
    logprobs, old, sequence, advantages = case(lengths, 0.01)
    settings = {"num_sequences": 4, "clip": CLIPS["gspo"]}
    whole, _ = gspo_loss(logprobs, old, sequence_N=sequence, advantages_S=advantages, **settings)
    first, second = sequence < 2, sequence >= 2
    parts = [
        gspo_loss(logprobs[own], old[own], sequence_N=sequence[own] - shift, advantages_S=share, **settings)[0]
        for own, shift, share in ((first, 0, advantages[:2]), (second, 2, advantages[2:]))
    ]
    torch.testing.assert_close(sum(parts), whole)


def test_a_ratio_without_bounds_does_not_overflow():
    loss, stats = gspo_loss(
        torch.tensor([0.0]),
        torch.tensor([-1000.0]),
        sequence_N=torch.tensor([0]),
        advantages_S=torch.tensor([-1.0]),
        num_sequences=1,
        clip=CLIPS["gspo"],
    )
    assert loss.isfinite()
    assert stats.ratio_max.isfinite()


def test_a_process_without_rollouts_takes_part_with_nothing():
    empty = torch.zeros(0, requires_grad=True)
    loss, stats = gspo_loss(
        empty,
        torch.zeros(0),
        sequence_N=torch.zeros(0, dtype=torch.long),
        advantages_S=torch.zeros(0),
        num_sequences=4,
        clip=CLIPS["gspo"],
    )
    loss.backward()
    assert loss == 0
    assert stats.num_sequences == 0


def test_advantages_are_standard_scores():
    assert group_advantages(["pass", "fail", "fail", "fail"], [1.0, 0.0, 0.0, 0.0]) == pytest.approx(
        [math.sqrt(3), -1 / math.sqrt(3), -1 / math.sqrt(3), -1 / math.sqrt(3)], rel=1e-5
    )


@pytest.mark.parametrize("outcome", ["unparseable", "verifier_error"])
def test_a_rollout_that_was_not_judged_changes_nothing(outcome):
    without = group_advantages(["pass", "fail", "pass"], [1.0, 0.2, 1.0])
    assert group_advantages(["pass", outcome, "fail", "pass"], [1.0, 0.0, 0.2, 1.0]) == [without[0], None, *without[1:]]


@pytest.mark.parametrize("outcome", ["unparseable", "verifier_error"])
def test_a_group_does_not_get_a_signal_from_what_was_not_judged(outcome):
    assert group_advantages(["pass", outcome, "pass"], [1.0, 0.0, 1.0]) == [None] * 3
    assert group_advantages(["pass", outcome], [1.0, 0.0]) == [None] * 2
