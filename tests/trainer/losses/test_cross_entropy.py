import torch
from torch.nn.functional import cross_entropy as torchs

from gradus.trainer.losses.cross_entropy import count_labels, cross_entropy


def test_it_is_the_mean_over_learnt_tokens():
    torch.manual_seed(0)
    logits = torch.randn(2, 5, 7, requires_grad=True)
    labels = torch.randint(0, 7, (2, 5))
    labels[0, :3] = -100
    want_logits = logits.detach().double().requires_grad_()
    want = torchs(want_logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
    got = cross_entropy(logits, labels, count_labels(labels).float())
    got.backward()
    want.backward()
    torch.testing.assert_close(got.double(), want)
    torch.testing.assert_close(logits.grad.double(), want_logits.grad, rtol=1e-5, atol=1e-7)


def test_parts_of_a_step_add_up_to_the_whole():
    torch.manual_seed(0)
    logits, labels = torch.randn(4, 5, 7), torch.randint(0, 7, (4, 5))
    whole = cross_entropy(logits, labels, 20)
    torch.testing.assert_close(sum(cross_entropy(logits[i : i + 1], labels[i : i + 1], 20) for i in range(4)), whole)


def test_a_row_of_padding_costs_nothing():
    logits = torch.randn(1, 3, 5, requires_grad=True)
    cross_entropy(logits, torch.full((1, 3), -100), 4).backward()
    assert logits.grad.abs().max() == 0
