"""Whatever is done to a manifest or its files: it is what it says, or refused in one line, never anything else."""

import copy
import dataclasses
import hashlib
import json
import os
import random
import shutil

import made_manifests as made
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradus.curricula import manifest as m
from gradus.curricula import posterior
from gradus.curricula.shards import write_shard
from gradus.curricula.verify import verify
from gradus.errors import ConfigError, DataError
from gradus.trainer.dataset import ManifestDataset
from gradus.trainer.problems import ProblemBatches

LENGTHS = (5, 9, 3, 12, 7, 16, 4, 11, 8, 2)
PROBLEM = {
    "domain": "math",
    "verifier": "math",
    "spec": '{"expected":"4"}',
    "messages": '[{"role":"user","content":"2+2?"}]',
    "prompt_token_ids": [1, 2],
    "num_attempts": 4,
    "num_passed": 2,
    "pass_rate": 0.5,
    "role": "active",
    "in_band": float(posterior.inside(2, 4, 0.1, 0.9).round(9)),
}


@pytest.fixture(scope="module")
def right(tmp_path_factory):
    """Make a manifest that is right, of two stages and an RL section."""
    root = made.make_workspace(tmp_path_factory.mktemp("right"))
    first = made.make_stage(root, LENGTHS, name="one", context_length=16, kinds=("cot", "correction"), shards=3)
    second = made.make_stage(root, LENGTHS[:6], name="two", context_length=32, shards=2)
    problems = [PROBLEM | {"problem_id": f"p{i}"} for i in range(5)]
    section = m.RLSection(
        problems=write_shard(root / "curricula", m.RL_SCHEMA, problems),
        band=(0.1, 0.9),
        quotas={"math": 2},
        group_size=4,
        sampling={"math": {"temperature": 0.8}},
        left_out={},
        confidence=0.5,
    )
    path = made.make_manifest(root, first, second, rl=section)
    assert verify(path)
    return path


@pytest.fixture
def path(right, tmp_path):
    """Copy the right manifest to where it may be spoilt."""
    root = shutil.copytree(right.parents[1], tmp_path / "copy")
    return root / "manifests" / right.name


def root_of(path):
    return path.parents[1]


def refused(path, *uses):
    """Say whether all uses of a manifest refuse it; each in one line."""
    for use in uses or (verify,):
        with pytest.raises((DataError, ConfigError)) as error:
            use(path)
        assert len(str(error.value).splitlines()) == 1
        assert len(str(error.value)) < 1000
    return True


def train(path):
    return list(ManifestDataset(path))


def ask(path):
    return ProblemBatches(path, m.read(path), seed=0).take(1)


def used(path):
    """Use a manifest in every way; what is not refused must be what the manifest says."""
    taken, said = [], []
    for use in (m.read, verify, train, ask):
        try:
            taken.append((use, use(path)))
        except (DataError, ConfigError) as error:
            said.append(str(error))
    assert [len(text.splitlines()) for text in said] == [1] * len(said)
    assert all(len(text) < 1000 for text in said)
    found = dict(taken)
    if found.get(train):
        stages = {stage.name: stage for stage in found[m.read].stages}
        for batch in found[train]:
            assert int(batch["input_ids"].min()) >= 0
            assert batch["input_ids"].shape[1] == stages[batch["stage"]].context_length
    if verify in found:
        assert train in found
        tokens = sum(int((batch["document_ids"] >= 0).sum()) for batch in found.get(train, ()))
        assert tokens == sum(stage.num_tokens for stage in found[verify].stages)


ABSURD = st.sampled_from(
    [
        *(None, True, False, -1, 0, 1, 2, 3, 17, 2**31 - 1, 2**31, 2**53 - 1, -(2**53) + 1, 0.5, -0.5, 1e308, 5e-324),
        *("", "x", "../../etc/passwd", "/etc/passwd", "0" * 64, "0" * 63 + "/", "A" * 64, "x" * 5000, "\n", "é", "\0"),
        *([], {}, [[]], [{}], {"": ""}, {"math/cot": 1}, {"*": 1.0}, [0.1, 0.9], [1, 0], {"2": 1.0}, {"-1": 9}),
    ]
) | st.floats(allow_nan=False, allow_infinity=False)


