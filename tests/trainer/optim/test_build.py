import layouts
import motif_reference
import pytest
import tiny
import torch
from torch import nn

from gradus.trainer.config import OptimConfig
from gradus.trainer.optim.build import build_optimizers, build_schedulers


class Toy(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.out = nn.RMSNorm(3), nn.Linear(3, 3, bias=False)


def test_updates_are_those_of_torch_and_norms_are_not_decayed():
    torch.manual_seed(0)
    ours, theirs = Toy(), Toy()
    theirs.load_state_dict(ours.state_dict())
    config = OptimConfig(lr=0.1, weight_decay=0.5)
    optimizers = build_optimizers(ours, config)
    settings = {"lr": 0.1, "betas": (0.9, 0.95), "eps": 1e-8}
    want = torch.optim.AdamW(
        [
            {"params": theirs.norm.parameters(), "weight_decay": 0.0},
            {"params": theirs.out.parameters(), "weight_decay": 0.5},
        ],
        **settings,
    )
    for _ in range(3):
        x = torch.randn(4, 3)
        for model, optimizer in ((ours, optimizers), (theirs, want)):
            optimizer.zero_grad()
            model.out(model.norm(x)).square().sum().backward()
            optimizer.step()
    for name, weight in ours.state_dict().items():
        torch.testing.assert_close(weight, theirs.state_dict()[name])


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3", "motif"])
@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_only_matrices_are_decayed(family, name, tmp_path):
    folder = motif_reference.make_motif(tmp_path) if family == "motif" else tiny.make_model(tmp_path, family=family)
    with torch.device("meta"):
        model = layouts.spec(folder).model.build()
    config = OptimConfig(name=name, weight_decay=0.5)
    for optimizer in build_optimizers(model, config):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                assert group["weight_decay"] == (0.5 if parameter.ndim == 2 else 0.0)


def rates(num_updates, **config):
    config = OptimConfig(lr=1.0, **config)
    optimizers = build_optimizers(Toy(), config)
    schedulers = build_schedulers(optimizers, config, num_updates=num_updates)
    found = []
    for _ in range(num_updates):
        found.append(optimizers.optimizers[0].param_groups[0]["lr"])
        optimizers.step()
        schedulers.step()
    return found


def test_the_rate_warms_up_then_falls():
    found = rates(10, warmup_steps=4, min_lr_factor=0.1)
    assert found[:5] == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0])
    assert found[5:] == sorted(found[5:], reverse=True)
    assert 0.1 <= found[-1] < 0.3


def test_a_warm_up_longer_than_the_run_is_cut_to_it():
    assert rates(2, warmup_steps=100) == pytest.approx([0.5, 1.0])


def test_a_constant_rate_stays():
    assert rates(5, min_lr_factor=1.0) == [1.0] * 5


class Layers(nn.Module):
    """Parameters named as torchtitan names a Llama's."""

    def __init__(self):
        super().__init__()
        self.tok_embeddings, self.norm = nn.Embedding(7, 4), nn.RMSNorm(4)
        self.layers = nn.ModuleDict(
            {"0": nn.ModuleDict({"wq": nn.Linear(4, 4, bias=False), "attention_norm": nn.RMSNorm(4)})}
        )


def test_muon_takes_the_matrices_of_the_layers_alone():
    model = Layers()
    optimizers = build_optimizers(model, OptimConfig(name="muon", lr=0.1))
    found = {type(o).__name__: [n for g in o.param_groups for n in g["param_names"]] for o in optimizers}
    assert found["Muon"] == ["layers.0.wq.weight"]
    assert sorted(found["AdamW"]) == ["layers.0.attention_norm.weight", "norm.weight", "tok_embeddings.weight"]
