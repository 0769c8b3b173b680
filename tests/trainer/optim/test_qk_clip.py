"""QK-clip against the logits of transformers' own models in float64."""

import math
from functools import partial

import layouts
import motif_reference
import pytest
import tiny
import torch
from great_logits import LIMIT, batches, collect, greatest_logits, plant, plant_in_padding
from torchtitan.config.configs import CompileConfig

from gradus.errors import ConfigError
from gradus.trainer import parallel
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.learner import Learner


@pytest.fixture(params=["llama", "qwen3"])
def planted(request, tmp_path):
    return plant(tiny.make_model(tmp_path / "m", family=request.param))


def learner(folder, platform, *, checkpointing="none", **optim):
    return Learner(
        folder,
        platform,
        context_length=64,
        optim=OptimConfig(**{"lr": 0.0, "qk_clip": LIMIT} | optim),
        num_updates=20,
        compute=ComputeConfig(activation_checkpointing=checkpointing),
    )


@pytest.mark.parametrize("checkpointing", ["none", "full"])
def test_the_greatest_logits_are_those_of_float64(planted, platform, checkpointing):
    given, ours = batches(), learner(planted, platform, checkpointing=checkpointing)
    collect(ours, given)
    bounds, found = ours._qk_clip.measure()
    want = greatest_logits(planted, given)
    above = want > LIMIT
    assert 2 <= above.sum() < above.numel()
    torch.testing.assert_close(found[above].double(), want[above], rtol=1e-5, atol=1e-5)
    assert (found[~above] <= LIMIT).all()
    assert (bounds >= want - 1e-4).all()


def test_padding_is_not_clipped_for(platform, tmp_path):
    # No document of this seed has the padding's token.
    folder, given = plant_in_padding(tiny.make_model(tmp_path / "m")), batches(1)
    assert greatest_logits(folder, given).max() < LIMIT
    ours = learner(folder, platform)
    collect(ours, given)
    bounds, found = ours._qk_clip.measure()
    assert torch.stack([bounds, found]).max() <= LIMIT + math.log(64)
    assert found.max() <= LIMIT
    assert ours._qk_clip.clip()["clipped_heads"] == 0


def test_compiled_layers_tell_their_logits_too(platform, tmp_path, monkeypatch):
    planted = plant(tiny.make_model(tmp_path / "m"))
    compiled = partial(CompileConfig, backend="aot_eager")
    monkeypatch.setattr(parallel, "CompileConfig", lambda **settings: compiled(**settings | {"enable": True}))
    given, ours = batches(), learner(planted, platform, checkpointing="full")
    want = greatest_logits(planted, given)
    collect(ours, given)
    told = ours.step()
    assert told["max_logit"] == pytest.approx(float(want.max()), rel=1e-5)
    assert told["clipped_heads"] == (want > LIMIT).sum()


def test_a_limit_above_all_logits_changes_nothing(planted, platform):
    given, ours = batches(), learner(planted, platform, qk_clip=1e3)
    collect(ours, given)
    before = layouts.whole(ours.state_dict()["model"]["layers.1.attention.qkv_linear.wq.weight"]).clone()
    bounds, found = ours._qk_clip.measure()
    assert (found == -torch.inf).all()
    assert ours._qk_clip.clip() == {"max_logit": pytest.approx(float(bounds.max())), "clipped_heads": 0}
    assert torch.equal(layouts.whole(ours.state_dict()["model"]["layers.1.attention.qkv_linear.wq.weight"]), before)


