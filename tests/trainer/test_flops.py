import numpy as np
import pytest
import tiny
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import AutoModelForCausalLM, Qwen3Config

from gradus.trainer.attention import DocumentAttention
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.flops import Flops, count_pairs, mfu, peak_flops
from gradus.trainer.learner import Learner
from gradus.trainer.model import model_spec
from gradus.trainer.platform import Platform


def make_batch(*rows, length=64):
    return collate([[Document(np.full(n, 7), np.ones(n, bool)) for n in row] for row in rows], length)


def test_pairs_are_squared_lengths_without_padding():
    assert count_pairs(make_batch([5, 20, 1], [], [64])) == 5**2 + 20**2 + 1 + 64**2


@pytest.mark.parametrize("tied", [True, False])
def test_a_token_costs_what_pytorch_counts_in_matrix_products(tied, platform, tmp_path):
    folder = tiny.make_model(tmp_path / "model", tied=tied)
    learner = Learner(folder, platform, context_length=64, optim=OptimConfig(), num_updates=1, compute=ComputeConfig())
    with FlopCounterMode(display=False) as counter:
        learner.backward(make_batch([64], [64]), torch.ones(()))
    norms = sum(p.numel() for name, p in learner.model.named_parameters() if "norm" in name)
    # Attention is one operation that the counter does not look into; norms are in ours by convention.
    assert counter.get_total_flops() == (learner.flops.per_token - 6 * norms) * 128


def test_six_tenths_of_a_billion_parameters_cost_what_they_are_said_to(tmp_path):
    config = Qwen3Config(
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=8,
        head_dim=128,
        vocab_size=151936,
        tie_word_embeddings=True,
    )
    config.save_pretrained(tmp_path)
    spec = model_spec(tmp_path, context_length=16384, attention=DocumentAttention.Config())
    with torch.device("meta"):
        flops = Flops.of(spec.model.build())
        parameters = sum(p.numel() for p in AutoModelForCausalLM.from_config(config).parameters())
    assert parameters == 596_049_920
    # One document of 16K: 25,500 tokens a second are 23.7% of an H100 in prime-rl's table, whose peak is 989e12.
    assert flops.step(25_500, 25_500 * 16384) / 989e12 == pytest.approx(0.237, abs=0.01)
    assert flops == Flops(6.0 * parameters, 6.0 * 28 * 16 * 128)


@pytest.mark.parametrize(
    ("name", "peak"),
    [
        ("NVIDIA H100 80GB HBM3", 989.4e12),
        ("NVIDIA H100 PCIe", 756e12),
        ("NVIDIA H100 NVL", 835e12),
        ("NVIDIA H200", 989.4e12),
        ("NVIDIA A100-SXM4-80GB", 312e12),
        ("NVIDIA GB200", 2500e12),
        ("NVIDIA GeForce RTX 4090", None),
    ],
)
def test_the_peak_is_that_of_the_device(name, peak, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: name)
    gpus = Platform(torch.device("cuda", 0), rank=0, world_size=2)
    assert peak_flops(gpus.device) == peak
    assert mfu(1e15, 2.0, gpus) == (peak and 1e15 / (2.0 * 2 * peak))


def test_no_peak_is_known_of_a_cpu(platform):
    assert mfu(1e12, 1.0, platform) is None
