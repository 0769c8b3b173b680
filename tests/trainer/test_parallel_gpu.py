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


LAYOUTS = ({}, {"replicate": 2}, {"context": 2}, {"tensor": 2})
COMPILED = ({"context": 2}, {"tensor": 2})


@pytest.fixture(scope="module")
def on_two(folder, tmp_path_factory):
    """What each GPU of two found: with every layout, with compiled layers, and with Muon."""
    calls = [(layouts.learn, (folder, parallel), {"compute": EAGER, "change": CHANGED}) for parallel in LAYOUTS]
    selective = {"activation_checkpointing": "selective"}
    calls += [(layouts.learn, (folder, parallel), {"compute": selective}) for parallel in COMPILED]
    calls += [(layouts.learn, (folder, parallel), {"compute": EAGER, "name": "muon"}) for parallel in LAYOUTS]
    found = layouts.spawn(tmp_path_factory.mktemp("two"), 2, calls)  # once: starting processes is what takes the time
    first, last = len(LAYOUTS), len(LAYOUTS) + len(COMPILED)
    return {
        "eager": [of_rank[:first] for of_rank in found],
        "compiled": [of_rank[first:last] for of_rank in found],
        "muon": [of_rank[last:] for of_rank in found],
    }


@TWO
def test_two_gpus_learn_what_one_does_and_documents_do_not_see_each_other(folder, on_two, platform):
    want = layouts.learn(folder, {}, compute=EAGER)
    for i, parallel in enumerate(LAYOUTS):
        leaks_nothing([of_rank[i]["logits"] for of_rank in on_two["eager"]], parallel)
        for of_rank in on_two["eager"]:
            near(of_rank[i], want)


@TWO
@pytest.mark.parametrize(("how", "settings"), [("compiled", {}), ("muon", {"name": "muon"})])
def test_two_gpus_learn_the_same(how, settings, folder, on_two, platform):
    want = layouts.learn(folder, {}, compute=EAGER, **settings)
    for of_rank in on_two[how]:
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
