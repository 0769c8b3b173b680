import json

import pytest

from gradus.trainer import dry_run as dry_runs
from gradus.trainer.config import ComputeConfig, ParallelConfig, StageSettings

TOKENS = 65536
# Motif-2-12.7B's shape, of which two layers do: the others are the same once more.
MOTIF = {
    "model_type": "motif",
    "hidden_act": "poly_norm",
    "hidden_size": 4096,
    "intermediate_size": 16384,
    "num_hidden_layers": 2,
    "num_attention_heads": 40,
    "num_noise_heads": 8,
    "num_key_value_heads": 16,
    "head_dim": 128,
    "vocab_size": 219520,
    "rms_norm_eps": 1e-6,
    "tie_word_embeddings": False,
}
LAYOUTS = [
    (64, {"context": 8}),
    pytest.param(64, {"tensor": 8}, marks=pytest.mark.slow),
    pytest.param(64, {"context": 4, "tensor": 2, "replicate": 2}, marks=pytest.mark.slow),
    (512, {"context": 8, "replicate": 8}),
    (512, {"context": 8, "tensor": 8}),
    pytest.param(512, {"context": 16}, marks=pytest.mark.slow),
    pytest.param(512, {"tensor": 4, "replicate": 16}, marks=pytest.mark.slow),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motif")
    (folder / "config.json").write_text(json.dumps(MOTIF))
    return folder


def rehearse(folder, world_size, parallel, **settings):
    settings = StageSettings(parallel=ParallelConfig(**parallel), **settings)
    return dry_runs.dry_run(folder, world_size=world_size, context_length=TOKENS, settings=settings)


@pytest.mark.parametrize(("world_size", "parallel"), LAYOUTS)
def test_each_of_many_processes_holds_its_share(world_size, parallel, folder):
    found = rehearse(folder, world_size, parallel, compute=ComputeConfig(activation_checkpointing="full"))
    copies = parallel.get("replicate", 1)
    share = 4 * found["parameters"] / (world_size / copies)
    # One table of rotations, of positions x (cosines and sines) of a head's 128 dimensions, in float32.
    table = TOKENS * 256 * 4
    assert found["weights_bytes"] == pytest.approx(share + table, rel=0.01)
    assert found["weights_and_gradients_bytes"] == pytest.approx(2 * share + table, rel=0.02)
    assert found["weights_and_optimizer_bytes"] == pytest.approx(3 * share + table, rel=0.02)


@pytest.mark.slow
def test_recomputing_a_layer_keeps_only_its_input(folder):
    parallel, kept = {"context": 8}, {}
    for name in ("none", "full"):
        kept[name] = rehearse(folder, 64, parallel, compute=ComputeConfig(activation_checkpointing=name))
    tokens = TOKENS // 8
    difference = kept["none"]["after_forward_bytes"] - kept["full"]["after_forward_bytes"]
    # Of each layer at least the three wide products of the feed-forward layer, in bfloat16.
    assert difference > 2 * 3 * tokens * 16384 * 2
    assert kept["full"]["weights_bytes"] == kept["none"]["weights_bytes"]


def test_what_is_recomputed_is_not_held(model):
    held = []
    for name in ("none", "selective", "attention", "full"):
        settings = StageSettings(compute=ComputeConfig(activation_checkpointing=name))
        found = dry_runs.dry_run(model, world_size=1, context_length=256, settings=settings)
        held.append(found["after_forward_bytes"])
    none, selective, attention, full = held
    assert none > selective > attention > full
    # Of each of 2 layers what 4 heads of 16 have read, in bfloat16, and their log-sum-exp, in float32.
    assert attention - full == 2 * 256 * 4 * (16 * 2 + 4)


def test_the_command_prints_json(folder, capsys):
    arguments = ["--model", str(folder), "--world-size", "8", "--context-length", "1024", "parallel.context=8"]
    assert dry_runs.main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["parameters"] > 2e9


def test_an_impossible_layout_is_an_error(folder, capsys):
    assert dry_runs.main(
        ["--model", str(folder), "--world-size", "8", "--context-length", "1024", "parallel.context=3"]
    )
