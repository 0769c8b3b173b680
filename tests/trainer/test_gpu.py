"""The trainer on a CUDA device: FlexAttention, bfloat16 products, the compiled kernel."""

import json

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


def test_supervised_training_learns(model, tmp_path, python):
    stages = [tiny.make_stage(tmp_path, "one", context_length=CONTEXT)]
    manifest = tiny.make_manifest(tmp_path, model, stages=stages)
    where = ["--manifest", str(manifest), "--model", str(model), "--run", str(tmp_path / "run")]
    settings = ["steps=30", "sequences_per_step=3", "optim.lr=1e-2", "optim.warmup_steps=3"]
    process = python("-m", "gradus.trainer.sft", *where, *settings)
    assert process.communicate()[1]
    assert process.returncode == 0
    losses = [json.loads(line)["loss"] for line in (tmp_path / "run/metrics.jsonl").read_text().splitlines()]
    assert losses[0] > 5.5
    assert losses[-1] < 3.5
