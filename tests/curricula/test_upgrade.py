"""Older manifests are read, proven and trained on under the ids that they always had."""

import hashlib
import json

import pyarrow as pa
import pytest
from made_manifests import make_manifest, make_stage, make_trace, make_workspace, write

from gradus.curricula import manifest as m
from gradus.curricula.shards import write_shard
from gradus.curricula.upgrade import OLDEST, as_written
from gradus.curricula.verify import verify
from gradus.errors import DataError
from gradus.trainer.data import StageData

# What format 2 wrote, field by field; never changed.
TRACES_2 = ("trace_id", "problem_id", "domain", "kind", "pass_rate", "num_tokens", "token_ids", "loss_mask")
RL_2 = (
    *("problem_id", "domain", "verifier", "spec", "messages", "prompt_token_ids"),
    *("num_attempts", "num_passed", "pass_rate"),
)
LENGTHS = [4, 6, 3, 7, 10, 5]
PACKING = [[0, 1], [2, 3], [4], [5]]
PROBLEM = {
    "problem_id": "p0",
    "domain": "math",
    "verifier": "math",
    "spec": '{"expected":"4"}',
    "messages": '[{"role":"user","content":"2+2?"}]',
    "prompt_token_ids": [1, 2],
    "num_attempts": 4,
    "num_passed": 2,
    "pass_rate": 0.5,
}


@pytest.fixture
def root(tmp_path):
    return make_workspace(tmp_path)


def shard_of(root, names, schema, rows):
    fields = pa.schema([schema.field(name) for name in names])
    shard = write_shard(root / "curricula", fields, [{name: row[name] for name in names} for row in rows])
    return {"sha256": shard.sha256, "num_rows": shard.num_rows}


def format_2(root, packing=PACKING):
    """Return a manifest's data as version 0.1 wrote it."""
    stage = {
        "name": "foundation",
        "context_length": 10,
        "token_budget": 40,
        "mixture": {"math/cot": 1.0},
        "num_traces": len(LENGTHS),
        "num_tokens": sum(LENGTHS),
        "shards": [shard_of(root, TRACES_2, m.TRACE_SCHEMA, [make_trace(i, n) for i, n in enumerate(LENGTHS)])],
        "packing": shard_of(root, ["rows"], m.PACKING_SCHEMA, [{"rows": rows} for rows in packing]),
        "num_sequences": len(packing),
        "utilisation": 0.875,
    }
    rl = {
        "problems": shard_of(root, RL_2, m.RL_SCHEMA, [PROBLEM]),
        "band": [0.1, 0.9],
        "quotas": {"math": 2},
        "group_size": 8,
        "sampling": {"math": {"temperature": 0.8}},
        "left_out": {"pass rate above 0.9": 3},
    }
    return {
        "format": 2,
        "name": "old",
        "gradus_version": "0.1.0",
        "policy": "foundation: easy_to_hard",
        "seed": 0,
        "recipe": {"name": "old", "stages": [{"name": "foundation"}]},
        "inputs": "0" * 64,
        "tokenizer": {"model_id": "tiny", "fingerprint": "1" * 64},
        "stages": [stage],
        "rl": rl,
        "curation": {"until": "2026-01-01", "num_excluded": 1, "num_weighed": 0},
        "dropped": {"longer than every stage": 2},
    }


def test_a_manifest_of_format_2_is_proven_under_its_old_id(root):
    data = format_2(root)
    path = write(root, data)
    manifest = verify(path)
    old = json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert manifest.id == hashlib.sha256(old).hexdigest() == path.stem
    assert manifest.format == 2
    stage = manifest.stages[0]
    assert (stage.num_documents, stage.max_passes, stage.schedule, stage.entries) == (6, 1, None, {})
    assert (manifest.gates, manifest.bands, manifest.earlier, manifest.tokenizer.template) == ((), {}, "", "")


def test_a_manifest_of_format_2_is_trained_on(root):
    path = write(root, format_2(root))
    data = StageData(path, m.read(path).stages[0])
    found = [[len(document.token_ids) for document in data[number]] for number in range(len(data))]
    assert found == [[LENGTHS[row] for row in rows] for rows in PACKING]


@pytest.mark.parametrize("part", ["rl", "curation"])
def test_a_part_that_format_2_left_out_stays_out(root, part):
    assert verify(write(root, format_2(root) | {part: None}))


@pytest.mark.parametrize(
    ("packing", "said"),
    [([[0, 1], [2, 3], [4]], "1 traces are in no sequence"), ([*PACKING, [0]], "trace 0 is used 2 times")],
)
def test_format_2_is_proven_as_strictly_as_it_was(root, packing, said):
    with pytest.raises(DataError, match=said):
        verify(write(root, format_2(root, packing)))


@pytest.mark.parametrize("new", [{"gates": []}, {"bands": {}}, {"earlier": ""}])
def test_format_2_holds_nothing_of_format_3(root, new):
    with pytest.raises(DataError, match="not in canonical form"):
        m.read(write(root, format_2(root) | new))


def test_a_manifest_of_format_3_is_proven_under_its_old_id(root):
    data = json.loads(make_manifest(root, make_stage(root, LENGTHS)).read_bytes()) | {"format": 3}
    with pytest.raises(DataError, match="not in canonical form"):  # it had no training
        verify(write(root, data))
    for stage in data["stages"]:
        del stage["training"]
    path = write(root, data)
    manifest = verify(path)
    assert (manifest.id, manifest.format, manifest.stages[0].training) == (path.stem, 3, {})


def test_format_4_says_everything(root):
    path = make_manifest(root, make_stage(root, LENGTHS))
    data = json.loads(path.read_bytes())
    assert as_written(data) == data
    del data["stages"][0]["training"]
    with pytest.raises(DataError, match="not in canonical form"):
        m.read(write(root, data))


@pytest.mark.parametrize("number", [5, 2**50])
def test_a_newer_format_names_the_version_that_reads_it(root, number):
    path = write(root, format_2(root) | {"format": number, "gradus_version": "0.7.2", "unheard": [1]})
    said = rf"a manifest of format {number}, written by Gradus 0\.7\.2; this one, .*, reads 2 to 4: update it"
    with pytest.raises(DataError, match=said):
        m.read(path)


@pytest.mark.parametrize("number", [OLDEST - 1, 0, -3, None, "2", [2], 2.0, True])
def test_what_never_was_a_format_is_refused(root, number):
    with pytest.raises(DataError, match="not a manifest of format 2 to 4"):
        m.read(write(root, format_2(root) | {"format": number}))
