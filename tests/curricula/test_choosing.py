"""A stage takes what its mixture and budget say, as near as its traces allow, and says of all others why not."""

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gradus.curricula.choosing import BEYOND, REFUSED, TAKEN, TOO_LONG, UNNAMED, choose, num_uses, tolerance
from gradus.curricula.policies.base import Plan, policies
from gradus.curricula.recipe import StageConfig
from tests.curricula.synthetic import NAMES, candidates, realistic

LENGTHS = st.lists(st.integers(1, 60), max_size=120)


def only_short(found, settings):
    """Offer what has less than 10 tokens, longest first, and train on the shortest first."""
    rows = np.flatnonzero(found.num_tokens < 10)
    lengths = found.num_tokens[rows].astype(float)
    return Plan(rows=rows, order=lengths, preference=-lengths)


def stage(**changes):
    return StageConfig(
        **{"name": "s", "context_length": 50, "token_budget": 500, "mixture": {"*": 1.0}, "policy": "uniform"} | changes
    )


def tokens(found, chosen):
    return {name: int(found.num_tokens[rows].sum()) for name, rows in chosen.rows.items()}


def made(data, lengths):
    components = data.draw(st.lists(st.integers(0, 3), min_size=len(lengths), max_size=len(lengths)))
    return candidates(lengths, components)


@settings(max_examples=300, deadline=None)
@given(data=st.data(), lengths=LENGTHS, budget=st.integers(1, 4000))
def test_the_budget_is_met_as_nearly_as_the_traces_allow(data, lengths, budget):
    found = made(data, lengths)
    chosen = choose(stage(token_budget=budget, mixture={"math/cot": 2.0, "*": 1.0}), found, 0)
    total = sum(tokens(found, chosen).values())
    left = found.num_tokens[chosen.state == BEYOND]
    own = found.num_tokens[chosen.state == TAKEN]
    assert total <= budget + tolerance(budget, int(own.min(initial=1000)))
    # Short only of less than any trace that is left.
    assert total >= min(budget - left.min(initial=1000) + 1, found.num_tokens[chosen.state >= BEYOND].sum())


@settings(max_examples=200, deadline=None)
@given(data=st.data(), lengths=LENGTHS, budget=st.integers(1, 4000))
def test_every_candidate_is_taken_once_or_has_a_reason(data, lengths, budget):
    found = made(data, lengths)
    chosen = choose(stage(token_budget=budget, mixture={"math/*": 1.0, "*/correction": 1.0}), found, 0)
    rows = np.concatenate(list(chosen.rows.values()))
    assert len(np.unique(rows)) == len(rows)
    assert np.flatnonzero(chosen.state == TAKEN).tolist() == sorted(rows.tolist())
    assert ((chosen.state == TOO_LONG) == (found.num_tokens > 50)).all()
    assert set(found.component[chosen.state == UNNAMED].tolist()) <= {0}


@pytest.mark.parametrize("seed", range(3))
def test_a_realistic_budget_is_met_within_a_thousandth_and_so_is_each_share(seed):
    found = realistic(20_000, seed=seed)
    config = stage(
        context_length=32_768,
        token_budget=30_000_000,
        mixture={"math/cot": 3.0, "*/correction": 1.0, "code/*": 1.0},
        mixture_end={"math/cot": 1.0, "*/correction": 3.0, "code/*": 1.0},
    )
    chosen = choose(config, found, seed)
    taken = tokens(found, chosen)
    assert abs(sum(taken.values()) - 30_000_000) <= 30_000
    assert taken == pytest.approx({"math/cot": 12e6, "*/correction": 12e6, "code/*": 6e6}, rel=0.001)
    assert [chosen.shares[name].wanted for name in taken] == pytest.approx(list(taken.values()), rel=0.001)


def test_what_runs_out_leaves_its_share_to_the_others():
    found = candidates([10] * 100, [0] * 5 + [1] * 50 + [2] * 45)
    mixture = {"code/cot": 2.0, "math/correction": 1.0, "math/cot": 1.0}
    taken = tokens(found, choose(stage(mixture=mixture), found, 0))
    assert taken == pytest.approx({"code/cot": 50, "math/correction": 225, "math/cot": 225}, abs=5)
    assert sum(taken.values()) == 500


def test_what_runs_out_is_used_again_where_the_recipe_says_so():
    found = candidates([10] * 45, [0] * 5 + [1] * 40)
    config = stage(mixture={"code/cot": 1.0, "math/*": 1.0}, token_budget=300, shortage="repeat", max_passes=3)
    chosen = choose(config, found, 0)
    assert tokens(found, chosen) == {"code/cot": 150, "math/*": 150}
    assert np.unique(chosen.rows["code/cot"], return_counts=True)[1].tolist() == [3] * 5
    # A pass is over before the next one begins.
    first, second, third = np.split(chosen.rows["code/cot"], 3)
    assert set(first) == set(second) == set(third)
    assert chosen.max_uses == 3
    assert np.bincount(chosen.rows["math/*"]).max() == 1


def test_an_entry_that_is_short_says_so():
    found = candidates([10] * 100, [0] * 2 + [2] * 98)
    chosen = choose(stage(mixture={"code/cot": 1.0, "math/cot": 1.0}), found, 0)
    assert chosen.shares["code/cot"].is_short
    assert not chosen.shares["math/cot"].is_short
    assert tokens(found, chosen) == {"code/cot": 20, "math/cot": 480}


