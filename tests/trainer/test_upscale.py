"""Upscaled models compute what they did, by transformers and by our trainer, and learn in all their parts."""

import json

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from gradus.api.cli import main
from gradus.api.commands.upscale import read_width
from gradus.errors import ConfigError, DataError
from gradus.trainer import sft, shards
from gradus.trainer.compare import largest_difference
from gradus.trainer.upscale import Plan, Upscaling, upscale

WIDER = {"hidden": 2, "heads": 2, "ffn": 2}
WAYS = [
    WIDER,
    {"hidden": 3, "heads": 3, "ffn": 3},
    {"hidden": 2},
    {"heads": 2},
    {"ffn": 4},
    {"depth": 5},
    WIDER | {"depth": 3},
]


def grow(folder, target, **how):
    plan = Plan(folder, Upscaling(**how))
    assert upscale(folder, target, plan, origin="tiny", advance=lambda _: None)
    return target


def loaded(folder):
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)


@pytest.fixture
def taught(tmp_path):
    """Make a model whose norms are no ones and whose biases no zeros, as after training."""

    def make(family, tied):
        folder = tiny.make_model(tmp_path / "small", family=family, tied=tied)
        weights = load_file(folder / "model.safetensors")
        torch.manual_seed(0)
        weights |= {name: torch.rand_like(weight) + 0.5 for name, weight in weights.items() if "norm" in name}
        weights |= {name: torch.randn_like(weight) for name, weight in weights.items() if "bias" in name}
        save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
        return folder

    return make


@pytest.mark.parametrize("how", WAYS, ids=str)
@pytest.mark.parametrize(("family", "tied"), [("llama", True), ("llama", False), ("qwen2", True), ("qwen3", False)])
def test_logits_stay(family, tied, how, taught, tmp_path):
    folder = taught(family, tied)
    large = grow(folder, tmp_path / "large", **how)
    logits = loaded(folder)(torch.arange(64)[None]).logits
    assert logits.std() > 0.1, "a model that says nothing stays the same under anything"
    assert largest_difference(folder, large) < 1e-5


@pytest.mark.parametrize("seed", [0, 1])
def test_copies_are_told_apart_by_noise_alone(seed, taught, tmp_path):
    folder = taught("llama", True)
    equal, apart = (grow(folder, tmp_path / str(noise), **WIDER, noise=noise, seed=seed) for noise in (0.0, 0.1))
    name = "model.layers.0.mlp.gate_proj.weight"
    before, same, noisy = (load_file(path / "model.safetensors")[name] for path in (folder, equal, apart))
    torch.testing.assert_close(same, before.repeat(2, 2) / 2, rtol=0, atol=0)
    difference = noisy - same
    assert float(difference.std()) == pytest.approx(0.1 * float(same.std()), rel=0.1)
    torch.testing.assert_close(difference[:, :64], -difference[:, 64:])
    assert not torch.allclose(difference[:96], difference[96:])


def test_without_noise_copies_learn_the_same_and_with_it_they_do_not(taught, tmp_path):
    folder = taught("llama", False)
    tokens = torch.arange(40)[None]
    apart = []
    for noise in (0.0, 0.1):
        model = loaded(grow(folder, tmp_path / str(noise), **WIDER, noise=noise))
        model(tokens, labels=tokens).loss.backward()
        gradient = model.model.layers[0].mlp.up_proj.weight.grad
        apart.append(float((gradient[:96] - gradient[96:]).abs().max() / gradient.abs().max()))
    assert apart[0] < 1e-4
    assert apart[1] > 1e-2


@pytest.mark.parametrize(("depth", "new"), [(3, [2]), (4, [1, 3]), (5, [1, 3, 4]), (6, [1, 2, 4, 5])])
def test_new_layers_lie_evenly_between_the_old(depth, new, model, tmp_path):
    large = grow(model, tmp_path / "large", depth=depth)
    weights = load_file(large / "model.safetensors")
    for part in ("self_attn.o_proj", "mlp.down_proj"):
        zero = [not weights[f"model.layers.{layer}.{part}.weight"].any() for layer in range(depth)]
        assert [layer for layer in range(depth) if zero[layer]] == new


@pytest.mark.parametrize("family", ["llama", "qwen2", "qwen3"])
def test_two_steps_of_training_reach_every_part_and_export(family, taught, tmp_path):
    folder = grow(taught(family, True), tmp_path / "large", **WIDER, depth=3)
    manifest = tiny.make_manifest(tmp_path, folder, stages=[tiny.make_stage(tmp_path, "one")])
    run = tmp_path / "run"
    words = ["--manifest", str(manifest), "--model", str(folder), "--run", str(run)]
    assert sft.main([*words, "steps=2", "optim.lr=1e-3", "optim.weight_decay=0.0", "sequences_per_step=2"]) == 0
    before, after = (load_file(path / "model.safetensors") for path in (folder, run / "export"))
    assert before.keys() == after.keys()
    # An embedding's row is reached by its own token alone; every row of the tied head by all.
    still = [name for name in before if torch.equal(before[name], after[name])]
    assert not still
    new = {name for name in before if name.startswith("model.layers.2.")}
    moved = {name: float((after[name] - before[name]).ne(0).float().mean()) for name in new}
    assert min(moved.values()) > 0.9, moved
    assert loaded(run / "export").config.num_hidden_layers == 3


