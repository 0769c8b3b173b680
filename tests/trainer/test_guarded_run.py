"""A run with a step of noise in it: what the guard does about it."""

import json
import random

import pytest
import tiny
import torch

from gradus.trainer import sft
from gradus.trainer.run import EVENTS, read_rows

NUM_STEPS, STEP = 40, 37
SETTINGS = ["sequences_per_step=3", "checkpoint.every=5", "optim.lr=1e-2", "optim.warmup_steps=3"]
SPOILT = range(3 * STEP - 3, 3 * STEP)
SETTINGS += ["guard.min_steps=20", "guard.window=20", "guard.deviations=5"]


@pytest.fixture(scope="module")
def curriculum(tmp_path_factory, model):
    """Sequences of which those of one step are noise, where the others count upwards."""
    made = tiny.make_traces

    def spoilt(count, seed):
        rng, rows = random.Random(1), made(count, seed)
        for sequence in SPOILT:
            for row in (rows[sequence], rows[count // 2 + sequence]):
                row["token_ids"] = [rng.randrange(tiny.VOCAB) for _ in row["token_ids"]]
        return rows

    workspace = tmp_path_factory.mktemp("workspace")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "make_traces", spoilt)
        return tiny.make_manifest(
            workspace, model, stages=[tiny.make_stage(workspace, "one", num_traces=6 * NUM_STEPS)]
        )


@pytest.fixture(scope="module")
def trained(curriculum, model, tmp_path_factory):
    """Train, going to some steps first; return the run's folder."""

    def train(*settings, until=()):
        folder = tmp_path_factory.mktemp("run") / "run"
        arguments = ["--manifest", str(curriculum), "--model", str(model), "--run", str(folder), *SETTINGS, *settings]
        for step in until:
            assert sft.main([*arguments, "--until", str(step)]) == 0
        assert sft.main(arguments) == 0
        return folder

    return train


def column(run, name):
    return [json.loads(line).get(name) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def runs(trained):
    return {policy: trained(f"guard.policy={policy}") for policy in ("off", "skip", "rewind")}


def test_noise_is_a_spike_that_only_a_guard_refuses(runs):
    for policy, run in runs.items():
        losses = column(run, "loss")
        assert losses[STEP - 1] > max(losses[STEP - 9 : STEP - 1]) + 1
        assert column(run, "guard") == [
            policy if step == STEP and policy != "off" else None for step in range(1, NUM_STEPS + 1)
        ]


def test_all_is_the_same_up_to_it_and_then_the_weights_are_others(runs):
    losses = {policy: column(run, "loss") for policy, run in runs.items()}
    assert losses["off"][:STEP] == losses["skip"][:STEP] == losses["rewind"][:STEP]
    assert len({found[STEP] for found in losses.values()}) == 3
    assert column(runs["skip"], "lr") == column(runs["rewind"], "lr") == column(runs["off"], "lr")


@pytest.mark.slow
def test_to_rewind_to_the_step_before_is_to_skip(runs, trained):
    rewound = trained("guard.policy=rewind", f"checkpoint.every={STEP - 1}")
    assert column(rewound, "loss") == column(runs["skip"], "loss")


@pytest.mark.parametrize("policy", ["skip", "rewind"])
def test_it_is_written_down_with_the_traces_of_the_step(policy, runs):
    (event,) = read_rows(runs[policy] / EVENTS)
    assert (event["step"], event["kind"]) == (STEP, policy)
    assert "the loss is" in event["reason"]
    numbers = [number for sequence in SPOILT for number in (sequence, 3 * NUM_STEPS + sequence)]
    assert event["traces"] == [f"t0-{number:04d}" for number in numbers]


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["skip", "rewind"])
def test_a_run_that_was_interrupted_judges_the_same(policy, runs, trained):
    again = trained(f"guard.policy={policy}", until=(STEP - 1, STEP))
    assert column(again, "loss") == column(runs[policy], "loss")
    assert read_rows(again / EVENTS) == read_rows(runs[policy] / EVENTS)


def test_a_loss_that_is_no_number_ends_the_run_and_the_weights_stay(curriculum, model, tmp_path, capfd):
    """The model's head is spoilt, so every loss is NaN."""
    folder = tiny.make_model(tmp_path / "spoilt", tied=False)
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    weights["lm_head.weight"][:] = torch.nan
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    arguments = ["--manifest", str(curriculum), "--model", str(folder), "--run", str(tmp_path / "run"), *SETTINGS]
    assert sft.main([*arguments, "guard.max_in_a_row=3"]) == 3
    assert "3 steps in a row were not taken, the last because the loss is nan" in capfd.readouterr().err
    assert column(tmp_path / "run", "loss") == [None, None]
    assert [event["kind"] for event in read_rows(tmp_path / "run" / EVENTS)] == ["skip"] * 3
