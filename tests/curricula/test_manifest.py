"""A manifest proves what a run trains on: nothing it names can change, or be absurd, unseen."""

import dataclasses
import hashlib
import json

import pytest

from gradus.curricula import manifest as m
from gradus.curricula.find import find_manifest, list_manifests
from gradus.curricula.shards import write_manifest, write_shard
from gradus.errors import DataError

# Of the finished workspace's manifest; `test_every_kind_of_file_is_spoilt_here` keeps the list honest.
FILES = [
    "stage foundation, shard 0",
    "stage foundation, packing",
    "stage correction, shard 0",
    "stage correction, packing",
    "rl problems",
]


@pytest.fixture
def path(spoilable):
    return find_manifest(spoilable.workspace, "latest")


def refused(path, said):
    with pytest.raises(DataError) as error:
        m.verify(path)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_every_kind_of_file_is_spoilt_here(path):
    assert sorted(m.verify(path).files()) == sorted(FILES)


def test_the_id_is_the_hash_of_the_file(path):
    data = path.read_bytes()
    assert m.read(path).id == path.stem == hashlib.sha256(data).hexdigest()
    assert m.canonical_bytes(json.loads(data)) == data


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("where", [0, 0.5, 1])
def test_one_flipped_byte_is_seen(path, what, where):
    file = m.shard_path(path, m.read(path).files()[what])
    data = bytearray(file.read_bytes())
    data[int(where * (len(data) - 1))] ^= 1
    file.write_bytes(data)
    refused(path, f"{file}: content has hash")


@pytest.mark.parametrize("what", FILES)
def test_a_truncated_file_is_seen(path, what):
    file = m.shard_path(path, m.read(path).files()[what])
    file.write_bytes(file.read_bytes()[:-1])
    refused(path, "content has hash")


@pytest.mark.parametrize("what", FILES)
def test_a_missing_file_is_seen(path, what):
    m.shard_path(path, m.read(path).files()[what]).unlink()
    refused(path, "missing; build the curriculum again")


def test_two_files_under_each_others_names_are_seen(path):
    first, second = (m.shard_path(path, m.read(path).files()[what]) for what in FILES[:2])
    aside = first.with_suffix(".aside")
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    refused(path, "content has hash")


def test_training_never_reads_unproven_bytes(path):
    shard = m.read(path).files()["rl problems"]
    file = m.shard_path(path, shard)
    file.write_bytes(file.read_bytes() + b"\0")
    with pytest.raises(DataError, match="content has hash"):
        m.read_shard(path, shard)


def change(**values):
    return lambda data: data | values


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (change(name="other"), "it was changed; build it again"),
        (change(seed=1), "it was changed"),
        (change(stages=[]), "it was changed"),
        (change(rl=None), "it was changed"),
        (change(format=3), "not a manifest of format 2"),
        (change(extra=1), "Manifest has no 'extra'"),
        (change(seed="0"), "seed must be a int"),
        (change(stages=3), "stages must be a list"),
        (lambda data: {k: v for k, v in data.items() if k != "dropped"}, "Manifest needs dropped"),
        (lambda data: [data], "not a manifest of format 2"),
        (lambda _: None, "not a manifest of format 2"),
    ],
)
def test_a_changed_manifest_is_seen(path, edit, said):
    path.write_text(json.dumps(edit(json.loads(path.read_bytes()))))
    refused(path, said)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe\x00", b'{"format": 1'])
def test_what_is_not_json_is_named(path, content):
    path.write_bytes(content)
    refused(path, "not JSON")


def test_a_renamed_manifest_is_seen(path):
    refused(path.rename(path.with_stem("0" * 64)), "it was changed")


def test_a_manifest_that_is_not_there_says_how_to_make_one(tmp_path):
    refused(tmp_path / "none.json", "no such manifest; `gradus curriculum build` makes one")


TRACE = {"trace_id": "t", "problem_id": "p", "domain": "math", "kind": "cot", "pass_rate": None}


