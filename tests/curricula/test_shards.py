"""A stage's traces lie in shards that a change touches only where it is."""

from dataclasses import replace

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.curricula.candidates import Candidates
from gradus.curricula.manifest import TRACE_SCHEMA
from gradus.curricula.rendered import RenderedRows
from gradus.curricula.shards import cuts, write_shard, write_traces
from tests.curricula.synthetic import candidates, realistic

SHARD_TOKENS = 2000


def row(trace_id, num_tokens):
    return {
        "trace_id": trace_id,
        "problem_id": "p",
        "domain": "math",
        "kind": "cot",
        "teacher": "ada",
        "pass_rate": None,
        "num_tokens": num_tokens,
        "token_ids": np.arange(num_tokens, dtype=np.int32),
        "loss_mask": np.ones(num_tokens, np.bool_),
    }


def written(folder, traces: Candidates):
    """Write traces with rows of their lengths; return the shards."""
    rows = RenderedRows(folder)
    each = zip(traces.trace_ids.astype(str).tolist(), traces.num_tokens.tolist(), strict=True)
    places = np.array([rows.add(row(*one)) for one in each])
    return write_traces(folder, replace(traces, places=places), rows.read, shard_tokens=SHARD_TOKENS)


@pytest.fixture
def traces():
    return candidates(np.random.default_rng(0).integers(10, 60, 1500), passed=[3] * 1500)


def test_every_trace_is_in_one_shard_in_the_order_of_ids(tmp_path, traces):
    shards = written(tmp_path, traces)
    tables = [pq.read_table(tmp_path / f"{shard.sha256}.parquet") for shard in shards]
    ids = [trace_id for table in tables for trace_id in table["trace_id"].to_pylist()]
    assert ids == traces.trace_ids.astype(str).tolist()
    assert 10 < len(shards) < 60  # 26 in the mean
    assert [shard.num_rows for shard in shards] == [len(table) for table in tables]
    first = tables[0].to_pylist()[0]
    assert (first["num_attempts"], first["num_passed"]) == (8, 3)
    assert first["token_ids"] == list(range(first["num_tokens"]))
    assert all(table.schema == TRACE_SCHEMA for table in tables)


@pytest.mark.parametrize("number", range(0, 1500, 150))
def test_a_trace_that_goes_changes_one_shard(tmp_path, traces, number):
    before = {shard.sha256 for shard in written(tmp_path, traces)}
    after = {shard.sha256 for shard in written(tmp_path, traces.take(np.arange(1500) != number))}
    assert len(after - before) == 1
    # Two, if the trace was where one ended.
    assert 1 <= len(before - after) <= 2


@pytest.mark.parametrize("number", range(0, 1500, 150))
def test_a_trace_that_becomes_another_changes_two_shards(tmp_path, traces, number):
    """Another text is another id: it leaves one shard and joins another, which it may split."""
    other = candidates([33], seed=number + 1)
    ids, lengths = traces.trace_ids.copy(), traces.num_tokens.copy()
    ids[number], lengths[number] = other.trace_ids[0], 33
    changed = replace(traces, trace_ids=ids, num_tokens=lengths).take(np.argsort(ids))
    before = {shard.sha256 for shard in written(tmp_path, traces)}
    after = {shard.sha256 for shard in written(tmp_path, changed)}
    assert 1 <= len(after - before) <= 2
    assert len(before - after) <= 3


@given(lengths=st.lists(st.integers(1, 4000), min_size=1, max_size=60), parts=st.integers(1, 3))
def test_parts_of_one_trace_stay_together(lengths, parts):
    found = candidates(lengths)
    doubled = found.take(np.repeat(np.arange(len(found)), parts))
    for cut in cuts(doubled, 1000).tolist():
        assert 0 < cut < len(doubled)
        assert doubled.trace_ids[cut - 1] != doubled.trace_ids[cut]


def test_shards_have_about_the_size_they_should_have():
    found = realistic(20_000)
    sizes = np.diff([0, *cuts(found, 1 << 22), len(found)])
    assert found.num_tokens.sum() / len(sizes) == pytest.approx(1 << 22, rel=0.4)


def test_long_rows_are_written_a_few_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr("gradus.curricula.shards.GROUP_TOKENS", 100)
    shard = write_shard(tmp_path, TRACE_SCHEMA, (row(str(i), 40) for i in range(9)))
    assert pq.ParquetFile(tmp_path / f"{shard.sha256}.parquet").num_row_groups == 3
    assert [path.name for path in tmp_path.iterdir()] == [f"{shard.sha256}.parquet"]
