"""A stage's sequences hold one entry each, all that was chosen, in the order of the schedule."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula.planning import plan_stages
from gradus.curricula.recipe import StageConfig
from gradus.curricula.schedule import cumulative
from tests.curricula.synthetic import candidates, realistic

MOVING = {"mixture": {"math": 3.0, "code": 1.0}, "mixture_end": {"math": 1.0, "math/correction": 3.0, "code": 0.0}}
GOLDEN = "a3944bdb45ea7d7bba5d3524638ecd3721b52c9c6005c2beb84dd0865e0f0452"
ROOT = Path(__file__).parents[2]


def stage(name="s", **changes):
    return StageConfig(**{"name": name, "context_length": 4096, "token_budget": 10**7, "mixture": {"*": 1.0}} | changes)


def two_stages():
    return [
        stage("first", context_length=8192, token_budget=3_000_000, **MOVING, schedule="cosine", policy="frontier"),
        stage("second", context_length=32_768, token_budget=2_000_000, mixture={"math": 1.0}, policy="motif"),
    ]


def fingerprint():
    """Return the hash of all that decides what two stages of made-up traces hold, and in which order."""
    digest = hashlib.sha256()
    # Whole numbers alone: random lengths may differ between machines in their last digit.
    lengths = [200 + i * i * 37 % 30_000 for i in range(2000)]
    found = candidates(lengths, [i % 4 for i in range(2000)], passed=[i % 9 for i in range(2000)])
    for plan in plan_stages(two_stages(), found, 7)[0]:
        for column in (plan.traces.trace_ids, plan.sequences.rows, plan.sequences.offsets, plan.sequences.entry):
            digest.update(np.ascontiguousarray(column).tobytes())
    return digest.hexdigest()


@settings(max_examples=150, deadline=None)
@given(data=st.data(), lengths=st.lists(st.integers(1, 4096), min_size=1, max_size=150))
def test_every_prefix_of_a_stage_holds_to_its_schedule(data, lengths):
    component = data.draw(st.lists(st.integers(0, 3), min_size=len(lengths), max_size=len(lengths)))
    found = candidates(lengths, component)
    kind = data.draw(st.sampled_from(["linear", "cosine"]))
    (plan,), _ = plan_stages([stage(**MOVING, schedule=kind, policy="uniform")], found, 0)
    sequences = plan.sequences
    for place, name in enumerate(sequences.names):
        taken = np.concatenate([[0], np.cumsum(sequences.entry == place)])
        assert np.abs(taken - cumulative(sequences.schedule, name, len(sequences))).max() < 1
    assert sorted(sequences.rows.tolist()) == list(range(len(plan.traces)))
    assert sequences.num_tokens.max() <= 4096
    assert sequences.num_tokens.sum() == plan.num_tokens
    squares = [
        int((plan.traces.num_tokens[rows] ** 2).sum()) for rows in np.split(sequences.rows, sequences.offsets[1:-1])
    ]
    assert sequences.attention.tolist() == squares


def test_a_sequence_holds_traces_of_its_entry_alone():
    (plan,), _ = plan_stages([stage(**MOVING)], realistic(800, longest=4096), 0)
    entry = np.repeat(plan.sequences.entry, np.diff(plan.sequences.offsets))
    components = plan.traces.component[plan.sequences.rows]
    held = {
        (plan.sequences.names[e], plan.traces.names[c])
        for e, c in zip(entry.tolist(), components.tolist(), strict=True)
    }
    assert held == {
        ("code", "code/cot/ada/easy"),
        ("math", "math/cot/ada/easy"),
        ("math", "math/cot/bob/hard"),
        ("math/correction", "math/correction/ada/hard"),
    }


def test_stages_share_no_trace_and_what_is_too_long_waits():
    found = realistic(2000, longest=20_000)
    plans, left_out = plan_stages(
        [stage("short", token_budget=10**8), stage("long", context_length=16_384, token_budget=10**8)], found, 0
    )
    short, long = (set(plan.traces.trace_ids.tolist()) for plan in plans)
    assert not short & long
    assert plans[0].traces.num_tokens.max() <= 4096 < plans[1].traces.num_tokens.min()
    assert len(short) + len(long) + left_out.total() == 2000
    assert left_out == {"longer than every stage": int((found.num_tokens > 16_384).sum())}


def test_what_is_left_out_has_its_last_reason():
    found = candidates([10] * 30 + [5000] * 3, [0] * 10 + [2] * 23)
    _, left_out = plan_stages([stage(token_budget=50, mixture={"math": 1.0})], found, 0)
    assert left_out == {"in no mixture": 10, "outside every budget": 15, "longer than every stage": 3}


def test_what_a_stage_lacks_is_said():
    config = stage(token_budget=100_000, mixture={"code": 1.0, "math": 1.0})
    (plan,), _ = plan_stages([config], candidates([1000] * 40), 0)
    assert plan.lacking == (
        "code: wanted 50000 tokens, there are 40 traces of 40000 tokens",
        "no trace of math fits 4096 tokens",
        "40000 of 100000 tokens: there are no more traces",
        "the mixture differs from the recipe's by up to 50.0% of the sequences",
    )


def test_a_stage_that_has_enough_lacks_nothing():
    (plan,), _ = plan_stages([stage(token_budget=1_000_000, **MOVING)], realistic(2000, longest=4096), 0)
    assert plan.lacking == ()
    assert abs(plan.num_tokens - 1_000_000) <= 1000


def test_global_batches_are_balanced_over_ranks():
    config = stage(context_length=32_768, token_budget=20_000_000, batch_sequences=32, balance_ranks=(4, 8), **MOVING)
    (plan,), _ = plan_stages([config], realistic(20_000, longest=30_000), 0)
    assert plan.sequences.balance.keys() == {"4", "8"}
    assert max(plan.sequences.balance.values()) <= 1.05
    for place, name in enumerate(plan.sequences.names):
        taken = np.concatenate([[0], np.cumsum(plan.sequences.entry == place)])
        assert np.abs(taken - cumulative(plan.sequences.schedule, name, len(plan.sequences))).max() < 1


def test_the_same_traces_give_the_same_stages_on_any_machine():
    assert fingerprint() == GOLDEN


@pytest.mark.parametrize(("threads", "hash_seed"), [("1", "1"), ("4", "2")])
def test_neither_threads_nor_hashes_of_python_change_a_stage(threads, hash_seed):
    code = "from tests.curricula.test_sequences import fingerprint; print(fingerprint())"
    setting = {"PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **setting},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == GOLDEN
