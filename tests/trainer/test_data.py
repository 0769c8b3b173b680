import dataclasses
from itertools import chain

import pyarrow as pa
import pytest
import tiny
import torch

from gradus.curricula import manifest as manifests
from gradus.errors import DataError
from gradus.trainer.batch import IGNORED, collate
from gradus.trainer.config import SFTConfig
from gradus.trainer.data import CurriculumData
from gradus.trainer.platform import Platform

CPU = torch.device("cpu")


@pytest.fixture
def workspace(tmp_path, model):
    stages = [tiny.make_stage(tmp_path, "one"), tiny.make_stage(tmp_path, "two", context_length=128, seed=1)]
    path = tiny.make_manifest(tmp_path, model, stages=stages)
    return path, manifests.verify(path)


def data(workspace, *, rank=0, world_size=1, **config):
    return CurriculumData(*workspace, config=SFTConfig(**config), platform=Platform(CPU, rank, world_size))


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
    seen = [documents(ours.batches(step)) for step in range(1, 7)]
    assert seen[0] == sequences(range(5))
    assert seen[2] == sequences((10, 11))
    assert seen[3] == sequences(range(5), seed=1)
    assert [ours.stage(step).name for step in (3, 4)] == ["one", "two"]


def test_more_steps_than_sequences_are_more_passes(workspace):
    ours = data(workspace, steps=4, sequences_per_step=5)
    assert documents(ours.batches(3)) == sequences((10, 11, 0, 1, 2))
    assert documents(ours.batches(5)) == sequences(range(5), seed=1)


def test_labels_are_shifted_in_each_document_and_masked(workspace):
    batch = next(data(workspace, sequences_per_forward=1).batches(1))
    first, second = sequences([0])
    n, m = len(first), len(second)
    assert batch.labels_BT[0, : n + m].tolist() == [
        *[IGNORED, IGNORED, *first[3:], IGNORED],
        *[IGNORED, IGNORED, *second[3:], IGNORED],
    ]
    assert batch.positions_BT[0, : n + m].tolist() == [*range(n), *range(m)]
    assert (batch.labels_BT[0, n + m :] == IGNORED).all()


def test_a_cpu_pads_to_64_and_a_gpu_to_the_context(workspace):
    assert next(data(workspace).batches(1)).tokens_BT.shape == (1, 64)
    gpu = CurriculumData(*workspace, config=SFTConfig(), platform=Platform(torch.device("cuda"), 0, 1))
    assert next(gpu.batches(3)).tokens_BT.shape == (1, 128)


@pytest.mark.parametrize("world_size", [2, 3, 8])
def test_processes_share_a_step_without_loss_in_equally_many_batches(workspace, world_size):
    shares = [
        list(data(workspace, rank=rank, world_size=world_size, sequences_per_step=5).batches(1))
        for rank in range(world_size)
    ]
    assert len({len(share) for share in shares}) == 1
    want = documents(data(workspace, sequences_per_step=5).batches(1))
    assert sorted(chain.from_iterable(map(documents, shares))) == sorted(want)


def test_padding_attends_to_nothing_but_itself():
    batch = collate([[]], 64)
    assert batch.positions_BT.tolist() == [list(range(64))]
    assert (batch.labels_BT == IGNORED).all()


def test_an_empty_stage_is_an_error(tmp_path, model):
    stage = tiny.make_stage(tmp_path, "one")
    empty = tiny.write_table(tmp_path, pa.Table.from_pylist([], schema=manifests.PACKING_SCHEMA))
    path = tiny.make_manifest(tmp_path, model, stages=[dataclasses.replace(stage, packing=empty)])
    with pytest.raises(DataError, match="no sequences"):
        data((path, manifests.read(path)))


def test_a_changed_file_is_never_read(workspace):
    path, manifest = workspace
    shard = manifests.shard_path(path, manifest.stages[0].shards[0])
    shard.write_bytes(shard.read_bytes() + b" ")
    with pytest.raises(DataError, match="content has hash"):
        data(workspace)
