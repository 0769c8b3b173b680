"""Whatever the processes, workers and interruptions: every sequence comes exactly once, in the manifest's order."""

import random

import made_manifests as made
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader
from torchdata.stateful_dataloader import StatefulDataLoader

from gradus.curricula import manifest as m
from gradus.errors import ConfigError, DataError
from gradus.trainer.batch import IGNORED
from gradus.trainer.data import StageData
from gradus.trainer.dataset import ManifestDataset

SEQUENCES = (23, 13)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    """Make a curriculum of two stages of SEQUENCES sequences, whose tokens tell the trace."""
    root, rng = made.make_workspace(tmp_path_factory.mktemp("data")), random.Random(3)
    stages = []
    for number, (name, context) in enumerate((("short", 16), ("long", 32))):
        lengths = [rng.randrange(2, context) for _ in range(30 - 12 * number)]
        stages.append(made.make_stage(root, lengths, name=name, context_length=context, shards=3))
    assert tuple(stage.num_sequences for stage in stages) == SEQUENCES
    return made.make_manifest(root, *stages)


@pytest.fixture(scope="module")
def want(path):
    """Return the first token of each trace of each sequence, in training order."""
    return [
        (stage.name, tuple(int(document.token_ids[0]) for document in sequence))
        for stage in m.read(path).stages
        for sequence in StageData(path, stage)
    ]


def held(batch):
    """Return (stage, first tokens) of each sequence of a batch; padding holds none."""
    rows = []
    for tokens, positions, documents in zip(
        batch["input_ids"], batch["position_ids"], batch["document_ids"], strict=True
    ):
        first = tokens[(positions == 0) & (documents >= 0)].tolist()
        rows += [(batch["stage"], tuple(first))] if first else []
    return rows


def together(batches):
    """Return the sequences of one step of all processes, which say the same of how far they are."""
    assert len({batch["consumed"] for batch in batches}) == 1
    return batches[0]["consumed"], sorted(row for batch in batches for row in held(batch))


def processes(path, world_size, sequences, consumed=0):
    found = []
    for rank in range(world_size):
        dataset = ManifestDataset(path, rank=rank, world_size=world_size, sequences=sequences)
        dataset.load_state_dict({"consumed": consumed})
        found.append(iter(dataset))
    return zip(*found, strict=True)


def test_one_process_sees_every_sequence_once_and_in_order(path, want):
    dataset = ManifestDataset(path)
    assert [row for batch in dataset for row in held(batch)] == want
    assert len(dataset) == len(want) == sum(SEQUENCES)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_processes_resumed_anywhere_as_any_others_repeat_and_skip_nothing(path, want, data):
    place = 0
    while place < len(want):
        world_size = data.draw(st.integers(1, 5), "world size")
        sequences = data.draw(st.integers(1, 9), "sequences")
        steps = processes(path, world_size, sequences, place)
        for _ in range(data.draw(st.integers(1, 6), "steps before the kill")):
            if (step := next(steps, None)) is None:
                break
            consumed, rows = together(step)
            assert rows == sorted(want[place:consumed])
            place = consumed


def test_a_batch_ends_with_its_stage_and_is_as_long_as_its_context(path):
    batches = list(ManifestDataset(path, sequences=5))
    shapes = [tuple(batch["input_ids"].shape) for batch in batches]
    assert shapes == [(5, 16)] * 4 + [(3, 16)] + [(5, 32)] * 2 + [(3, 32)]
    assert [batch["consumed"] for batch in batches] == [5, 10, 15, 20, 23, 28, 33, 36]


def test_a_process_without_a_sequence_gets_a_row_of_padding(path):
    *_, last = processes(path, 4, 4, consumed=sum(SEQUENCES) - 1)
    assert [len(held(batch)) for batch in last] == [1, 0, 0, 0]
    assert [tuple(batch["labels"].shape) for batch in last] == [(1, 32)] * 4
    assert (last[1]["labels"] == IGNORED).all()


def test_labels_stand_at_their_own_tokens_but_for_each_traces_first(path):
    for batch in ManifestDataset(path):
        learnt = batch["labels"] != IGNORED
        assert torch.equal(learnt, (batch["position_ids"] > 0) & (batch["document_ids"] >= 0))
        assert torch.equal(batch["labels"][learnt], batch["input_ids"][learnt])


@pytest.mark.parametrize("loader", [DataLoader, StatefulDataLoader])
@pytest.mark.parametrize("num_workers", [0, 1, 3])
def test_loaders_keep_the_order_with_any_number_of_workers(path, want, loader, num_workers):
    batches = list(loader(ManifestDataset(path, sequences=2), batch_size=None, num_workers=num_workers))
    assert [row for batch in batches for row in held(batch)] == want
    assert [batch["consumed"] for batch in batches] == [*range(2, 23, 2), 23, *range(25, 36, 2), 36]


@pytest.mark.parametrize(("before", "after"), [(0, 2), (2, 0), (3, 2)])
def test_what_a_batch_says_is_the_whole_state_for_other_workers_and_processes(path, want, before, after):
    first = iter(DataLoader(ManifestDataset(path, sequences=3), batch_size=None, num_workers=before))
    batch = [next(first) for _ in range(5)][-1]
    rest = []
    for rank in range(2):
        dataset = ManifestDataset(path, rank=rank, world_size=2, sequences=4)
        dataset.load_state_dict({"consumed": batch["consumed"]})
        rest.append(list(DataLoader(dataset, batch_size=None, num_workers=after)))
    found = [together(step) for step in zip(*rest, strict=True)]
    assert sorted(row for _, rows in found for row in rows) == sorted(want[15:])
    assert found[-1][0] == len(want)


@pytest.mark.parametrize("num_workers", [0, 1, 3])
@pytest.mark.parametrize("taken", [1, 4, 12])
def test_a_stateful_loader_goes_on_at_the_very_next_sequence(path, want, num_workers, taken):
    def make():
        return StatefulDataLoader(ManifestDataset(path, sequences=2), batch_size=None, num_workers=num_workers)

    loader = make()
    batches = iter(loader)
    seen = [row for _ in range(taken) for row in held(next(batches))]
    resumed = make()
    resumed.load_state_dict(loader.state_dict())
    assert seen + [row for batch in resumed for row in held(batch)] == want


def test_a_second_iteration_begins_anew(path, want):
    dataset = ManifestDataset(path)
    dataset.load_state_dict({"consumed": 30})
    assert [row for batch in dataset for row in held(batch)] == want[30:]
    assert dataset.state_dict() == {"consumed": len(want), "began": 30}
    assert [row for batch in dataset for row in held(batch)] == want


def test_a_state_that_cannot_be_is_refused(path):
    for consumed in (-1, sum(SEQUENCES) + 1):
        with pytest.raises(DataError, match=f"cannot go on at sequence {consumed} of 36"):
            ManifestDataset(path).load_state_dict({"consumed": consumed})


@pytest.mark.parametrize("shape", [{"rank": 2, "world_size": 2}, {"rank": -1}, {"sequences": 0}, {"world_size": 0}])
def test_processes_that_cannot_be_are_refused(path, shape):
    with pytest.raises(ConfigError, match="cannot be"):
        ManifestDataset(path, **shape)


def test_a_changed_file_is_never_read(path, tmp_path):
    root = made.make_workspace(tmp_path)
    fresh = made.make_manifest(root, made.make_stage(root, [3, 4]))
    file = m.shard_path(fresh, m.read(fresh).stages[0].shards[0])
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="content has hash"):
        next(iter(ManifestDataset(fresh)))
