"""The layouts on two GPUs: bfloat16 products, NCCL, flash attention; their equality to the last digits is a CPU's."""

import layouts
import pytest
import tiny
import torch
from test_parallel import CHANGED, leaks_nothing

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
TWO = pytest.mark.skipif(torch.cuda.device_count() < 2, reason="fewer than two GPUs")
EAGER = {"compile": False}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.make_model(tmp_path_factory.mktemp("model") / "tiny", family="qwen3", head_dim=64)


def near(found, want):
    """Check what a step gave.

    bfloat16 keeps 8 bits: a product of other parts, added in another order, differs by up to 2^-8 of the largest terms,
    a gradient by some of those; the loss is a mean of 150 of them.
    """
    torch.testing.assert_close(found["loss"], want["loss"], rtol=2e-3, atol=0)
    torch.testing.assert_close(found["loss after"], want["loss after"], rtol=5e-3, atol=0)
    assert found["norm"] == pytest.approx(want["norm"], rel=0.02)
    for name, wanted in want["gradients"].items():
        difference = (found["gradients"][name] - wanted).norm()
        assert difference <= 0.03 * wanted.norm(), name


@TWO
def test_two_gpus_learn_what_one_does_and_documents_do_not_see_each_other(folder, tmp_path, platform):
    parallels = ({}, {"replicate": 2}, {"context": 2}, {"tensor": 2})
    calls = [(layouts.learn, (folder, parallel), {"compute": EAGER, "change": CHANGED}) for parallel in parallels]
    found, want = layouts.spawn(tmp_path, 2, calls), layouts.learn(folder, {}, compute=EAGER)
    for i, parallel in enumerate(parallels):
        leaks_nothing([of_rank[i]["logits"] for of_rank in found], parallel)
        for of_rank in found:
            near(of_rank[i], want)


@TWO
def test_compiled_layers_learn_the_same_on_two_gpus(folder, tmp_path, platform):
    parallels = ({"context": 2}, {"tensor": 2})
    compute = {"activation_checkpointing": "selective"}
    calls = [(layouts.learn, (folder, parallel), {"compute": compute}) for parallel in parallels]
    found = layouts.spawn(tmp_path, 2, calls)
    want = layouts.learn(folder, {}, compute=EAGER)
    for of_rank in found:
        for i in range(len(parallels)):
            near(of_rank[i], want)


@TWO
def test_muon_takes_the_same_step_on_two_gpus(folder, tmp_path, platform):
    parallels = ({}, {"replicate": 2}, {"context": 2}, {"tensor": 2})
    calls = [(layouts.learn, (folder, parallel), {"compute": EAGER, "name": "muon"}) for parallel in parallels]
    want = layouts.learn(folder, {}, compute=EAGER, name="muon")
    for of_rank in layouts.spawn(tmp_path, 2, calls):
        for found in of_rank:
            near(found, want)


def test_weights_in_the_machines_memory_learn_the_same(folder, platform):
    near(layouts.learn(folder, {"cpu_offload": True}, compute=EAGER), layouts.learn(folder, {}, compute=EAGER))


def test_float8_learns_nearly_the_same(folder, platform):
    pytest.importorskip("torchao")
    want = layouts.learn(folder, {})
    found = layouts.learn(folder, {"float8": True})
    # Three bits of a product's inputs.
    torch.testing.assert_close(found["loss"], want["loss"], rtol=0.03, atol=0)
    torch.testing.assert_close(found["loss after"], want["loss after"], rtol=0.05, atol=0)
