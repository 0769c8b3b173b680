"""Both scorers give the log-probabilities and ranks of the definition."""

import copy
import itertools
import random
from contextlib import closing

import numpy as np
import pytest
import torch

from gradus.curricula.reader import Reader
from gradus.engine.compatibility import torch_scorer
from gradus.engine.compatibility.fits import Scoring, score_traces
from gradus.engine.compatibility.reading import Passage, to_passages
from gradus.engine.compatibility.scorers import SCORERS
from gradus.engine.compatibility.torch_scorer import TorchScorer, load
from gradus.engine.models import resolve_model
from gradus.errors import DataError

TEXTS = (
    "1. First we add 3 and 4. That is 7.\n2. Then we double it: 7 * 2 = 14.\nSo it is 14. We are sure. It is 14.",
    "```python\ndef half(n):\n    return n / 2\n```",
    "Banana sky — unlikely words ひらがな follow. Purple the of of! Nobody says this. Nor that, ever again.",
)


@pytest.fixture(scope="module")
def model(student):
    return load(student)


def passages_of(num, seed=0):
    rng = random.Random(seed)
    lengths = [rng.randint(2, 40) for _ in range(num)]
    return [Passage(tuple(rng.randrange(320) for _ in range(n)), rng.randint(1, n - 1)) for n in lengths]


def test_scores_are_those_of_the_definition(model):
    exact = copy.deepcopy(model).double()
    for index, found in TorchScorer(model).score(passages := passages_of(20)):
        passage = passages[index]
        with torch.inference_mode():
            logits = exact(input_ids=torch.tensor([passage.token_ids])).logits[0]
        for place, logprob, rank in zip(itertools.count(passage.first), found.logprobs, found.ranks, strict=False):
            token, row = passage.token_ids[place], logits[place - 1]
            assert logprob == pytest.approx(float(row.log_softmax(0)[token]), abs=1e-5)
            assert rank == 1 + int((row > row[token]).sum())
        assert len(found.logprobs) == len(found.ranks) == len(passage.token_ids) - passage.first


def test_every_passage_is_scored_once_however_they_are_batched(model, monkeypatch):
    passages = passages_of(30)
    together = dict(TorchScorer(model).score(passages))
    monkeypatch.setattr(torch_scorer, "CPU_TOKENS", 1)
    monkeypatch.setattr(torch_scorer, "CPU_LOGITS", 1)
    found = list(TorchScorer(model).score(passages))
    assert sorted(i for i, _ in found) == list(range(30))
    for i, alone in found:
        np.testing.assert_allclose(together[i].logprobs, alone.logprobs, atol=1e-5)
        np.testing.assert_array_equal(together[i].ranks, alone.ranks)


def test_equal_logits_do_not_push_a_token_down(model):
    flat = copy.deepcopy(model)
    with torch.no_grad():
        flat.get_output_embeddings().weight.zero_()
    (_, found), *_ = TorchScorer(flat).score([Passage((1, 2, 3), 1)])
    assert found.ranks.tolist() == [1, 1]
    np.testing.assert_allclose(found.logprobs, -np.log(320), rtol=1e-5)


def test_a_model_that_changes_its_heads_output_is_refused():
    from transformers import Gemma2Config, Gemma2ForCausalLM

    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Gemma2Config(vocab_size=50, num_key_value_heads=2, head_dim=8, final_logit_softcapping=0.05, **sizes)
    torch.manual_seed(0)
    with pytest.raises(DataError, match="use --scorer vllm"):
        TorchScorer(Gemma2ForCausalLM(config).eval())


def test_a_traces_scores_do_not_depend_on_its_company(model, student):
    reader, scorer = Reader(student), TorchScorer(model)
    readings = {str(i): reader.read(said(text), [False, True]) for i, text in enumerate(TEXTS)}
    scoring = Scoring(model_id="m", template=reader.fingerprint, window=2)
    together = score_traces(readings, scorer, scoring)
    for fit in together:
        (alone,) = score_traces({fit.trace_id: readings[fit.trace_id]}, scorer, scoring)
        assert alone.nll == pytest.approx(fit.nll, abs=1e-5)
        assert alone.local_nll == pytest.approx(fit.local_nll, abs=1e-5)
        assert alone.rank == fit.rank
    assert together[0].local_nll != pytest.approx(together[0].nll, abs=1e-4)


def said(text):
    return [{"role": "user", "content": "Say something."}, {"role": "assistant", "content": text}]


@pytest.mark.slow
def test_torch_and_vllm_give_equal_numbers():
    folder = resolve_model("default")
    reader = Reader(folder)
    passages = [p for text in TEXTS for p in to_passages(reader.read(said(text), [False, True]), window=2)]
    found = {}
    for name, opened in SCORERS.items():
        with closing(opened(folder, max_context=256)) as scorer:
            found[name] = dict(scorer.score(passages))
    num = equal = 0
    for i in range(len(passages)):
        ours, theirs = found["torch"][i], found["vllm"][i]
        np.testing.assert_allclose(ours.logprobs, theirs.logprobs, atol=1e-3)
        # Two kernels round differently: in the tail, neighbours may change places.
        np.testing.assert_allclose(ours.ranks, theirs.ranks, rtol=0.01, atol=1)
        num, equal = num + len(ours.ranks), equal + int((ours.ranks == theirs.ranks).sum())
    assert num > 100
    assert equal / num > 0.98
