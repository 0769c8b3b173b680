"""Every prefix holds the components in the wanted shares of tokens, and the budget is never exceeded."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gradus.curricula.mixture import interleave, weigh
from gradus.curricula.policies.base import Candidate


def candidate(component, num_tokens=1, number=0, pass_rate=None):
    trace_id = f"{component} {number}"
    return Candidate(trace_id=trace_id, component=component, num_tokens=num_tokens, pass_rate=pass_rate)


def supply(lengths_by_component):
    made = [candidate(c, n, i) for c, lengths in lengths_by_component.items() for i, n in enumerate(lengths)]
    return random.Random(0).sample(made, len(made))


def tokens(chosen):
    found = Counter()
    for one in chosen:
        found[one.component] += one.num_tokens
    return found


@pytest.mark.parametrize(
    ("component", "mixture", "weight"),
    [
        ("math/cot", {"math/cot": 2.0, "*/cot": 1.0}, 2.0),
        ("code/cot", {"math/cot": 2.0, "*/cot": 1.0}, 1.0),
        ("code/correction", {"math/cot": 2.0, "*/cot": 1.0}, 0.0),
        ("math/cot", {"*": 3.0, "math/cot": 1.0}, 3.0),
        ("MATH/cot", {"math/cot": 1.0}, 0.0),
        ("math/cot", {}, 0.0),
    ],
)
def test_the_first_pattern_that_fits_counts(component, mixture, weight):
    assert weigh(component, mixture) == weight


@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0), (0.7, 0.2, 0.1)])
def test_shares_of_every_prefix_track_the_weights(weights):
    rng = random.Random(1)
    names = ["math/cot", "code/cot", "stem/correction"]
    longest = 40
    chosen = interleave(
        supply({name: [rng.randint(5, longest) for _ in range(600)] for name in names}),
        dict(zip(names, weights, strict=True)),
        8000,
    )
    taken, total = Counter(), 0
    for one in chosen:
        taken[one.component] += one.num_tokens
        total += one.num_tokens
        for name, weight in zip(names, weights, strict=True):
            # Never further off than the traces that were just laid down.
            assert abs(taken[name] - total * weight / sum(weights)) <= len(names) * longest
    assert total > 8000 - longest


@given(
    lengths=st.lists(st.tuples(st.sampled_from(["a/cot", "b/cot", "c/cot"]), st.integers(1, 30)), max_size=60),
    budget=st.integers(0, 500),
)
def test_the_budget_is_never_exceeded_and_nothing_is_taken_twice(lengths, budget):
    made = [candidate(name, length, i) for i, (name, length) in enumerate(lengths)]
    chosen = interleave(made, {"a/*": 2.0, "b/*": 1.0}, budget)
    assert sum(one.num_tokens for one in chosen) <= budget
    assert len({id(one) for one in chosen}) == len(chosen)
    assert "c/cot" not in tokens(chosen)
    if sum(one.num_tokens for one in made) <= budget:
        assert len(chosen) == sum(one.component != "c/cot" for one in made)


def test_each_component_keeps_its_order():
    made = supply({"a/cot": [3] * 20, "b/cot": [2] * 20})
    chosen = interleave(made, {"*": 1.0}, 60)
    for name in ("a/cot", "b/cot"):
        of_name = [one for one in made if one.component == name]
        assert [one for one in chosen if one.component == name] == of_name[
            : len([c for c in chosen if c.component == name])
        ]


def test_a_component_that_has_run_out_leaves_its_share_to_the_others():
    chosen = interleave(supply({"a/cot": [1] * 5, "b/cot": [1] * 100}), {"a/cot": 9.0, "b/cot": 1.0}, 50)
    assert tokens(chosen) == {"a/cot": 5, "b/cot": 45}


@pytest.mark.parametrize("weight", [0.0, -1.0])
def test_a_component_without_weight_is_not_taken(weight):
    chosen = interleave(supply({"a/cot": [1] * 5, "b/cot": [1] * 5}), {"a/cot": weight, "b/cot": 1.0}, 50)
    assert tokens(chosen) == {"b/cot": 5}
