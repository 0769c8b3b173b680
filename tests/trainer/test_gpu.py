"""The trainer on a CUDA device: FlashAttention within documents, bfloat16 products, compiled layers and kernels."""

import json

import great_logits
import layouts
import motif_reference
import pytest
import tiny
import torch
from transformers import LlamaForCausalLM

from gradus.trainer.batch import Document, collate
from gradus.trainer.config import ComputeConfig, OptimConfig
from gradus.trainer.learner import Learner

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]
CONTEXT = 128


def logits(learner, row):
    with torch.no_grad():
        return learner.logits(collate([row], CONTEXT).to(learner.platform.device))[0].float().cpu()


@pytest.fixture
def learner(model, platform):
    return Learner(model, platform, context_length=CONTEXT, optim=OptimConfig(), num_updates=1, compute=ComputeConfig())


def document(length, seed):
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(0, tiny.VOCAB, (length,), generator=generator)
    return Document(tokens.numpy(), torch.ones(length).bool().numpy())


def test_documents_in_a_row_do_not_see_each_other(learner):
    a, b, other = document(20, 0), document(30, 1), document(20, 2)
    first, second = logits(learner, [a, b]), logits(learner, [other, b])
    assert not torch.equal(first[:20], second[:20])
    assert torch.equal(first[20:50], second[20:50])


def test_packed_documents_are_computed_like_in_transformers(learner, model):
    row = [document(20, 0), document(30, 1)]
    got = logits(learner, row)
    reference = LlamaForCausalLM.from_pretrained(model)
    with torch.no_grad():
        want = [reference(torch.from_numpy(d.token_ids)[None]).logits[0] for d in row]
    # bfloat16 keeps 8 bits of every product's inputs.
    torch.testing.assert_close(got[:50], torch.cat(want), rtol=0.05, atol=0.02)


def test_a_motif_learns_as_its_formulas_say(tmp_path, platform):
    folder = motif_reference.make_motif(tmp_path / "m", head_dim=64)
    config, weights = motif_reference.load(folder)
    weights = {name: weight.requires_grad_() for name, weight in weights.items()}
    row = document(100, 0)
    tokens = torch.from_numpy(row.token_ids)
    want = motif_reference.logits(config, weights, tokens)
    torch.nn.functional.cross_entropy(want[:-1], tokens[1:]).backward()
    ours = Learner(
        folder, platform, context_length=CONTEXT, optim=OptimConfig(), num_updates=1, compute=ComputeConfig()
    )
    got = logits(ours, [row])[:100].double()
    ours.backward(collate([[row]], CONTEXT).to(platform.device), torch.tensor(99.0, device=platform.device))
    # bfloat16 keeps 8 bits of every product's inputs, through two layers.
    assert (got - want).norm() <= 0.03 * want.norm()
    norms = {name: layouts.whole(weight.grad).double().norm().cpu() for name, weight in ours.model.named_parameters()}
    total = torch.stack([weight.grad.norm() for weight in weights.values()]).norm()
    torch.testing.assert_close(torch.stack(list(norms.values())).norm(), total, rtol=0.05, atol=0)
    theirs = weights["model.layers.0.mlp.act_fn.weight"].grad.norm()
    torch.testing.assert_close(norms["layers.0.feed_forward.activation.weight"], theirs, rtol=0.1, atol=0)


@pytest.fixture
def trained(model, tmp_path, python):
    """Train on stages, with what is held out measured; return the rows of metrics."""

    def train(stages, *settings):
        manifest = tiny.make_manifest(tmp_path, model, stages=stages)
        where = ["--manifest", str(manifest), "--model", str(model), "--run", str(tmp_path / "run")]
        (tmp_path / "held").mkdir()
        held = [tiny.make_stage(tmp_path / "held", "held", context_length=CONTEXT, num_traces=10, seed=2)]
        heldout = f"evaluate.manifest={tiny.make_manifest(tmp_path / 'held', model, stages=held)}"
        common = ["sequences_per_step=3", "optim.lr=1e-2", "optim.warmup_steps=3", "evaluate.attempts=0", heldout]
        process = python("-m", "gradus.trainer.sft", *where, *common, *settings)
        errors = process.communicate()[1]
        assert process.returncode == 0, errors
        return [json.loads(line) for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]

    return train


def test_supervised_training_learns(trained, tmp_path):
    rows = trained([tiny.make_stage(tmp_path, "one", context_length=CONTEXT)], "steps=30", "evaluate.every=10")
    losses = [row["loss"] for row in rows[1:]]
    assert losses[0] > 5.5
    assert losses[-1] < 3.5
    heldout = [row["eval_loss"] for row in rows if "eval_loss" in row]
    assert len(heldout) == 4
    assert heldout[-1] < heldout[0] - 1
    assert all(0 < row["mfu"] < 1 and 0 < row["memory_gib"] < 8 for row in rows[1:])


def test_a_stage_of_another_context_goes_on_from_the_one_before(trained, tmp_path):
    stages = [tiny.make_stage(tmp_path, name, context_length=n * CONTEXT) for n, name in enumerate(("one", "two"), 1)]
    ours = ["stages.one.steps=10", "stages.two.steps=2", "stages.two.optim.lr=1e-6", "evaluate.every=1"]
    rows = trained(stages, *ours, "stages.two.compute.activation_checkpointing=selective")
    assert [row["stage"] for row in rows[1:]] == ["one"] * 10 + ["two"] * 2
    heldout = [row["eval_loss"] for row in rows]
    assert heldout[10] < heldout[0] - 0.2
    # Rows of another length, in bfloat16, and a step that changes next to nothing.
    assert heldout[11] == pytest.approx(heldout[10], rel=2e-3)


@pytest.mark.parametrize("family", ["llama", "qwen3"])
def test_logits_above_the_limit_come_down_to_it(family, platform, tmp_path):
    folder = great_logits.plant(tiny.make_model(tmp_path / "m", family=family, head_dim=64))
    given = great_logits.batches(device=platform.device)
    optim = OptimConfig(name="muon", lr=0.0, qk_clip=great_logits.LIMIT)
    ours = Learner(folder, platform, context_length=64, optim=optim, num_updates=2, compute=ComputeConfig())
    want = great_logits.greatest_logits(folder, [batch.to(torch.device("cpu")) for batch in given])
    told = []
    for _ in range(2):
        great_logits.collect(ours, given)
        ours.clip()
        told.append(ours.step())
    # bfloat16 keeps 8 bits of queries and keys, and of what they are made of.
    assert told[0]["max_logit"] == pytest.approx(float(want.max()), rel=0.02)
    above, surely = (want > 0.98 * great_logits.LIMIT).sum(), (want > 1.02 * great_logits.LIMIT).sum()
    assert surely <= told[0]["clipped_heads"] <= above
    # A layer's logits change with what the one before gives, too.
    assert told[1]["max_logit"] < 1.05 * great_logits.LIMIT
