"""Whatever a manifest says of its files is proven, or refused in one line that says what is wrong and where."""

import dataclasses
import random

import pytest
from made_manifests import BANDS, make_manifest, make_stage, make_workspace, packing_row, scheduled

from gradus.curricula import manifest as m
from gradus.curricula.shards import write_shard
from gradus.curricula.verify import verify
from gradus.errors import DataError


@pytest.fixture
def root(tmp_path):
    return make_workspace(tmp_path)


def refused(path, said):
    with pytest.raises(DataError) as error:
        verify(path)
    assert said in str(error.value)
    assert len(str(error.value).splitlines()) == 1


def test_a_stage_of_three_entries_in_three_shards_is_taken(root):
    rng = random.Random(0)
    stage = make_stage(root, [rng.randrange(1, 10) for _ in range(200)], kinds=("cot", "correction", "x"), shards=3)
    assert verify(make_manifest(root, stage)).stages == (stage,)


def test_an_empty_stage_and_no_stage_are_taken(root):
    assert verify(make_manifest(root)).stages == ()


@pytest.mark.parametrize(
    ("packing", "said"),
    [
        ([[0, 1], [2], []], "sequence 2 is empty"),
        ([[0, 1], [3]], "sequence 1 names row 3 of 3"),
        ([[0, 1], [2], [2**31 - 1]], "sequence 2 names row 2147483647 of 3"),
        ([[0, -1], [2]], "sequence 0 names row -1 of 3"),
        ([[0, 1], [2], [0]], "trace 0 is used 2 times, the manifest allows 1"),
        ([[0, 2], [1]], "sequence 0 is longer than 10 tokens"),
        ([[0, 1]], "1 traces are in no sequence"),
        ([], "3 traces are in no sequence"),
        ([[0, 0], [1], [2]], "trace 0 is used 2 times"),
    ],
)
def test_an_absurd_packing_is_refused(root, packing, said):
    refused(make_manifest(root, make_stage(root, [4, 6, 10], packing=packing)), said)


def test_a_trace_is_used_as_often_as_the_manifest_allows(root):
    stage = make_stage(root, [4, 6, 10], packing=[[0, 1], [2], [0, 1], [1]])
    refused(make_manifest(root, dataclasses.replace(stage, max_passes=2)), "trace 1 is used 3 times")
    assert verify(make_manifest(root, dataclasses.replace(stage, max_passes=3)))


def test_a_wrong_number_of_rows_is_refused(root):
    stage = make_stage(root, [4])
    shard = dataclasses.replace(stage.shards[0], num_rows=2)
    refused(make_manifest(root, dataclasses.replace(stage, shards=(shard,))), "1 rows, the manifest says 2")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"num_tokens": 1}, "token_ids of a trace of num_tokens = 1 does not hold so many tokens"),
        ({"num_tokens": 0, "token_ids": [], "loss_mask": []}, "a trace holds no tokens"),
        ({"num_tokens": -4}, "does not hold so many tokens"),
        ({"loss_mask": [True]}, "loss_mask of a trace of num_tokens = 4"),
        ({"loss_mask": None}, "loss_mask holds a null"),
        ({"loss_mask": [True, None, True, True]}, "loss_mask holds a null"),
        ({"token_ids": [1] * 50}, "token_ids of a trace of num_tokens = 4"),
        ({"token_ids": [1, 2, None, 3]}, "token_ids holds a null"),
        ({"token_ids": [1, 2, -3, 4]}, "a token id is -3"),
        ({"domain": None}, "domain holds a null"),
        ({"teacher": None}, "teacher holds a null"),
        ({"kind": "correction"}, "a sequence of entry */cot holds a trace of math/correction/teacher-8b/medium"),
        ({"num_passed": 8}, "of its tokens are math/cot/teacher-8b/easy"),
        ({"num_passed": 9}, "9 of 8 attempts passed"),
    ],
)
def test_an_absurd_trace_is_refused(root, row, said):
    stage = make_stage(root, [4, 4], row=row)
    if "kind" in row:
        stage = dataclasses.replace(stage, mixture={"math/correction/teacher-8b/medium": 1.0})
    refused(make_manifest(root, stage), said)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_traces": 99}, "num_traces is 3, the manifest says 99"),
        ({"num_tokens": 10, "token_budget": 10}, "num_tokens is 20, the manifest says 10"),
        ({"num_documents": 99}, "num_documents is 3, the manifest says 99"),
        ({"num_sequences": 99}, "num_sequences is 2, the manifest says 99"),
        ({"utilisation": 0.99}, "utilisation is 1.000000, the manifest says 0.99"),
        ({"token_budget": 17}, "20 tokens are more than its budget of 17"),
        ({"token_budget": 23}, "20 tokens are less than its budget of 23, and no note says why"),
        ({"schedule": None, "entries": {}}, "the schedule is not stated"),
        ({"balance": {"2": 1.5}}, "not over how many sequences"),
        ({"balance": {"0": 1.0}, "batch_sequences": 2}, "its balance is over '0' ranks"),
        ({"balance": {"-2": 1.0}, "batch_sequences": 2}, "its balance is over '-2' ranks"),
        ({"balance": {"9" * 5000: 1.0}, "batch_sequences": 2}, "its balance is over '999"),
        ({"balance": {"2": 1.5}, "batch_sequences": 2}, "its balance over 2 ranks is 1.315789, the manifest says 1.5"),
        ({"mixture": {}}, "1.000000 of its tokens are math/cot/teacher-8b/medium, the manifest says 0"),
        ({"mixture": {"math/cot/teacher-8b/medium": 1.0, "x": 0.5}}, "0.000000 of its tokens are x"),
    ],
)
def test_a_stages_figures_are_those_of_its_files(root, change, said):
    refused(make_manifest(root, dataclasses.replace(make_stage(root, [4, 6, 10]), **change)), said)


