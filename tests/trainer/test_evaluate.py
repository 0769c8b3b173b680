import importlib
import json
import sys

import numpy as np
import pyarrow.parquet as pq
import pytest
import tiny
import torch
from transformers import LlamaForCausalLM

from gradus.curricula.manifest import read
from gradus.engine.teachers.base import TeacherConfig, teachers
from gradus.errors import ConfigError, DataError
from gradus.trainer.command import Job
from gradus.trainer.config import ComputeConfig, OptimConfig, ParallelConfig, SFTConfig, SFTEvaluateConfig
from gradus.trainer.data import StageData
from gradus.trainer.evaluate import Evaluation, HeldOutTraces, quality
from gradus.trainer.heldout import read_heldout
from gradus.trainer.learner import Learner
from gradus.trainer.losses.cross_entropy import count_labels
from gradus.trainer.parallel import Layout
from gradus.trainer.platform import Platform
from gradus.trainer.run import Run
from gradus.verifiers import base


@pytest.fixture(scope="module", autouse=True)
def fake_teacher():
    """The module, whose verifiers are known to this module's tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(base, "_verifiers", dict(base._verifiers))
        patch.setattr(teachers, "_items", dict(teachers._items))
        patch.delitem(sys.modules, "fake_teacher", raising=False)
        yield importlib.import_module("fake_teacher")


def problem(number, *, domain="math", verifier="low-tokens", below=150, **changes):
    spec = {"below": below} if verifier == "low-tokens" else {}
    row = {"problem_id": f"{domain}-{number}", "domain": domain, "verifier": verifier, "spec": spec}
    return row | {"prompt": f"abc{number}", "sampling": {"max_tokens": 6}} | changes


PROBLEMS = [*(problem(n) for n in range(4)), *(problem(n, domain="code", verifier="always") for n in range(2))]


@pytest.fixture
def write(tmp_path):
    """Write a file of problems."""

    def write(rows, name="problems.jsonl"):
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return path

    return write


@pytest.fixture(scope="module")
def manifest(tmp_path_factory, model):
    workspace = tmp_path_factory.mktemp("workspace")
    stages = [tiny.make_stage(workspace, "one"), tiny.make_stage(workspace, "two", seed=1)]
    return tiny.make_manifest(workspace, model, stages=stages)


@pytest.fixture(scope="module")
def heldout(tmp_path_factory, model):
    """Return the manifest of other traces."""
    workspace = tmp_path_factory.mktemp("heldout")
    return tiny.make_manifest(workspace, model, stages=[tiny.make_stage(workspace, "held", num_traces=10, seed=2)])


@pytest.fixture(scope="module")
def learner(model, platform):
    return Learner(model, platform, context_length=64, optim=OptimConfig(), num_updates=9, compute=ComputeConfig())


@pytest.fixture
def job(manifest, model, platform, tmp_path):
    """Return a job that evaluates as told."""

    def job(**evaluate):
        config = SFTConfig(evaluate=SFTEvaluateConfig(**evaluate))
        return Job(manifest, read(manifest), model, config, Run(tmp_path / "run"), platform)

    return job


class OpenTeacher:
    """The tiny teacher in this very process, as TeacherProcess has it elsewhere."""

    def __init__(self, model):
        self._teacher = sys.modules["fake_teacher"].TinyTeacher(TeacherConfig(model=str(model)))
        self.loaded = []

    def load_weights(self, folder):
        self.loaded.append(folder)
        self._teacher.load_weights(folder)

    def answer(self, requests):
        answers = dict(self._teacher.answer(requests))
        return [answers[index] for index in range(len(requests))]


def test_the_loss_is_that_of_transformers_on_the_held_out_traces(job, heldout, learner, model):
    found = Evaluation(job(every=5, attempts=0, manifest=str(heldout))).before(learner)
    assert found.keys() == {"eval_loss", "eval_seconds"}
    reference, losses = LlamaForCausalLM.from_pretrained(model), []
    stage = StageData(heldout, read(heldout).stages[0])
    for document in (document for number in range(len(stage)) for document in stage[number]):
        tokens = torch.from_numpy(document.token_ids)[None]
        logprobs = reference(tokens).logits[0, :-1].log_softmax(-1).gather(-1, tokens[0, 1:, None]).flatten()
        losses += (-logprobs[torch.from_numpy(document.learnt[1:])]).tolist()
    assert found["eval_loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_two_processes_share_out_the_held_out_traces_in_equally_many_batches(job, heldout):
    traces = HeldOutTraces(heldout, job())
    places = [Layout.of(ParallelConfig(), Platform(torch.device("cpu"), rank=rank, world_size=2)) for rank in (0, 1)]
    first, second = ([count_labels(batch.labels_BT) for batch in traces._batches(place)] for place in places)
    stage = StageData(heldout, read(heldout).stages[0])
    labels = [sum(int(document.learnt[1:].sum()) for document in stage[number]) for number in range(5)]
    assert (first, second) == ([labels[0], labels[2], labels[4]], [labels[1], labels[3], 0])


def test_the_pass_rate_is_of_the_very_weights_and_the_answers_are_kept(job, learner, model, write, tmp_path):
    teacher = OpenTeacher(model)
    evaluation = Evaluation(job(every=2, attempts=3, problems=str(write(PROBLEMS))), teacher=teacher)
    assert evaluation.after(1, learner, last=False) == {}
    found = evaluation.after(2, learner, last=False)
    assert teacher.loaded == [tmp_path / "run/evaluated"]
    assert not teacher.loaded[0].exists()
    rows = pq.read_table(tmp_path / "run/evaluations/step-0002.parquet").to_pylist()
    assert [row["problem_id"] for row in rows] == [p["problem_id"] for p in PROBLEMS for _ in range(3)]
    assert {row["policy_version"] for row in rows} == {"step-2"}
    passed = [row["outcome"] == "pass" for row in rows]
    assert found["eval_pass_rate"] == np.mean(passed)
    assert found["eval_problems"] == 6
    assert found["eval_by_domain"] == {"code": 1.0, "math": np.mean(passed[:12])}
    # Asked again with the same seeds, the same weights say the same.
    again = evaluation.after(3, learner, last=True)
    assert {**again, "eval_seconds": 0} == {**found, "eval_seconds": 0}


def test_problems_are_taken_from_the_run_where_no_file_is_named(job, learner, model, write, tmp_path):
    (tmp_path / "run").mkdir()
    write([problem(n) for n in range(5)], "run/heldout.jsonl")
    evaluation = Evaluation(job(every=1, attempts=1, per_domain=3), teacher=OpenTeacher(model))
    assert evaluation.before(learner)["eval_problems"] == 3


def test_nothing_is_evaluated_unless_asked_for(job, learner):
    evaluation = Evaluation(job())
    assert evaluation.before(learner) == evaluation.after(100, learner, last=True) == {}


def test_evaluation_without_problems_says_where_they_come_from(job):
    with pytest.raises(ConfigError, match=r"run/heldout.jsonl: no problems to evaluate on.*evaluate\.problems"):
        Evaluation(job(every=5))


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ({"domain": "math", "verifier": "always"}, "line 2: no 'spec'"),
        (problem(1, verifier="nobody"), "line 2: .*nobody"),
        ({key: value for key, value in problem(1).items() if key != "prompt"}, "line 2: no 'prompt'"),
        ([1], "line 2: "),
        (problem(1, sampling={"warmth": 1}), "line 2: sampling: .*warmth"),
    ],
)
def test_a_problem_that_cannot_be_asked_is_refused(row, wrong, write):
    with pytest.raises((ConfigError, DataError), match=wrong):
        read_heldout(write([problem(0), row]), per_domain=9)


def test_held_out_traces_longer_than_a_stage_are_refused(job, model, tmp_path):
    longer = tiny.make_manifest(tmp_path, model, stages=[tiny.make_stage(tmp_path, "long", context_length=128)])
    with pytest.raises(DataError, match="has sequences of 128 tokens, a stage trains on 64"):
        Evaluation(job(every=5, attempts=0, manifest=str(longer)))


def test_another_tokenizer_is_refused(job, tmp_path):
    other = tiny.make_model(tmp_path / "other")
    (other / "chat_template.jinja").write_text("hello")
    foreign = tiny.make_manifest(tmp_path, other, stages=[tiny.make_stage(tmp_path, "held")])
    with pytest.raises(DataError, match="another tokenizer"):
        Evaluation(job(every=5, attempts=0, manifest=str(foreign)))


@pytest.mark.parametrize(
    ("found", "worth"),
    [({"eval_pass_rate": 0.25, "eval_loss": 2.0}, 0.25), ({"eval_loss": 2.0}, -2.0), ({"loss": 2.0}, None)],
)
def test_more_passes_are_better_then_less_loss(found, worth):
    assert quality(found) == worth
