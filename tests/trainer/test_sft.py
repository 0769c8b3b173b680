import json

import pytest
import tiny
from transformers import LlamaForCausalLM

from gradus.trainer import sft

SETTINGS = ["steps=20", "sequences_per_step=3", "checkpoint.every=2", "optim.lr=1e-2", "optim.warmup_steps=3"]


@pytest.fixture(scope="module")
def curriculum(tmp_path_factory, model):
    workspace = tmp_path_factory.mktemp("workspace")
    stages = [tiny.make_stage(workspace, "one"), tiny.make_stage(workspace, "two", context_length=128, seed=1)]
    return tiny.make_manifest(workspace, model, stages=stages)


@pytest.fixture
def arguments(curriculum, model, tmp_path):
    return ["--manifest", str(curriculum), "--model", str(model), "--run", str(tmp_path / "run"), *SETTINGS]


@pytest.fixture(scope="module")
def undisturbed(curriculum, model, tmp_path_factory):
    run = tmp_path_factory.mktemp("undisturbed") / "run"
    where = ["--manifest", str(curriculum), "--model", str(model), "--run", str(run)]
    assert sft.main([*where, *SETTINGS]) == 0
    return run


def measured(run):
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, len(lines) + 1))
    return lines


def column(run, name):
    return [line[name] for line in measured(run)]


def test_the_loss_falls_through_both_stages(undisturbed):
    losses = column(undisturbed, "loss")
    assert losses[0] > 5.5
    assert losses[-1] < 3.5
    assert column(undisturbed, "stage") == ["one"] * 20 + ["two"] * 20


def test_the_export_is_a_trained_model_for_transformers(undisturbed, model):
    before, after = (LlamaForCausalLM.from_pretrained(path) for path in (model, undisturbed / "export"))
    tokens = before.dummy_inputs["input_ids"].new_tensor([list(range(30, 60))])
    assert after(tokens, labels=tokens).loss < before(tokens, labels=tokens).loss - 1


def test_a_finished_run_is_left_alone(undisturbed, curriculum, model):
    before = (undisturbed / "run.json").read_bytes()
    where = ["--manifest", str(curriculum), "--model", str(model), "--run", str(undisturbed)]
    assert sft.main([*where, *SETTINGS]) == 0
    assert (undisturbed / "run.json").read_bytes() == before
    assert json.loads(before)["state"] == "finished"


def test_a_directory_belongs_to_one_recipe(undisturbed, curriculum, model):
    where = ["--manifest", str(curriculum), "--model", str(model), "--run", str(undisturbed)]
    assert sft.main([*where, "steps=21"]) == 2


def test_another_tokenizer_is_refused(arguments, model, tmp_path):
    other = tiny.make_model(tmp_path / "other")
    (other / "chat_template.jinja").write_text("hello")
    arguments[arguments.index("--model") + 1] = str(other)
    assert sft.main(arguments) == 3


@pytest.mark.slow
def test_two_processes_measure_what_one_does(arguments, undisturbed, tmp_path, python):
    launch = ["-m", "gradus.trainer.processes", "--standalone", "--nproc-per-node=2", "-m", "gradus.trainer.sft"]
    # Without the "--", torchrun takes --run for one of its own.
    process = python(*launch, "--", *arguments)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    # Two processes take float32's sums in another order: 3e-7 at first. AdamW takes a full step for however small a
    # gradient, so that grows: in 40 updates to 9e-6, of other seeds to 5e-5.
    for name in ("loss", "grad_norm"):
        assert column(tmp_path / "run", name) == pytest.approx(column(undisturbed, name), rel=1e-4)
    assert column(tmp_path / "run", "tokens") == column(undisturbed, "tokens")


@pytest.mark.slow
def test_muon_clip_learns_and_two_processes_measure_what_one_does(arguments, tmp_path, python):
    arguments += ["optim.name=muon", "optim.weight_decay=0.1", "optim.qk_clip=0.2"]
    assert sft.main(arguments) == 0
    alone = column(tmp_path / "run", "loss")
    assert alone[-1] < 3.5
    arguments[arguments.index("--run") + 1] = str(tmp_path / "both")
    launch = ["-m", "gradus.trainer.processes", "--standalone", "--nproc-per-node=2", "-m", "gradus.trainer.sft"]
    process = python(*launch, "--", *arguments)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    # Muon rounds gradients to bfloat16, where a difference in the last bit of a sum grows to 2^-8.
    assert column(tmp_path / "both", "loss") == pytest.approx(alone, rel=2e-2)
    clipped, both = (column(tmp_path / run, "max_logit") for run in ("run", "both"))
    assert max(clipped) > 0.2
    assert both == pytest.approx(clipped, rel=0.1)