def test_a_budget_may_be_missed_by_half_a_trace_or_with_a_note(root):
    stage = make_stage(root, [4, 6, 10])
    for change in ({"token_budget": 22}, {"token_budget": 18}, {"token_budget": 90, "notes": ("no more traces",)}):
        assert verify(make_manifest(root, dataclasses.replace(stage, **change)))


@pytest.mark.parametrize("name", ["num_sequences", "num_tokens", "num_documents"])
def test_an_entrys_sums_are_those_of_its_sequences(root, name):
    stage = make_stage(root, [4, 6, 10])
    entry = dataclasses.replace(stage.entries["*/cot"], **{name: 99})
    path = make_manifest(root, dataclasses.replace(stage, entries={"*/cot": entry}))
    refused(path, f"{name} of entry */cot is")


def repacked(root, stage, rows):
    return dataclasses.replace(stage, packing=write_shard(root / "curricula", m.PACKING_SCHEMA, rows))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"num_tokens": 9}, "a sequence has num_tokens 10, not 9"),
        ({"attention": 0}, "a sequence has attention 52, not 0"),
        ({"entry": 1}, "a sequence is of entry 1; there are 1"),
        ({"entry": -1}, "a sequence is of entry -1; there are 1"),
        ({"entry": None}, "entry holds a null"),
        ({"rows": None}, "rows holds a null"),
        ({"rows": [0, None]}, "rows holds a null"),
    ],
)
def test_a_packing_row_says_what_is_in_it(root, change, said):
    rows = [packing_row(rows, 0, [4, 6, 10]) | change for rows in ([0, 1], [2])]
    refused(make_manifest(root, repacked(root, make_stage(root, [4, 6, 10]), rows)), said)


@pytest.mark.parametrize("swapped", range(1, 6))
def test_an_order_that_leaves_the_schedule_by_a_sequence_is_refused(root, swapped):
    lengths, kinds = [10] * 12, ("cot", "correction")
    stage = make_stage(root, lengths, kinds=kinds)
    right = scheduled({f"*/{kind}": [[i] for i in range(12) if kinds[i % 2] == kind] for kind in kinds})
    assert repacked(root, stage, [packing_row(*one, lengths) for one in right]) == stage
    wrong = sorted(right[: 2 * swapped], key=lambda one: one[1]) + right[2 * swapped :]
    path = make_manifest(root, repacked(root, stage, [packing_row(*one, lengths) for one in wrong]))
    if swapped == 1:
        assert verify(path)
    else:
        refused(path, "off the schedule in entry")


def test_a_trace_in_another_entrys_sequence_is_refused(root):
    lengths, kinds = [5] * 8, ("cot", "correction")
    stage = make_stage(root, lengths, kinds=kinds)
    mixed = [([0, 1], 0), ([2, 3], 1), ([4, 6], 0), ([5, 7], 1)]
    path = make_manifest(root, repacked(root, stage, [packing_row(*one, lengths) for one in mixed]))
    refused(path, "holds a trace of math/")


def test_the_bands_are_those_that_the_mixture_was_made_with(root):
    stage = make_stage(root, [4, 6, 10])
    refused(make_manifest(root, stage, bands=BANDS | {"medium": (0.3, 0.31)}), "of its tokens are math/cot/teacher-8b/")
