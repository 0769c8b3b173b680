import json

import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from gradus.errors import ConfigError, DataError
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig, RopeScaling
from gradus.trainer.learner import Learner

FAMILIES = list(tiny.MODELS)
LENGTH = 320
DECLARED = RopeScaling(factor=2.0)


def make_model(folder, family="llama"):
    """Write a tiny model whose heads look at few positions, so that it matters where those are."""
    tiny.make_model(folder, family=family)
    weights = load_file(folder / "model.safetensors")
    sharper = {
        name: weight * 12 if "q_proj" in name or "k_proj" in name else weight for name, weight in weights.items()
    }
    save_file(sharper, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return folder


def learner(folder, platform, *, rope=None, context_length=LENGTH):
    return Learner(
        folder,
        platform,
        context_length=context_length,
        optim=OptimConfig(),
        num_updates=1,
        compute=ComputeConfig(),
        rope=rope,
    )


def tokens(length=LENGTH):
    return torch.randint(0, tiny.VOCAB, (length,), generator=torch.Generator().manual_seed(0))


@torch.no_grad()
def our_logits(ours, ids):
    document = Document(ids.numpy(), torch.ones(len(ids)).bool().numpy())
    return ours.logits(collate([[document]], len(ids)))[0, : len(ids)]


@torch.no_grad()
def their_logits(folder, ids):
    return AutoModelForCausalLM.from_pretrained(folder)(ids[None]).logits[0]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_trained_under_yarn_is_exported_with_it(family, tmp_path, platform):
    folder = make_model(tmp_path / "m", family=family)
    ours = learner(folder, platform, rope=DECLARED)
    ours.export(tmp_path / "out")
    got, want = our_logits(ours, tokens()), their_logits(tmp_path / "out", tokens())
    assert (got - want).abs().max() <= 1e-4
    assert (got - their_logits(folder, tokens())).abs().max() > 1e-2
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config["max_position_embeddings"] == 512
    again = our_logits(learner(tmp_path / "out", platform), tokens())
    torch.testing.assert_close(again, got, rtol=0, atol=0)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"attention_factor": 1.3},
        {"mscale": 1.2, "mscale_all_dim": 0.8},
        {"truncate": False, "beta_fast": 16, "beta_slow": 2},
    ],
)
def test_a_model_that_comes_with_yarn_is_computed_like_in_transformers(family, more, tmp_path, platform):
    yarn = {"rope_type": "yarn", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 128} | more
    folder = change_config(make_model(tmp_path / "m", family=family), rope_parameters=yarn, max_position_embeddings=512)
    got, want = our_logits(learner(folder, platform), tokens()), their_logits(folder, tokens())
    assert (got - want).abs().max() <= 1e-4


def test_settings_where_transformers_4_kept_them_are_read_and_written_there(tmp_path, platform):
    folder = make_model(tmp_path / "m")
    change_config(folder, rope_parameters=None, rope_scaling=None, rope_theta=5000.0)
    ours = learner(folder, platform, rope=DECLARED)
    ours.export(tmp_path / "out")
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config["rope_parameters"] is None
    assert config["rope_scaling"]["rope_type"] == "yarn"
    assert config["rope_scaling"]["rope_theta"] == 5000.0
    assert (our_logits(ours, tokens()) - their_logits(tmp_path / "out", tokens())).abs().max() <= 1e-4


def test_a_larger_factor_replaces_the_one_before(tmp_path, platform):
    folder = make_model(tmp_path / "m")
    learner(folder, platform, rope=DECLARED).export(tmp_path / "twice")
    further = RopeScaling(factor=4.0)
    once = our_logits(learner(folder, platform, rope=further), tokens())
    after = our_logits(learner(tmp_path / "twice", platform, rope=further), tokens())
    torch.testing.assert_close(after, once, rtol=0, atol=0)


def test_a_context_that_only_yarn_makes_long_enough_says_so(tmp_path, platform):
    folder = make_model(tmp_path / "m")
    with pytest.raises(DataError, match=r"takes 256 tokens.*rope\.factor=3"):
        learner(folder, platform, context_length=600)
    with pytest.raises(DataError, match="takes 512 tokens"):
        learner(folder, platform, context_length=600, rope=DECLARED)


@pytest.mark.parametrize("wrong", [{"factor": 0.5}, {"factor": 2.0, "beta_fast": 1.0, "beta_slow": 2.0}])
def test_a_scaling_that_makes_no_sense_is_refused(wrong):
    with pytest.raises(ValueError, match="factor must be at least 1"):
        RopeScaling(**wrong)


def test_one_scaling_is_not_put_on_another(tmp_path, platform):
    llama3 = {"rope_type": "llama3", "rope_theta": 10000.0, "factor": 2.0, "original_max_position_embeddings": 128}
    llama3 |= {"low_freq_factor": 1.0, "high_freq_factor": 4.0}
    folder = change_config(make_model(tmp_path / "m"), rope_parameters=llama3)
    with pytest.raises(ConfigError, match="already scales"):
        learner(folder, platform, context_length=64, rope=DECLARED)
    got, want = our_logits(learner(folder, platform, context_length=64), tokens(64)), their_logits(folder, tokens(64))
    assert (got - want).abs().max() <= 1e-4


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"rope_type": "linear", "rope_theta": 10000.0, "factor": 2.0}, "'linear'"),
        ({"full_attention": {"rope_type": "default", "rope_theta": 10000.0}}, "by layer type"),
        ({"rope_type": "default", "rope_theta": 10000.0, "partial_rotary_factor": 0.5}, "part of each head"),
    ],
)
def test_a_rotation_that_we_do_not_know_is_refused(settings, said, tmp_path, platform):
    folder = change_config(make_model(tmp_path / "m"), rope_parameters=settings)
    with pytest.raises(DataError, match=said):
        learner(folder, platform, context_length=64)
