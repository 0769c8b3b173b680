import json
import shutil
from functools import partial

import pytest
import tiny
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from gradus.curricula.fingerprint import tokenizer_fingerprint
from gradus.engine.models import default_model
from gradus.errors import DataError
from gradus.trainer import model as model_module
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig, RopeScaling
from gradus.trainer.learner import Learner
from gradus.trainer.model import read_config


def learner(folder, platform):
    return Learner(folder, platform, context_length=64, optim=OptimConfig(), num_updates=1, compute=ComputeConfig())


def documents(*lengths, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [
        Document(
            torch.randint(0, tiny.VOCAB, (length,), generator=generator).numpy(), torch.ones(length).bool().numpy()
        )
        for length in lengths
    ]


FAMILIES = [(family, tied) for family in tiny.MODELS for tied in (True, False)]


@pytest.mark.parametrize(("family", "tied"), FAMILIES)
def test_logits_equal_those_of_transformers(family, tied, tmp_path, platform):
    folder = tiny.make_model(tmp_path / "m", tied=tied, seed=1, family=family)
    [document] = documents(40)
    with torch.no_grad():
        got = learner(folder, platform).logits(collate([[document]], 64))[0, :40]
        want = AutoModelForCausalLM.from_pretrained(folder)(torch.from_numpy(document.token_ids)[None]).logits[0]
    torch.testing.assert_close(got, want, rtol=1e-4, atol=1e-5)


def test_documents_in_a_row_do_not_see_each_other(model, platform):
    a, b = documents(20, 30)
    [other] = documents(20, seed=1)
    ours = learner(model, platform)
    with torch.no_grad():
        first, second, alone = (ours.logits(collate([row], 64))[0] for row in ([a, b], [other, b], [b]))
    assert not torch.equal(first[:20], second[:20])
    torch.testing.assert_close(first[20:50], second[20:50], rtol=0, atol=0)
    torch.testing.assert_close(first[20:50], alone[:30], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("family", "tied"), FAMILIES)
def test_an_exported_folder_is_the_same_model_for_transformers(family, tied, tmp_path, platform):
    folder = tiny.make_model(tmp_path / "m", tied=tied, family=family)
    learner(folder, platform).export(tmp_path / "out")
    before, after = (AutoModelForCausalLM.from_pretrained(path).state_dict() for path in (folder, tmp_path / "out"))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    with safe_open(tmp_path / "out/model.safetensors", framework="pt") as file:
        assert ("lm_head.weight" in file.keys()) is not tied  # noqa: SIM118
    assert tokenizer_fingerprint(tmp_path / "out") == tokenizer_fingerprint(folder)
    assert AutoTokenizer.from_pretrained(tmp_path / "out").decode([5, 6]) is not None


def test_an_export_in_bfloat16_says_so(model, tmp_path, platform):
    learner(model, platform).export(tmp_path / "out", "bfloat16")
    assert json.loads((tmp_path / "out/config.json").read_text())["dtype"] == "bfloat16"
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "out", dtype="auto").dtype == torch.bfloat16


