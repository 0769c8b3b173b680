"""A manifest proves what a run trains on: nothing it names can change, or be absurd, unseen."""

import hashlib
import json

import pytest
from made_manifests import make_manifest, make_stage

from gradus.curricula import manifest as m
from gradus.curricula.canonical import canonical_bytes
from gradus.curricula.find import find_manifest, list_manifests
from gradus.curricula.verify import verify
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
        verify(path)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_every_kind_of_file_is_spoilt_here(path):
    assert sorted(verify(path).files()) == sorted(FILES)


def test_the_id_is_the_hash_of_the_file(path):
    data = path.read_bytes()
    assert m.read(path).id == path.stem == hashlib.sha256(data).hexdigest()
    assert canonical_bytes(json.loads(data)) == data


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
        (change(format=2), "it was changed"),
        (change(format=1), "not a manifest of format 2 to 4"),
        (change(format=5), "a manifest of format 5, written by Gradus 0.1.0; this one, 0.1.0, reads 2 to 4"),
        (change(extra=1), "Manifest has no 'extra'"),
        (change(seed="0"), "seed must be a whole number"),
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


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"format":3,"format":3}', "the key 'format' stands twice in one object"),
        (b'{"format":3,"seed":9007199254740992}', "not within"),
        (b'{"format":3,"seed":-9223372036854775808}', "not within"),
        (b'{"format":3,"seed":NaN}', "the number nan is not finite"),
        (b'{"format":3,"seed":-Infinity}', "the number -inf is not finite"),
        (b'{"format":3,"seed":1e999}', "the number inf is not finite"),
        (b'{"format":3,"seed":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[" * 100_000, "nested deeper than 32 levels"),
        (b'{"format":' * 40 + b"3" + b"}" * 40, "nested deeper than 32 levels"),
        (b'{"format":true}', "not a manifest of format 2 to 4"),
        (b'{"format":3.0}', "not a manifest of format 2 to 4"),
        (b'{"name":"\\ud800"}', "surrogates not allowed"),
    ],
)
def test_what_canonical_json_cannot_say_is_refused(path, content, said):
    path.write_bytes(content)
    refused(path, said)


def test_a_lone_surrogate_is_refused(path):
    path.write_bytes(path.read_bytes().replace(b'"name":"small"', b'"name":"\\ud800"'))
    refused(path, "not JSON")


def test_right_content_in_another_form_is_refused(path):
    raw = json.dumps(json.loads(path.read_bytes()), indent=1).encode()
    other = path.with_stem(hashlib.sha256(raw).hexdigest())
    other.write_bytes(raw)
    refused(other, "not in canonical form")


def test_two_spellings_of_a_letter_are_two_contents():
    assert canonical_bytes({"name": "caf\u00e9"}) != canonical_bytes({"name": "cafe\u0301"})
    assert canonical_bytes({"b": "é", "a": [1, 2.5, 1e-7]}) == '{"a":[1,2.5,1e-07],"b":"é"}'.encode()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 2**53, {1: 2}, "\ud800"])
def test_what_canonical_json_cannot_say_is_not_written(value):
    with pytest.raises(ValueError, match=r"not within|not finite|not text|surrogates"):
        canonical_bytes({"value": value})


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
        make_manifest(workspace.root, make_stage(workspace.root, [length]))
    with pytest.raises(DataError, match="more than one manifest ''"):
        find_manifest(workspace, "")


def test_a_workspace_without_manifests_says_how_to_make_one(workspace):
    with pytest.raises(DataError, match="no manifest 'latest'; there are: none; `gradus curriculum build` makes one"):
        find_manifest(workspace, "latest")
