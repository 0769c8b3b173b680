import json

import layouts
import pytest
import tiny
import torch

from gradus.errors import ConfigError
from gradus.trainer.config import ParallelConfig
from gradus.trainer.parallel import Layout
from gradus.trainer.platform import Platform

CPU = torch.device("cpu")
TWO = ({}, {"replicate": 2}, {"context": 2}, {"tensor": 2})
FOUR = (
    {"replicate": 2},
    {"replicate": 2, "context": 2},
    {"replicate": 2, "tensor": 2},
    {"context": 2, "tensor": 2},
    {"context": 2},
    {"tensor": 2},
    {"context": 4},
)
# The second row's first document: in context parallelism what follows it is read by both ranks.
CHANGED = (2, 1)


def places(parallel, world_size):
    return [Layout.of(ParallelConfig(**parallel), Platform(CPU, rank, world_size)) for rank in range(world_size)]


def test_ranks_of_one_row_are_neighbours():
    found = places({"replicate": 2, "context": 2, "tensor": 2}, 16)
    assert [place.data_rank for place in found] == [rank // 4 for rank in range(16)]
    assert [place.context_rank for place in found] == [0, 0, 1, 1] * 4
    assert {(place.data_size, place.dims.dp_shard) for place in found} == {(4, 2)}


@pytest.mark.parametrize(
    ("parallel", "said"),
    [
        ({"context": 3}, "do not multiply to 4"),
        ({"shard": 2}, "do not multiply to 4"),
        ({"tensor": 8}, "do not multiply to 4"),
        ({"tensor": 0}, "tensor=0: a degree is at least 1"),
    ],
)
def test_degrees_that_do_not_multiply_to_the_processes_are_refused(parallel, said):
    with pytest.raises(ConfigError, match=said):
        places(parallel, 4)


@pytest.mark.parametrize(
    ("parallel", "context_length", "said"),
    [
        ({"context": 4}, 60, "60 tokens is not a multiple of 8"),
        # A multiple of what either degree asks for alone.
        ({"context": 2, "tensor": 2}, 60, "60 tokens is not a multiple of 8"),
        ({"tensor": 4}, 62, "62 tokens is not a multiple of 4"),
        ({"tensor": 4}, 64, "not a divisor of the 2 heads of keys and values"),
        ({"float8": True}, 64, "need a GPU"),
        ({"cpu_offload": True}, 64, "need a GPU"),
    ],
)
def test_what_cannot_be_cut_so_is_refused(parallel, context_length, said, model):
    spec = layouts.spec(model, context_length)
    with pytest.raises(ConfigError, match=said):
        places(parallel, 4)[0].check(spec.model, context_length)


def test_muon_does_not_go_with_weights_in_the_machines_memory(model, platform):
    with pytest.raises(ConfigError, match=r"take optim\.name"):
        layouts.learner(model, {"cpu_offload": True}, name="muon")


@pytest.mark.parametrize(("context", "longest", "length"), [(1, 10, 64), (1, 70, 128), (48, 10, 192), (1, 2000, 1024)])
def test_a_row_on_a_cpu_is_short_and_can_be_cut(context, longest, length):
    place = places({"context": context}, context)[0]
    assert place.padded_length(longest, 1024) == length
    assert length % (2 * context) == 0


def equal(found, want):
    """Check what a step gave; sums over processes are taken in another order, in float32: some 10 roundings of 6e-8."""
    torch.testing.assert_close(found["loss"], want["loss"], rtol=2e-6, atol=0)
    torch.testing.assert_close(found["loss after"], want["loss after"], rtol=2e-6, atol=0)
    assert found["norm"] == pytest.approx(want["norm"], rel=2e-6)
    for kind in ("gradients", "weights"):
        all_close(found[kind], want[kind])


def all_close(found, want):
    for name, wanted in want.items():
        torch.testing.assert_close(found[name], wanted, rtol=0, atol=5e-6 * float(wanted.abs().max()))


def leaks_nothing(found, parallel):
    """Check the logits of every rank: the changed document's differ, all others' are equal to the bit."""
    row, place = CHANGED
    start = sum(layouts.ROWS[row][:place])
    changed = torch.zeros(layouts.CONTEXT, dtype=torch.bool)
    changed[start : start + layouts.ROWS[row][place]] = True
    for rank, (before, after) in enumerate(found):
        where = places(parallel, len(found))[rank]
        for i in range(len(before)):
            differs = (before[i] != after[i]).any(dim=-1)
            if where.data_rank + i * where.data_size == row:
                assert differs[changed].all()
                assert not differs[~changed].any()
            else:
                assert not differs.any()


@pytest.fixture(scope="module", params=["llama", pytest.param("qwen3", marks=pytest.mark.slow)])
def family(request, tmp_path_factory):
    return tiny.make_model(
        tmp_path_factory.mktemp(request.param) / "tiny", family=request.param, tied=request.param == "llama"
    )


def check_all(folder, tmp_path, world_size, parallels):
    calls = [(layouts.learn, (folder, parallel), {"change": CHANGED}) for parallel in parallels]
    found, want = layouts.spawn(tmp_path, world_size, calls), layouts.learn(folder, {})
    for i, parallel in enumerate(parallels):
        leaks_nothing([of_rank[i]["logits"] for of_rank in found], parallel)
        for of_rank in found:
            equal(of_rank[i], want)
            all_close(of_rank[i]["gradients of logits"], want["gradients"])


def test_two_processes_learn_what_one_does_and_documents_do_not_see_each_other(family, tmp_path, platform):
    check_all(family, tmp_path, 2, TWO)


@pytest.mark.slow
def test_four_processes_learn_what_one_does_and_documents_do_not_see_each_other(family, tmp_path, platform):
    check_all(family, tmp_path, 4, FOUR)


@pytest.mark.slow
@pytest.mark.parametrize("activation_checkpointing", ["selective", "full"])
def test_what_is_computed_again_is_the_same_in_every_layout(activation_checkpointing, model, tmp_path, platform):
    compute = {"activation_checkpointing": activation_checkpointing}
    parallels = ({"context": 2}, {"tensor": 2})
    calls = [(layouts.learn, (model, parallel), {"compute": compute}) for parallel in parallels]
    want = layouts.learn(model, {})
    for of_rank in layouts.spawn(tmp_path, 2, calls):
        for found in of_rank:
            equal(found, want)


@pytest.mark.slow
def test_supervised_training_measures_the_same_losses_in_every_layout(model, tmp_path, python):
    manifest = tiny.make_manifest(tmp_path, model, stages=[tiny.make_stage(tmp_path, "one")])
    losses = []
    for number, settings in enumerate([(), ("parallel.context=2",), ("parallel.tensor=2",)]):
        run = tmp_path / f"run-{number}"
        torchrun = ("gradus.trainer.processes", "--standalone", "--nproc-per-node", 2 if settings else 1)
        where = ("--manifest", manifest, "--model", model, "--run", run)
        process = python(
            "-m", *torchrun, "-m", "gradus.trainer.sft", "--", *where, "steps=3", "sequences_per_step=3", *settings
        )
        _, said = process.communicate()
        assert process.returncode == 0, said
        losses.append([json.loads(line)["loss"] for line in (run / "metrics.jsonl").read_text().splitlines()])
    for found in losses[1:]:
        assert found == pytest.approx(losses[0], rel=2e-6)