def test_a_model_in_several_files_gives_one_in_several_files(taught, tmp_path, monkeypatch):
    folder = taught("llama", False)
    loaded(folder).save_pretrained(folder, max_shard_size="100KB")
    (folder / "model.safetensors").unlink()
    assert (folder / shards.INDEX).exists()
    monkeypatch.setattr("gradus.trainer.upscale.plan_shards", lambda sizes: shards.plan_shards(sizes, 200_000))
    large = grow(folder, tmp_path / "large", **WIDER)
    files = sorted(path.name for path in large.glob("*.safetensors"))
    assert len(files) > 3
    assert files[0] == f"model-00001-of-{len(files):05}.safetensors"
    assert all(path.stat().st_size < 210_000 for path in large.glob("*.safetensors"))
    assert set(shards.weight_files(large)) == set(json.loads((large / shards.INDEX).read_text())["weight_map"])
    assert largest_difference(folder, large) < 1e-5


def test_what_was_killed_half_way_is_gone_on_with(model, tmp_path, monkeypatch):
    monkeypatch.setattr("gradus.trainer.upscale.plan_shards", lambda sizes: shards.plan_shards(sizes, 200_000))
    whole = grow(model, tmp_path / "whole", **WIDER)
    plan, target, told = Plan(model, Upscaling(**WIDER)), tmp_path / "large", []

    def advance(count):
        told.append(count)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        upscale(model, target, plan, origin="tiny", advance=advance)
    assert not target.exists()
    first = tmp_path / ".large.new" / next(iter(plan.shards))
    written = first.stat().st_mtime_ns
    assert upscale(model, target, plan, origin="tiny", advance=lambda _: None)
    assert (target / first.name).stat().st_mtime_ns == written
    for path in whole.iterdir():
        assert (target / path.name).read_bytes() == path.read_bytes()
    assert not upscale(model, target, plan, origin="tiny", advance=lambda _: None)
    for there in (target, target / "config.json"):
        with pytest.raises(DataError, match="exists"):
            upscale(model, there, Plan(model, Upscaling(hidden=2)), origin="tiny", advance=lambda _: None)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        # Motifs can be trained, so it is only here that they are refused.
        ({"model_type": "motif", "hidden_act": "poly_norm"}, "is motif; what can be upscaled: llama, qwen2, qwen3"),
        ({"model_type": "gemma"}, "'gemma'"),
        ({"quantization_config": {"quant_method": "fp8"}}, "quantized"),
        ({"num_hidden_layers": 3}, "layer 2"),
    ],
)
def test_what_cannot_be_upscaled_is_refused(change, words, taught):
    folder = taught("llama", True)
    (folder / "config.json").write_text(json.dumps(json.loads((folder / "config.json").read_text()) | change))
    with pytest.raises(DataError, match=words):
        Plan(folder, Upscaling())


def test_a_weight_that_nobody_knows_is_refused(taught):
    folder = taught("llama", True)
    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"model.layers.0.self_attn.sinks": torch.ones(4)}, folder / "model.safetensors")
    with pytest.raises(DataError, match="sinks"):
        Plan(folder, Upscaling(hidden=2))


@pytest.mark.parametrize("how", [{"hidden": 0}, {"noise": 2.0}, {"depth": 1}])
def test_what_makes_no_sense_is_refused(how, model):
    with pytest.raises(ConfigError):
        Plan(model, Upscaling(**how))


@pytest.mark.parametrize("text", ["two", "1.5", "hidden=2,depth=3", "hidden=", "-1"])
def test_a_width_is_whole(text):
    with pytest.raises(ConfigError, match="whole number"):
        read_width(text)


def test_the_command_says_what_it_made(model, tmp_path, capsys):
    out = tmp_path / "large"
    words = ["upscale", str(model), str(out), "--width", "2", "--depth", "4", "--check", "--json"]
    assert main(words) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["made"]
    assert found["max_difference"] < 1e-5
    assert found["parameters"] == sum(weight.numel() for weight in load_file(out / "model.safetensors").values())
    assert loaded(out).num_parameters() == found["parameters"]
    assert AutoTokenizer.from_pretrained(out).decode([5, 6]) is not None
    assert main(words) == 0
    assert not json.loads(capsys.readouterr().out)["made"]
    assert main(["upscale", str(model), str(out), "--depth", "5"]) == 3
    assert main(["upscale", str(tmp_path / "none"), str(out)]) == 3
