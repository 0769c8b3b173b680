import json
import shutil

import pytest
import tiny
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaForCausalLM

from gradus.curricula.fingerprint import tokenizer_fingerprint
from gradus.engine.models import default_model
from gradus.errors import DataError
from gradus.trainer.attention import document_mask
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
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


FAMILIES = [("llama", True), ("llama", False), ("qwen3", True), ("qwen3", False)]


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


def test_the_mask_lets_a_token_see_its_own_document_so_far():
    mask = document_mask(torch.tensor([[0, 1, 0, 1, 2]]))[0, 0]
    want = [[1, 0, 0, 0, 0], [1, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 1, 1, 0], [0, 0, 1, 1, 1]]
    assert mask.int().tolist() == want


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


@pytest.mark.parametrize("change", [{"model_type": "gemma"}, {"attention_bias": True}, {"hidden_act": "gelu"}])
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
def test_the_default_model_is_computed_like_in_transformers(platform):
    folder = default_model()
    tokens = torch.tensor(AutoTokenizer.from_pretrained(folder)("What is 7 + 5? It is 12, of course.")["input_ids"])
    document = Document(tokens.numpy(), torch.ones(len(tokens)).bool().numpy())
    with torch.no_grad():
        got = learner(folder, platform).logits(collate([[document]], 64))[0, : len(tokens)]
        want = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32)(tokens[None]).logits[0]
    torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-3)