def test_weights_in_several_files_are_one_model(tmp_path, platform, monkeypatch):
    folder = tiny.make_model(tmp_path / "m", tied=False)
    whole = AutoModelForCausalLM.from_pretrained(folder)
    whole.save_pretrained(tmp_path / "cut", max_shard_size="50KB")
    assert not (tmp_path / "cut/model.safetensors").exists()
    # A leftover that the index does not name is no part of the model.
    shutil.copyfile(folder / "model.safetensors", tmp_path / "cut/leftover.safetensors")
    monkeypatch.setattr(model_module, "plan_shards", partial(model_module.plan_shards, limit=50_000))
    learner(tmp_path / "cut", platform).export(tmp_path / "out")
    assert len(list((tmp_path / "out").glob("model-*-of-*.safetensors"))) > 1
    index = json.loads((tmp_path / "out/model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 4 * sum(weight.numel() for weight in whole.parameters())
    after = AutoModelForCausalLM.from_pretrained(tmp_path / "out").state_dict()
    assert all(torch.equal(after[name], weight) for name, weight in whole.state_dict().items())


def test_a_missing_file_of_weights_is_named(model, tmp_path, platform):
    shutil.copytree(model, tmp_path / "m")
    files = dict.fromkeys(load_file(model / "model.safetensors"), "model-00001-of-00002.safetensors")
    (tmp_path / "m/model.safetensors.index.json").write_text(json.dumps({"weight_map": files}))
    with pytest.raises(DataError, match=r"model-00001-of-00002\.safetensors, which is not there"):
        learner(tmp_path / "m", platform)


def test_weights_that_do_not_fit_the_config_are_named(model, tmp_path, platform):
    shutil.copytree(model, tmp_path / "m")
    weights = load_file(model / "model.safetensors")
    more = weights | {"model.layers.0.mlp.experts.weight": torch.ones(1)}
    fewer = {name: weight for name, weight in weights.items() if "layers.1.mlp.up_proj" not in name}
    other = weights | {"model.norm.weight": torch.ones(3)}
    for wrong, said in ((more, "experts"), (fewer, r"layers\.1\.feed_forward\.w3"), (other, r"norm\.weight")):
        save_file(wrong, tmp_path / "m/model.safetensors", metadata={"format": "pt"})
        with pytest.raises(DataError, match=said):
            learner(tmp_path / "m", platform)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_weights_are_trained_in_float32(dtype, tmp_path, platform):
    folder = tiny.make_model(tmp_path / "m")
    AutoModelForCausalLM.from_pretrained(folder).to(dtype).save_pretrained(tmp_path / "half")
    ours = learner(tmp_path / "half", platform)
    assert {weight.dtype for weight in ours.model.parameters()} == {torch.float32}
    ours.export(tmp_path / "out", str(dtype).removeprefix("torch."))
    before, after = (load_file(path / "model.safetensors") for path in (tmp_path / "half", tmp_path / "out"))
    assert all(torch.equal(before[name], after[name]) for name in after)


@pytest.mark.parametrize(
    "change",
    [
        {"model_type": "gemma"},
        {"attention_bias": True},
        {"hidden_act": "gelu"},
        {"quantization_config": {"quant_method": "fp8"}},
    ],
)
def test_a_model_that_we_would_compute_wrongly_is_refused(change, model, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(json.loads((model / "config.json").read_text()) | change))
    with pytest.raises(DataError):
        read_config(tmp_path)


def test_sliding_windows_are_refused(tmp_path):
    folder = tiny.make_model(tmp_path / "m", family="qwen3")
    config = json.loads((folder / "config.json").read_text()) | {"use_sliding_window": True}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(DataError, match="sliding windows"):
        read_config(folder)


def test_a_curriculum_longer_than_the_model_is_refused(model, platform):
    with pytest.raises(DataError, match="takes 256 tokens"):
        Learner(model, platform, context_length=512, optim=OptimConfig(), num_updates=1, compute=ComputeConfig())


def test_another_chat_template_is_another_tokenizer(model, tmp_path):
    shutil.copytree(model, tmp_path / "m")
    (tmp_path / "m/chat_template.jinja").write_text("hello")
    assert tokenizer_fingerprint(tmp_path / "m") != tokenizer_fingerprint(model)


@pytest.mark.slow
@pytest.mark.parametrize("rope", [None, RopeScaling(factor=2.0)])
def test_the_default_model_is_computed_like_in_transformers(rope, tmp_path, platform):
    folder = default_model()
    tokens = torch.tensor(
        AutoTokenizer.from_pretrained(folder)("What is 7 + 5? It is 12, of course. " * 20)["input_ids"]
    )
    document = Document(tokens.numpy(), torch.ones(len(tokens)).bool().numpy())
    ours = Learner(
        folder,
        platform,
        context_length=512,
        optim=OptimConfig(),
        num_updates=1,
        compute=ComputeConfig(),
        rope=rope,
    )
    ours.export(tmp_path / "out")
    with torch.no_grad():
        got = ours.logits(collate([[document]], 512))[0, : len(tokens)]
        want = LlamaForCausalLM.from_pretrained(tmp_path / "out", dtype=torch.float32)(tokens[None]).logits[0]
    assert (got - want).abs().max() <= 1e-4