def test_a_policy_says_what_is_offered_preferred_and_first(monkeypatch):
    monkeypatch.setitem(policies._items, "only-short", only_short)
    found = candidates([3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
    chosen = choose(stage(policy="only-short", token_budget=24), found, 0)
    assert found.num_tokens[chosen.rows["*"]].tolist() == [7, 8, 9]
    assert sorted(found.num_tokens[chosen.state == REFUSED].tolist()) == [10, 11, 12]
    assert sorted(found.num_tokens[chosen.state == BEYOND].tolist()) == [3, 4, 5, 6]


def test_a_weight_is_its_whole_part_and_a_chance():
    found = candidates([1] * 4000, weight=[0.0] * 1000 + [0.5] * 1000 + [2.0] * 1000 + [2.25] * 1000)
    uses = num_uses(found, 0)
    by_weight = {w: uses[found.weight == w] for w in (0.0, 0.5, 2.0, 2.25)}
    assert set(by_weight[0.0]) == {0}
    assert set(by_weight[2.0]) == {2}
    assert by_weight[0.5].mean() == pytest.approx(0.5, abs=0.06)
    assert by_weight[2.25].mean() == pytest.approx(2.25, abs=0.06)
    assert (num_uses(found, 1) != uses).any()


def test_a_weight_of_two_uses_a_trace_twice():
    found = candidates([10, 10, 10], weight=[2.0, 1.0, 1.0])
    chosen = choose(stage(), found, 0)
    assert np.bincount(chosen.rows["*"]).tolist() == found.weight.astype(int).tolist()
    assert chosen.max_uses == 2


@pytest.mark.parametrize("policy", ["uniform", "easy_to_hard", "frontier", "motif", "self_paced", "spaced"])
def test_another_trace_moves_no_other_far(policy):
    found = realistic(400, longest=900)
    config = stage(context_length=1000, token_budget=10**7, policy=policy)
    whole = choose(config, found, 0).rows["*"]
    without = choose(config, found.take(np.arange(400) != 200), 0).rows["*"]
    without = np.where(without >= 200, without + 1, without)
    others = whole[whole != 200]
    if policy in ("easy_to_hard", "motif", "self_paced"):
        # These rank traces, so that each may move by about the place that is empty now.
        moved = np.abs(np.argsort(without) - np.argsort(others))
        assert sorted(without) == sorted(others)
        assert moved.mean() < 1
    else:
        assert without.tolist() == others.tolist()


def test_a_spread_is_as_wide_for_the_few_that_are_taken(monkeypatch):
    def half_way(found, settings):
        late = np.arange(len(found)) % 2
        return Plan(rows=np.arange(len(found)), order=late * 0.5, spread=1.0 - late)

    monkeypatch.setitem(policies._items, "half-way", half_way)
    rows = choose(stage(policy="half-way", token_budget=1000), candidates([10] * 1000), 0).rows["*"]
    spread = rows % 2 == 0
    before = spread[: np.argmin(spread)].sum() / spread.sum()
    assert 0.25 < before < 0.75


def test_another_seed_or_stage_takes_others():
    found = candidates([10] * 1000)
    cases = (("s", 0), ("s", 1), ("t", 0))
    taken, *others = (set(choose(stage(name=name), found, seed).rows["*"].tolist()) for name, seed in cases)
    assert len(taken) == 50
    # By chance, 2 or 3 of 50 would be the same.
    assert all(len(taken & other) < 15 for other in others)


@pytest.mark.parametrize(
    ("mixture", "entries"),
    [
        ({"*": 1.0}, ["*"] * 4),
        ({"*/cot": 1.0}, ["*/cot", None, "*/cot", "*/cot"]),
        ({"*": 1.0, "math/*": 1.0}, ["*", "math/*", "math/*", "math/*"]),
        ({"math": 1.0, "*/cot": 1.0}, ["*/cot", "math", "math", "math"]),
        ({"*/*/bob": 0.0, "*": 1.0}, ["*", "*", "*", None]),
        ({"*/*/*/hard": 1.0, "math/cot": 1.0}, [None, "*/*/*/hard", "math/cot", "math/cot"]),
        ({"math/cot/*/hard": 1.0, "math/cot": 1.0}, [None, None, "math/cot", "math/cot/*/hard"]),
    ],
)
def test_a_trace_belongs_to_the_entry_that_fits_it_best(mixture, entries):
    found = candidates([10] * 4, range(4))
    chosen = choose(stage(mixture=mixture), found, 0)
    held = {NAMES[found.component[row]]: name for name, rows in chosen.rows.items() for row in rows}
    assert [held.get(name) for name in NAMES] == entries


@pytest.mark.slow
def test_a_million_candidates_are_chosen_among_in_seconds():
    found = realistic(1_000_000)
    config = stage(context_length=65_536, token_budget=10**9, policy="easy_to_hard", mixture={"math": 1.0, "code": 1.0})
    start = time.perf_counter()
    chosen = choose(config, found, 0)
    assert time.perf_counter() - start < 60
    assert sum(tokens(found, chosen).values()) == pytest.approx(10**9, rel=0.001)
