"""What other trainers load is the manifest's tokens, in its order, in every form."""

import dataclasses
import random
from itertools import chain

import numpy as np
import pytest
from datasets import load_dataset
from made_manifests import make_manifest, make_stage, make_workspace

from gradus.curricula import manifest as m
from gradus.curricula.export import export_stages, ids_in_training_order
from gradus.errors import ConfigError, DataError
from gradus.trainer.data import StageData
from gradus.trainer.dataset import ManifestDataset


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    root, rng = make_workspace(tmp_path_factory.mktemp("export")), random.Random(1)
    first = make_stage(
        root, [rng.randrange(1, 16) for _ in range(60)], name="part one", context_length=16, kinds=("a", "b"), shards=4
    )
    second = make_stage(root, [rng.randrange(1, 32) for _ in range(20)], name="two", context_length=32)
    return make_manifest(root, first, second)


def load(folder, stage, tmp_path):
    return load_dataset(str(folder), stage, split="train", cache_dir=str(tmp_path / "cache"))


def sequences(path, stage):
    """Return the tokens of each trace of each sequence, as our own trainer reads them."""
    return [[document.token_ids.tolist() for document in sequence] for sequence in StageData(path, stage)]


def test_datasets_loads_the_packed_stages_in_training_order(path, tmp_path):
    counts = export_stages(path, tmp_path / "out", packed=True)
    stages = m.read(path).stages
    assert counts["rows"] == {stage.name: stage.num_sequences for stage in stages}
    items = iter(ManifestDataset(path))
    for name, stage in zip(("part_one", "two"), stages, strict=True):
        rows = load(tmp_path / "out", name, tmp_path)
        want = sequences(path, stage)
        assert [row["input_ids"] for row in rows] == [list(chain(*documents)) for documents in want]
        assert [row["seq_lengths"] for row in rows] == [list(map(len, documents)) for documents in want]
        for row in rows:
            item, length = next(items), len(row["input_ids"])
            for key in ("input_ids", "labels", "position_ids"):
                assert row[key] == item[key][0, :length].tolist()


def test_datasets_loads_the_unpacked_stages_in_training_order(path, tmp_path):
    counts = export_stages(path, tmp_path / "out", packed=False)
    stage = m.read(path).stages[0]
    rows = load(tmp_path / "out", "part_one", tmp_path)
    flat = [(number, tokens) for number, documents in enumerate(sequences(path, stage)) for tokens in documents]
    assert [(row["sequence"], row["input_ids"]) for row in rows] == flat
    assert all(row["completion_mask"] == [0] + [1] * (len(row["input_ids"]) - 1) for row in rows)
    assert {row["kind"] for row in rows} == {"a", "b"}
    assert counts == {"in": 80, "kept": 80, "dropped": {}, "rows": {"part one": 60, "two": 20}}


def test_datasets_loads_the_shards_themselves(path, tmp_path):
    stage = m.read(path).stages[0]
    files = [str(m.shard_path(path, shard)) for shard in stage.shards]
    rows = load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path))
    assert len(rows) == stage.num_traces
    packing = m.read_shard(path, stage.packing)["rows"].to_pylist()
    assert [[rows[row]["token_ids"] for row in numbers] for numbers in packing] == sequences(path, stage)


def test_a_trace_that_is_used_twice_is_exported_twice(tmp_path):
    root = make_workspace(tmp_path)
    stage = dataclasses.replace(make_stage(root, [3, 4, 5], packing=[[0, 1], [2], [0]]), max_passes=2)
    path = make_manifest(root, stage)
    assert export_stages(path, tmp_path / "out", packed=False)["rows"] == {"s": 4}
    assert [name for names in ids_in_training_order(path, stage) for name in names] == [
        f"t{number:08d}" for number in (0, 1, 2, 0)
    ]


def test_an_export_takes_the_place_of_an_earlier_one_and_of_nothing_else(path, tmp_path):
    export_stages(path, tmp_path / "out", packed=False)
    export_stages(path, tmp_path / "out", packed=True)
    assert not list((tmp_path / "out").rglob(".*"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    with pytest.raises(ConfigError, match="no export of ours"):
        export_stages(path, tmp_path / "mine", packed=True)


def test_a_changed_shard_leaves_no_export(path, tmp_path):
    root = make_workspace(tmp_path)
    fresh = make_manifest(root, make_stage(root, [3, 4]))
    file = m.shard_path(fresh, m.read(fresh).stages[0].shards[0])
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DataError, match="content has hash"):
        export_stages(fresh, tmp_path / "out", packed=True)
    assert not (tmp_path / "out").exists()


def test_groups_of_rows_are_written_whatever_their_size(path, tmp_path, monkeypatch):
    from gradus.curricula import export

    whole = export_stages(path, tmp_path / "a", packed=True)
    monkeypatch.setattr(export, "GROUP_TOKENS", 20)
    assert export_stages(path, tmp_path / "b", packed=True) == whole
    tokens = [np.concatenate(load(tmp_path / name, "two", tmp_path)["input_ids"]).tolist() for name in "ab"]
    assert tokens[0] == tokens[1]