def make_stage(workspace, *, lengths, packing, **changes):
    """Write a stage of traces with these lengths; every file has its right hash."""
    rows = [TRACE | {"num_tokens": n, "token_ids": list(range(n)), "loss_mask": [True] * n} for n in lengths]
    changed = [row | changes.pop("row", {}) for row in rows]
    shards = (write_shard(workspace.curricula, m.TRACE_SCHEMA, changed),)
    rows = write_shard(workspace.curricula, m.PACKING_SCHEMA, [{"rows": sequence} for sequence in packing])
    stage = m.Stage(
        name="s",
        context_length=10,
        token_budget=100,
        mixture={"math/cot": 1.0},
        num_traces=len(lengths),
        num_tokens=sum(lengths),
        shards=shards,
        packing=rows,
        num_sequences=len(packing),
        utilisation=1.0,
    )
    return dataclasses.replace(stage, **changes)


def make_manifest(workspace, stage):
    tokenizer = m.Tokenizer(model_id="tiny", fingerprint="0")
    manifest = m.Manifest(
        format=m.FORMAT,
        name="made",
        gradus_version="0",
        policy="",
        seed=0,
        recipe={},
        inputs="",
        tokenizer=tokenizer,
        stages=(stage,),
        dropped={},
    )
    return write_manifest(workspace.manifests, manifest)


def test_a_packing_that_fits_is_taken(workspace):
    path = make_manifest(workspace, make_stage(workspace, lengths=[4, 6, 10], packing=[[0, 1], [2]]))
    assert m.verify(path).stages[0].num_tokens == 20


@pytest.mark.parametrize(
    ("packing", "said"),
    [
        ([[0, 1], [2], []], "sequence 2 names rows that are not there or are used twice"),
        ([[0, 1], [3]], "sequence 1 names rows that are not there or are used twice"),
        ([[0, -1], [2]], "sequence 0 names rows that are not there or are used twice"),
        ([[0, 1], [2], [0]], "sequence 2 names rows that are not there or are used twice"),
        ([[0, 2], [1]], "sequence 0 is longer than 10 tokens"),
        ([[0, 1]], "1 traces are in no sequence"),
        ([], "3 traces are in no sequence"),
        ([[0, 0], [1], [2]], "sequence 0 names rows that are not there or are used twice"),
    ],
)
def test_an_absurd_packing_is_refused(workspace, packing, said):
    refused(make_manifest(workspace, make_stage(workspace, lengths=[4, 6, 10], packing=packing)), said)


def test_a_wrong_number_of_rows_is_refused(workspace):
    stage = make_stage(workspace, lengths=[4], packing=[[0]])
    shard = dataclasses.replace(stage.shards[0], num_rows=2)
    refused(make_manifest(workspace, dataclasses.replace(stage, shards=(shard,))), "1 rows, the manifest says 2")


@pytest.mark.parametrize("row", [{"num_tokens": 1}, {"loss_mask": [True]}, {"token_ids": [1] * 50}])
def test_a_length_that_is_not_the_tokens_is_refused(workspace, row):
    refused(make_manifest(workspace, make_stage(workspace, lengths=[4, 4], packing=[[0, 1]], row=row)), "tokens")


@pytest.mark.parametrize("name", ["num_traces", "num_tokens", "num_sequences"])
def test_a_stages_counts_are_those_of_its_files(workspace, name):
    path = make_manifest(workspace, make_stage(workspace, lengths=[4, 4], packing=[[0, 1]], **{name: 99}))
    refused(path, name.removeprefix("num_"))


def test_a_manifest_is_found_by_the_start_of_its_id(finished):
    (path,) = list_manifests(finished.workspace)
    assert find_manifest(finished.workspace, path.stem) == path
    assert find_manifest(finished.workspace, path.stem[:6]) == path
    assert find_manifest(finished.workspace, "latest") == path


@pytest.mark.parametrize("name", ["ffff0000", "../../etc/passwd", "*"])
def test_an_unknown_manifest_lists_the_known_ones(finished, name):
    (path,) = list_manifests(finished.workspace)
    with pytest.raises(DataError, match=f"no manifest '.*'; there are: {path.stem[:12]}"):
        find_manifest(finished.workspace, name)


def test_the_start_of_two_ids_is_refused(workspace):
    for length in (4, 5):
        make_manifest(workspace, make_stage(workspace, lengths=[length], packing=[[0]]))
    with pytest.raises(DataError, match="more than one manifest ''"):
        find_manifest(workspace, "")


def test_a_workspace_without_manifests_says_how_to_make_one(workspace):
    with pytest.raises(DataError, match="no manifest 'latest'; there are: none; `gradus curriculum build` makes one"):
        find_manifest(workspace, "latest")
