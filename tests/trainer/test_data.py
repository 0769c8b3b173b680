import dataclasses
from itertools import chain

import pytest
import tiny
import torch

from gradus.curricula import manifest as manifests
from gradus.curricula.verify import verify
from gradus.errors import DataError
from gradus.trainer.batch import IGNORED, collate
from gradus.trainer.config import ParallelConfig, SFTConfig
from gradus.trainer.data import CurriculumData, StageData
from gradus.trainer.parallel import Layout
from gradus.trainer.platform import Platform

CPU = torch.device("cpu")


@pytest.fixture
def workspace(tmp_path, model):
    stages = [tiny.make_stage(tmp_path, "one"), tiny.make_stage(tmp_path, "two", context_length=128, seed=1)]
    path = tiny.make_manifest(tmp_path, model, stages=stages)
    return path, verify(path)


def data(workspace, **config):
    return CurriculumData(*workspace, SFTConfig(**config))


def place(rank=0, world_size=1, device=CPU, **degrees):
    return Layout.of(ParallelConfig(**degrees), Platform(device, rank, world_size))


def documents(batches):
    """Return the token ids of every document, in order."""
    found = []
    for batch in batches:
        for number in range(int(batch.document_BT.max()) + 1):
            found.append(batch.tokens_BT[batch.document_BT == number].tolist())
    return found


def sequences(numbers, seed=0):
    """Return what the packing puts into these sequences of make_stage: a trace of each shard in each."""
    traces = tiny.make_traces(24, seed)
    return [traces[row]["token_ids"] for number in numbers for row in (number, 12 + number)]


def test_one_pass_takes_every_sequence_once_and_in_order(workspace):
    ours = data(workspace, sequences_per_step=5)
    assert ours.num_steps == 6
    seen = [documents(ours.batches(step, place())) for step in range(1, 7)]
    assert seen[0] == sequences(range(5))
    assert seen[2] == sequences((10, 11))
    assert seen[3] == sequences(range(5), seed=1)
    assert [ours.plan(step).name for step in (3, 4)] == ["one", "two"]


def test_more_steps_than_sequences_are_more_passes(workspace):
    ours = data(workspace, steps=4, sequences_per_step=5)
    assert documents(ours.batches(3, place())) == sequences((10, 11, 0, 1, 2))
    assert documents(ours.batches(5, place())) == sequences(range(5), seed=1)


def test_labels_are_shifted_in_each_document_and_masked(workspace):
    batch = next(data(workspace, sequences_per_forward=1).batches(1, place()))
    first, second = sequences([0])
    n, m = len(first), len(second)
    assert batch.labels_BT[0, : n + m].tolist() == [
        *[IGNORED, IGNORED, *first[3:], IGNORED],
        *[IGNORED, IGNORED, *second[3:], IGNORED],
    ]
    assert batch.positions_BT[0, : n + m].tolist() == [*range(n), *range(m)]
    assert (batch.labels_BT[0, n + m :] == IGNORED).all()


def test_a_cpu_pads_to_64_and_a_gpu_to_the_context(workspace):
    assert next(data(workspace).batches(1, place())).tokens_BT.shape == (1, 64)
    gpu = place(device=torch.device("cuda"))
    assert next(data(workspace).batches(3, gpu)).tokens_BT.shape == (1, 128)


@pytest.mark.parametrize("world_size", [2, 3, 7, 8])
@pytest.mark.parametrize("per_step", [1, 5, 8])
def test_processes_share_a_step_without_loss_in_equally_many_batches(workspace, world_size, per_step):
    ours = data(workspace, sequences_per_step=per_step)
    for step in range(1, ours.num_steps + 1):
        shares = [list(ours.batches(step, place(rank, world_size))) for rank in range(world_size)]
        assert len({len(share) for share in shares}) == 1
        found = chain.from_iterable(map(documents, shares))
        assert sorted(found) == sorted(documents(ours.batches(step, place())))


def test_processes_of_one_group_of_context_or_tensor_get_the_same_rows(workspace):
    ours = data(workspace, sequences_per_step=5)
    shares = [documents(ours.batches(1, place(rank, 8, context=2, tensor=2))) for rank in range(8)]
    assert shares[0] == shares[1] == shares[2] == shares[3]
    assert sorted(shares[0] + shares[4]) == sorted(sequences(range(5)))
    assert shares[4] == shares[7]


def test_a_run_resumed_on_other_processes_neither_repeats_nor_skips(workspace):
    found = []
    for step, world_size in enumerate((1, 3, 2, 5, 1, 4), start=1):
        for rank in range(world_size):
            ours = data(workspace, sequences_per_step=5)
            found += documents(ours.batches(step, place(rank, world_size)))
    assert ours.num_steps == step
    assert sorted(found) == sorted(sequences(range(12)) + sequences(range(12), seed=1))


def test_processes_share_attention_evenly(workspace):
    def costliest(shares):
        return max(sum(len(document) ** 2 for document in share) for share in shares)

    by_cost = [documents(data(workspace, sequences_per_step=12).batches(1, place(r, 3))) for r in range(3)]
    by_turn = [sequences(range(r, 12, 3)) for r in range(3)]
    mean = sum(map(costliest, ([share] for share in by_turn))) / 3
    assert costliest(by_cost) <= 1.01 * mean < 1.05 * mean < costliest(by_turn)


def test_a_stage_knows_the_attention_that_its_packing_says(workspace):
    path, manifest = workspace
    for stage in manifest.stages:
        assert (
            StageData(path, stage).costs.tolist() == manifests.read_shard(path, stage.packing)["attention"].to_pylist()
        )


def test_padding_attends_to_nothing_but_itself():
    batch = collate([[]], 64)
    assert batch.positions_BT.tolist() == [list(range(64))]
    assert (batch.labels_BT == IGNORED).all()


def test_an_empty_stage_is_an_error(tmp_path, model):
    stage = tiny.make_stage(tmp_path, "one")
    empty = tiny.write_rows(tmp_path, manifests.PACKING_SCHEMA, [])
    path = tiny.make_manifest(tmp_path, model, stages=[dataclasses.replace(stage, packing=empty)])
    with pytest.raises(DataError, match="no sequences"):
        data((path, manifests.read(path)))


def test_a_changed_file_is_never_read(workspace):
    path, manifest = workspace
    shard = manifests.shard_path(path, manifest.stages[0].shards[0])
    shard.write_bytes(shard.read_bytes() + b" ")
    with pytest.raises(DataError, match="content has hash"):
        next(data(workspace).batches(1, place()))


def test_a_step_tells_its_traces(workspace):
    ours = data(workspace, steps=4, sequences_per_step=5)
    assert ours.trace_ids(3) == [f"t0-{row:04d}" for n in (10, 11, 0, 1, 2) for row in (n, 12 + n)]
    told = ours.traces(6).to_pylist()
    made = {row["trace_id"]: row for row in tiny.make_traces(24, 1)}
    assert [row["sequence"] for row in told] == [n for n in range(5, 10) for _ in range(2)]
    for row in told:
        del row["sequence"]
        assert row == {name: made[row["trace_id"]][name] for name in row}
        assert {"problem_id", "teacher", "num_tokens"} < row.keys()
    found = documents(ours.batches(6, place()))
    assert found == [made[trace]["token_ids"] for trace in ours.trace_ids(6)]
