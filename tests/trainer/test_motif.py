import json

import layouts
import motif_reference
import pytest
import tiny
import torch
import triton
from safetensors.torch import load_file
from test_parallel import TWO, check_all

from gradus.errors import DataError
from gradus.trainer.attention import DocumentAttention
from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.learner import Learner
from gradus.trainer.model import model_spec, read_config

GROUPS = [
    {},  # four signal heads to a noise head, one noise head to a pair of keys: as in Motif-2-12.7B
    {"heads": 12, "noise": 4, "kv_heads": 4},  # two noise heads share a pair
    {"heads": 8, "noise": None, "kv_heads": 4},  # every second head is noise: as in Motif-2.6B
]


@pytest.fixture
def quick(monkeypatch):
    """Keep off Triton's interpreter, which takes seconds a step, where the kernel is not what is tested."""
    monkeypatch.setattr(triton.knobs.runtime, "interpret", False)


def learner(folder, platform, *, steps=1, lr=1e-3):
    optim = OptimConfig(lr=lr, weight_decay=0.0)
    return Learner(folder, platform, context_length=64, optim=optim, num_updates=steps, compute=ComputeConfig())


def document(length, seed=0):
    tokens = torch.randint(0, tiny.VOCAB, (length,), generator=torch.Generator().manual_seed(seed))
    return Document(tokens.numpy(), torch.ones(length).bool().numpy())


@pytest.mark.parametrize("groups", GROUPS)
def test_logits_equal_those_of_the_formulas(groups, tmp_path, platform, quick):
    folder = motif_reference.make_motif(tmp_path / "m", **groups)
    some = document(40)
    with torch.no_grad():
        got = learner(folder, platform).logits(collate([[some]], 64))[0, :40]
    want = motif_reference.logits(*motif_reference.load(folder), torch.from_numpy(some.token_ids))
    assert (got.double() - want).abs().max() <= 1e-4
    torch.testing.assert_close(got.double(), want, rtol=1e-4, atol=2e-5)


def test_gradients_equal_those_of_the_formulas(tmp_path, platform):
    folder = motif_reference.make_motif(tmp_path / "m")
    some, ours = document(24), learner(folder, platform)
    config, weights = motif_reference.load(folder)
    weights = {name: weight.requires_grad_() for name, weight in weights.items()}
    batch = collate([[some]], 64)
    ours.backward(batch, torch.tensor(23))
    tokens = torch.from_numpy(some.token_ids)
    out = motif_reference.logits(config, weights, tokens)[:-1]
    torch.nn.functional.cross_entropy(out, tokens[1:]).backward()
    got = {name: layouts.whole(weight.grad) for name, weight in ours.model.named_parameters()}
    names = {
        "layers.0.attention.lambda_q1": "model.layers.0.self_attn.lambda_q1",
        "layers.1.attention.lambda_k2": "model.layers.1.self_attn.lambda_k2",
        "layers.0.attention.out_norm.weight": "model.layers.0.self_attn.subln.weight",
        "layers.0.attention.qkv_linear.wq.weight": "model.layers.0.self_attn.q_proj.weight",
        "layers.0.attention.qkv_linear.wk.weight": "model.layers.0.self_attn.k_proj.weight",
        "layers.0.feed_forward.activation.weight": "model.layers.0.mlp.act_fn.weight",
        "layers.0.feed_forward.activation.bias": "model.layers.0.mlp.act_fn.bias",
        "layers.0.feed_forward.w1.weight": "model.layers.0.mlp.gate_proj.weight",
    }
    for mine, theirs in names.items():
        torch.testing.assert_close(got[mine].double(), weights[theirs].grad, rtol=1e-3, atol=1e-5, msg=mine)


def test_an_exported_motif_has_the_weights_and_the_code_it_came_with(tmp_path, platform):
    folder = motif_reference.make_motif(tmp_path / "m")
    (folder / "modeling_motif.py").write_text("# what transformers runs\n")
    learner(folder, platform).export(tmp_path / "out")
    before, after = (load_file(path / "model.safetensors") for path in (folder, tmp_path / "out"))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (tmp_path / "out/modeling_motif.py").read_text() == "# what transformers runs\n"
    config = json.loads((tmp_path / "out/config.json").read_text())
    assert config == json.loads((folder / "config.json").read_text()) | {"dtype": "float32"}


def test_documents_in_a_row_do_not_see_each_other(tmp_path, platform, quick):
    ours = learner(motif_reference.make_motif(tmp_path / "m"), platform)
    with torch.no_grad():
        first, second = (ours.logits(collate([[document(20, seed), document(30)]], 64))[0] for seed in (1, 2))
    assert not torch.equal(first[:20], second[:20])
    torch.testing.assert_close(first[20:50], second[20:50], rtol=0, atol=0)


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
def test_a_motif_learns(optimizer, tmp_path, platform, quick):
    folder = motif_reference.make_motif(tmp_path / "m")
    optim = OptimConfig(name=optimizer, lr=1e-2, min_lr_factor=1.0)
    ours = Learner(folder, platform, context_length=64, optim=optim, num_updates=4, compute=ComputeConfig())
    losses = []
    for _ in range(4):
        losses.append(float(ours.backward(collate([[document(30)]], 64), torch.tensor(29))))
        ours.clip()
        ours.step()
    assert losses[-1] < 0.8 * losses[0]


@pytest.mark.parametrize(
    "change",
    [{"hidden_act": "silu"}, {"use_bias": True}, {"k_ratio": 2}, {"num_noise_heads": 3}, {"kv_lora_rank": 64}],
)
def test_another_motif_is_refused(change, tmp_path):
    folder = motif_reference.make_motif(tmp_path / "m")
    (folder / "config.json").write_text(json.dumps(json.loads((folder / "config.json").read_text()) | change))
    with pytest.raises(DataError):
        read_config(folder)


def test_weights_that_a_motif_does_not_have_are_refused(tmp_path, platform):
    folder = tiny.make_model(tmp_path / "m", family="qwen3", tied=False)
    (folder / "config.json").write_text(json.dumps(motif_reference.config_of()))
    with pytest.raises(DataError, match="no weights named"):
        learner(folder, platform)


@pytest.mark.slow
def test_two_processes_learn_what_one_does_and_documents_do_not_see_each_other(tmp_path, platform, quick, monkeypatch):
    monkeypatch.setenv("TRITON_INTERPRET", "0")
    check_all(motif_reference.make_motif(tmp_path / "m"), tmp_path, 2, TWO)


def test_the_published_sizes_make_the_published_number_of_weights(tmp_path):
    sizes = {"hidden_size": 4096, "intermediate_size": 16384, "num_hidden_layers": 40, "vocab_size": 219520}
    config = motif_reference.config_of(heads=40, noise=8, kv_heads=16, head_dim=128, **sizes)
    (tmp_path / "config.json").write_text(json.dumps(config))
    spec = model_spec(tmp_path, context_length=256, attention=DocumentAttention.Config())
    with torch.device("meta"):
        num_weights = sum(weight.numel() for weight in spec.model.build().parameters())
    # 12.704 B in UncheatableEval's table of Motif-2-12.7B-Base.
    assert round(num_weights / 1e9, 3) == 12.704
