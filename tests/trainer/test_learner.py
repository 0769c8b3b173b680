import layouts
import numpy as np
import pytest
import tiny
import torch

from gradus.kernels.document_attention import OneByOne
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.learner import Learner
from gradus.trainer.losses import cross_entropy as losses
from gradus.trainer.platform import Platform


def learner(folder, platform, **compute):
    return Learner(
        folder, platform, context_length=64, optim=OptimConfig(), num_updates=1, compute=ComputeConfig(**compute)
    )


def packed(seed=0):
    rng = np.random.default_rng(seed)
    rows = [[Document(rng.integers(0, tiny.VOCAB, n), rng.random(n) < 0.5) for n in row] for row in ((20, 30), (64,))]
    return collate(rows, 64)


def gradients(ours):
    """Return the loss of a batch and the gradients that it leaves."""
    batch = packed()
    loss = ours.backward(batch, losses.count_labels(batch.labels_BT).float())
    return loss, {name: layouts.whole(p.grad) for name, p in ours.model.named_parameters()}


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_a_loss_in_parts_is_the_loss_of_all_logits(family, tmp_path, platform, monkeypatch):
    folder = tiny.make_model(tmp_path / "m", family=family)
    batch = packed()
    whole = learner(folder, platform)
    want = losses.cross_entropy(whole.logits(batch), batch.labels_BT, losses.count_labels(batch.labels_BT).float())
    want.backward()
    wanted = {name: layouts.whole(p.grad) for name, p in whole.model.named_parameters()}
    monkeypatch.setattr(losses, "MAX_LOGITS", 2 * 16 * tiny.VOCAB)
    ours = learner(folder, platform)
    loss, found = gradients(ours)
    assert ours._loss.num_chunks == 4
    torch.testing.assert_close(loss, want.detach())
    for name, gradient in found.items():
        torch.testing.assert_close(gradient, wanted[name], rtol=1e-4, atol=1e-7)


def test_a_step_of_many_batches_hands_its_gradients_over_once(model, platform, monkeypatch):
    monkeypatch.setattr(Platform, "compute_dtype", "bfloat16")  # as on a GPU, where FSDP2 keeps float32 beside
    batches = [packed(seed) for seed in range(3)]
    num_labels = sum(losses.count_labels(batch.labels_BT) for batch in batches).float()
    found, after = [], []
    for announced in (False, True):
        ours = learner(model, platform)
        layers = [layer.attention.wo.weight for layer in ours.model.layers.values()]
        there = []
        for batch in ours.in_turn(batches) if announced else batches:
            ours.backward(batch, num_labels)
            there.append([weight.grad is not None for weight in layers])
        assert there == [[not announced] * len(layers)] * 2 + [[True] * len(layers)]
        found.append({name: layouts.whole(p.grad) for name, p in ours.model.named_parameters()})
        ours.step()
        after.append(ours.loss(batches[0], num_labels))
    torch.testing.assert_close(after[1], after[0], rtol=1e-4, atol=0)
    assert after[0] < learner(model, platform).loss(batches[0], num_labels)
    for name, gradient in found[0].items():
        torch.testing.assert_close(found[1][name], gradient, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("activation_checkpointing", ["selective", "attention", "full"])
def test_what_is_computed_again_is_the_same(activation_checkpointing, model, platform):
    want, wanted = gradients(learner(model, platform))
    loss, found = gradients(learner(model, platform, activation_checkpointing=activation_checkpointing))
    assert torch.equal(loss, want)
    for (_, gradient), (_, other) in zip(sorted(found.items()), sorted(wanted.items()), strict=True):
        torch.testing.assert_close(gradient, other, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("activation_checkpointing", "times"), [("none", 1), ("selective", 1), ("attention", 1), ("full", 2)]
)
def test_attention_is_computed_again_only_where_all_is(activation_checkpointing, times, model, platform, monkeypatch):
    ours, heard = learner(model, platform, activation_checkpointing=activation_checkpointing), []
    attend = OneByOne.forward
    monkeypatch.setattr(OneByOne, "forward", lambda *given: heard.append(given) or attend(*given))
    gradients(ours)
    assert len(heard) == times * len(ours.model.layers)


@pytest.mark.parametrize(
    ("shape", "vocabulary", "num_chunks"), [((1, 16384), 151936, 4), ((1, 100), 1 << 30, 4), ((2, 64), 300, 1)]
)
def test_the_number_of_parts_follows_the_logits(shape, vocabulary, num_chunks):
    loss = losses.ChunkedCrossEntropy.Config().build()
    loss.fit(torch.Size(shape), vocabulary)
    assert loss.num_chunks == num_chunks


def test_what_one_step_changed_is_in_the_export_to_the_bit(model, platform, tmp_path):
    ours = learner(model, platform)
    before = layouts.whole(ours.state_dict()["model"]["layers.0.attention.wo.weight"]).clone()
    gradients(ours)
    ours.clip()
    ours.step()
    ours.export(tmp_path / "export")
    again = learner(tmp_path / "export", platform).state_dict()["model"]
    for name, weight in ours.state_dict()["model"].items():
        assert torch.equal(layouts.whole(again[name]), layouts.whole(weight))
    changed = layouts.whole(again["layers.0.attention.wo.weight"])
    # Less than bfloat16 could tell apart: AdamW's first step is its learning rate, 2e-5.
    assert 0 < (changed - before).abs().max() < 3e-5