def places(data, at=()):
    """Yield the way to everything in JSON."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for key, value in inner:
        yield (*at, key)
        yield from places(value, (*at, key))


def at(data, way):
    for key in way:
        data = data[key]
    return data


def spoil(data, way, how, value):
    """Change one place of JSON."""
    holder, key = at(data, way[:-1]), way[-1]
    if how == "delete":
        del holder[key]
    elif how == "double" and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif how == "swap" and isinstance(holder, list):
        holder[0], holder[key] = holder[key], holder[0]
    elif how == "add" and isinstance(holder[key], dict):
        holder[key]["more"] = value
    else:
        holder[key] = value


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_absurd_contents_under_their_right_hash_are_refused_or_are_what_they_say(right, choice):
    data = json.loads(right.read_bytes())
    for _ in range(choice.draw(st.integers(1, 2))):
        ways = list(places(data))
        way = choice.draw(st.sampled_from(ways))
        spoil(
            data,
            way,
            choice.draw(st.sampled_from(["put", "put", "delete", "double", "swap", "add"])),
            copy.deepcopy(choice.draw(ABSURD)),
        )
    path = made.write(root_of(right), data)
    used(path)
    if path != right:
        path.unlink()


@settings(max_examples=150, deadline=None)
@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused(right, raw):
    path = right.with_stem(hashlib.sha256(raw).hexdigest())
    path.write_bytes(raw)
    assert refused(path, m.read, verify, train)
    path.unlink()


@settings(max_examples=100, deadline=None)
@given(place=st.floats(0, 1), byte=st.integers(0, 255))
def test_a_changed_byte_of_the_manifest_is_refused(right, place, byte):
    raw = bytearray(right.read_bytes())
    where = int(place * (len(raw) - 1))
    if raw[where] == byte:
        return
    raw[where] = byte
    copy_of = right.parent / "changed" / right.name
    copy_of.parent.mkdir(exist_ok=True)
    copy_of.write_bytes(bytes(raw))
    assert refused(copy_of, m.read)


def with_file(path, what, raw):
    """Write a manifest that names other bytes as one of its files, each under its right hash."""
    manifest = m.read(path)
    sha256 = hashlib.sha256(raw).hexdigest()
    (root_of(path) / "curricula" / f"{sha256}.parquet").write_bytes(raw)
    text = path.read_text().replace(manifest.files()[what].sha256, sha256)
    return made.write(root_of(path), json.loads(text))


FILES = ["stage one, shard 0", "stage one, shard 2", "stage one, packing", "stage two, shard 1", "rl problems"]


@pytest.mark.parametrize("what", FILES)
def test_corrupt_parquet_under_its_right_hash_is_refused_or_is_what_it_says(path, what):
    rng = random.Random(what)
    original = m.shard_path(path, m.read(path).files()[what]).read_bytes()
    for _ in range(25):
        raw = bytearray(original)
        for _ in range(rng.choice((1, 1, 4, 40))):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        if rng.random() < 0.2:
            raw = raw[: rng.randrange(len(raw))]
        used(with_file(path, what, bytes(raw)))


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("raw", [b"", b"PAR1", b"PAR1PAR1", b"not parquet", b"PAR1" + b"\xff" * 100 + b"PAR1"])
def test_what_is_no_parquet_is_refused(path, what, raw):
    assert refused(with_file(path, what, raw), verify, ask if what == "rl problems" else train)


@pytest.mark.parametrize("what", FILES)
@pytest.mark.parametrize("other", FILES)
def test_a_file_in_anothers_place_is_refused(path, what, other):
    if what != other:
        assert refused(with_file(path, what, m.shard_path(path, m.read(path).files()[other]).read_bytes()))


def test_shards_in_another_order_are_refused(path):
    data = json.loads(path.read_bytes())
    data["stages"][0]["shards"].reverse()
    with pytest.raises(DataError, match="not in the order of their ids"):
        verify(made.write(root_of(path), data))


TRACES, PACKING = "stage one, shard 0", "stage one, packing"


def recast(table, name, make):
    """Return a table with another column in the place of one."""
    return table.set_column(table.schema.get_field_index(name), name, make(table[name]))


@pytest.mark.parametrize(
    ("what", "change"),
    [
        (TRACES, lambda t: t.drop_columns(["loss_mask"])),
        (TRACES, lambda t: t.append_column("token_ids", t["token_ids"])),
        (TRACES, lambda t: recast(t, "token_ids", lambda c: c.cast(pa.list_(pa.float64())))),
        (TRACES, lambda t: recast(t, "token_ids", lambda c: c.cast(pa.list_(pa.int64())))),
        (TRACES, lambda t: recast(t, "num_tokens", lambda c: c.cast(pa.string()))),
        (TRACES, lambda t: recast(t, "domain", lambda c: pa.array([b"\xff\xfe"] * len(c)).view(pa.string()))),
        (TRACES, lambda t: recast(t, "num_attempts", lambda c: pa.array([-8] * len(c), pa.int32()))),
        (TRACES, lambda t: t.slice(1)),
        (TRACES, lambda t: pa.concat_tables([t, t])),
        (TRACES, lambda t: t.take(list(reversed(range(len(t)))))),
        (PACKING, lambda t: t.drop_columns(["entry"])),
        (PACKING, lambda t: recast(t, "rows", lambda c: c.cast(pa.list_(pa.int64())))),
        (PACKING, lambda t: pa.concat_tables([t, t.slice(0, 1)])),
        (PACKING, lambda t: t.slice(0, 0)),
        ("rl problems", lambda t: recast(t, "spec", lambda c: pa.array(["[1]"] * len(c)))),
        ("rl problems", lambda t: recast(t, "spec", lambda c: pa.array(["{"] * len(c)))),
        ("rl problems", lambda t: recast(t, "spec", lambda c: pa.array(["[" * 100000] * len(c)))),
        ("rl problems", lambda t: recast(t, "messages", lambda c: pa.array(['{"role":"user"}'] * len(c)))),
        ("rl problems", lambda t: recast(t, "messages", lambda c: pa.array(["[1]"] * len(c)))),
        ("rl problems", lambda t: recast(t, "in_band", lambda c: pa.array([float("nan")] * len(c)))),
        ("rl problems", lambda t: recast(t, "in_band", lambda c: pa.array([0.1] * len(c)))),
        ("rl problems", lambda t: recast(t, "role", lambda c: pa.array(["both"] * len(c)))),
        ("rl problems", lambda t: recast(t, "role", lambda c: pa.array(["reserve"] * len(c)))),
        ("rl problems", lambda t: recast(t, "num_passed", lambda c: pa.array([5] * len(c), pa.int32()))),
        ("rl problems", lambda t: recast(t, "prompt_token_ids", lambda c: pa.array([[]] * len(c), c.type))),
        ("rl problems", lambda t: pa.concat_tables([t, t.slice(0, 1)])),
    ],
)
def test_absurd_files_with_rows_as_stated_are_refused(path, what, change):
    file = m.shard_path(path, m.read(path).files()[what])
    table = change(pq.read_table(file))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    raw = sink.getvalue().to_pybytes()
    data = json.loads(with_file(path, what, raw).read_bytes())
    sha256 = hashlib.sha256(raw).hexdigest()
    for shard in [*data["stages"][0]["shards"], data["stages"][0]["packing"], data["rl"]["problems"]]:
        if shard["sha256"] == sha256:
            shard["num_rows"] = len(table)
    spoilt = made.write(root_of(path), data)
    assert refused(spoilt)
    used(spoilt)


def test_columns_may_stand_in_any_order(path):
    table = pq.read_table(m.shard_path(path, m.read(path).files()[TRACES]))
    sink = pa.BufferOutputStream()
    pq.write_table(table.select(table.column_names[::-1]), sink)
    other = with_file(path, TRACES, sink.getvalue().to_pybytes())
    assert verify(other)
    assert [batch["input_ids"].tolist() for batch in train(other)] == [b["input_ids"].tolist() for b in train(path)]


@pytest.mark.parametrize(
    "name", ["../manifests/x", "/etc/passwd", "..", "", "0" * 63, "0" * 65, "G" * 64, "0" * 63 + "\n"]
)
def test_a_name_that_is_no_hash_leads_nowhere(path, name):
    data = json.loads(path.read_bytes())
    data["stages"][0]["packing"]["sha256"] = name
    with pytest.raises(DataError, match="sha256 is no hash"):
        verify(made.write(root_of(path), data))


@pytest.mark.parametrize("kind", ["folder", "pipe", "loop", "nowhere", "device"])
def test_what_is_no_file_is_refused_and_does_not_hang(path, kind):
    file = m.shard_path(path, m.read(path).files()[PACKING])
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to({"loop": file, "nowhere": file.with_suffix(".none"), "device": "/dev/zero"}[kind])
    assert refused(path, verify, train)


def test_a_link_to_the_very_bytes_is_as_good_as_they_are(path, tmp_path):
    file = m.shard_path(path, m.read(path).files()[PACKING])
    file.rename(tmp_path / "elsewhere")
    file.symlink_to(tmp_path / "elsewhere")
    assert verify(path)


def test_a_manifest_that_is_a_folder_is_refused(path):
    path.unlink()
    path.mkdir()
    assert refused(path, m.read)


@pytest.mark.parametrize("context_length", [2**24 + 1, 2**31, 2**53 - 1, 0, -16])
def test_a_context_that_no_machine_has_is_refused_when_it_is_read(path, context_length):
    data = json.loads(path.read_bytes())
    data["stages"][0]["context_length"] = context_length
    assert refused(made.write(root_of(path), data), m.read, train)
    with pytest.raises(ValueError, match="context_length is"):
        dataclasses.replace(m.read(path).stages[0], context_length=context_length)