def test_what_is_above_the_limit_comes_down_to_it(planted, platform, tmp_path):
    given, ours = batches(), learner(planted, platform)
    want = greatest_logits(planted, given)
    collect(ours, given)
    told = ours.step()
    assert told["max_logit"] == pytest.approx(float(want.max()), rel=1e-5)
    assert told["clipped_heads"] == (want > LIMIT).sum()
    ours.export(tmp_path / "after")
    # The first layer first: what it gives changes with it, and with that the logits of the second.
    after = greatest_logits(tmp_path / "after", given)
    clipped = want[1] > LIMIT
    assert clipped.any()
    assert not (want[0] > LIMIT).any()
    assert float(after[1].max()) == pytest.approx(LIMIT, rel=1e-4)
    torch.testing.assert_close(after[0], want[0])


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_a_shared_key_takes_the_smallest_factor(family, platform, tmp_path):
    folder = plant(tiny.make_model(tmp_path / "m", family=family))
    given, ours = batches(), learner(folder, platform)
    want = greatest_logits(folder, given)

    def weights():
        return {name: layouts.whole(weight).clone() for name, weight in ours.state_dict()["model"].items()}

    before = weights()
    collect(ours, given)
    ours.step()
    after = weights()
    r = 1 / (1 + 2**0.5)
    gammas = (LIMIT / want[1]).clamp(max=1).float()
    assert gammas[0] < gammas[1] < 1
    for name, factors in (("wq", gammas ** (1 - r)), ("wk", gammas.view(2, 2).amin(dim=1) ** r)):
        for kind in ("weight", "bias"):
            key = f"layers.1.attention.qkv_linear.{name}.{kind}"
            if key in before:
                old, new = (of[key].unflatten(0, (len(factors), 16)) for of in (before, after))
                torch.testing.assert_close(new, old * factors.view(-1, *[1] * (old.ndim - 1)), rtol=1e-5, atol=1e-7)
    assert ("layers.1.attention.qkv_linear.wk.bias" in before) == (family == "qwen2")


def greatest_in_each_step(ours, num_steps):
    found = []
    for step in range(num_steps):
        collect(ours, batches(step))
        ours.clip()
        found.append(ours.step()["max_logit"])
    return found


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_run_that_explodes_is_held(name, platform, tmp_path):
    """One step's growth and a new batch are what may stand above the limit: the scaling comes after both."""
    folder = plant(tiny.make_model(tmp_path / "m"), factor=25.0)
    settings = {"lr": 0.005, "name": name, "min_lr_factor": 1.0, "max_norm": 1e9}
    held = greatest_in_each_step(learner(folder, platform, qk_clip=20.0, **settings), 12)
    # A limit no logit reaches, in small steps of it, so that it measures every one exactly and clips none.
    free = greatest_in_each_step(unclipped(learner(folder, platform, qk_clip=0.01, **settings)), 12)
    assert held[0] == free[0] > 50
    assert max(held[3:]) < 1.25 * 20
    assert min(free) > 2 * 20


def unclipped(ours):
    clip = ours._qk_clip
    clip.clip = lambda: {"max_logit": float(clip.measure()[1].max())}
    return ours


def test_batches_without_an_update_are_forgotten(planted, platform):
    given, ours = batches(), learner(planted, platform)
    collect(ours, given)
    ours.discard()
    collect(ours, given[:1])
    _, found = ours._qk_clip.measure()
    want = greatest_logits(planted, given[:1])
    torch.testing.assert_close(found[want > LIMIT].double(), want[want > LIMIT], rtol=1e-5, atol=1e-5)


def test_batches_that_are_only_looked_at_do_not_count(planted, platform):
    given, ours = batches(), learner(planted, platform)
    want = greatest_logits(planted, given[:1])
    ours.loss(given[1], torch.tensor(1.0))
    collect(ours, given[:1])
    _, found = ours._qk_clip.measure()
    torch.testing.assert_close(found[want > LIMIT].double(), want[want > LIMIT], rtol=1e-5, atol=1e-5)


@pytest.mark.slow
def test_every_layout_clips_the_same(platform, tmp_path):
    folders = {family: plant(tiny.make_model(tmp_path / family, family=family)) for family in ("llama", "qwen3")}
    wanted = {family: layouts.learn(folder, {}, qk_clip=LIMIT) for family, folder in folders.items()}
    plan = [("llama", {"shard": 2}), ("llama", {"tensor": 2}), ("llama", {"context": 2}), ("qwen3", {"tensor": 2})]
    calls = [(layouts.learn, (folders[family], layout), {"qk_clip": LIMIT}) for family, layout in plan]
    for rank in layouts.spawn(tmp_path, 2, calls):
        for (family, _), found in zip(plan, rank, strict=True):
            for name, weight in found["weights"].items():
                torch.testing.assert_close(weight, wanted[family]["weights"][name], rtol=1e-4, atol=1e-5)
    for family, name in (("llama", "attention.qkv_linear.wk.weight"), ("qwen3", "attention.k_norm.weight")):
        free = layouts.learn(folders[family], {})["weights"][f"layers.1.{name}"]
        assert not torch.allclose(wanted[family]["weights"][f"layers.1.{name}"], free, rtol=0.1)


def test_heads_that_cannot_be_clipped_are_refused(platform, tmp_path):
    folder = motif_reference.make_motif(tmp_path / "m")
    with pytest.raises(ConfigError, match="DifferentialAttention"):
        learner(folder, platform)
