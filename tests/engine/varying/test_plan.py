"""What is tried comes in a fixed order, in the shares that are wanted."""

from collections import Counter
from itertools import islice

import pytest

from gradus.engine.records import Problem
from gradus.engine.varying.config import VaryConfig
from gradus.engine.varying.plan import Group, make_plan
from gradus.errors import ConfigError


def problems(num, source="s", domain="math"):
    return [
        Problem(
            prompt=f"Ann has {20 + i} {source} apples.",
            domain=domain,
            verifier="math",
            spec={"expected": "1"},
            source="s",
        )
        for i in range(num)
    ]


def first(plan, num, seed=0):
    return list(islice(plan.ideas(seed), num))


def test_ways_and_problems_take_turns():
    plan = make_plan([Group("", 1.0, problems(5))], VaryConfig())
    ideas = first(plan, 30)
    assert Counter(idea.way for idea in ideas) == {"numbers": 10, "rewrite": 10, "compose": 10}
    for way in ("numbers", "rewrite", "compose"):
        assert set(Counter(idea.parents[0].id for idea in ideas if idea.way == way).values()) == {2}
    assert len({idea.id for idea in ideas}) == 30


def test_more_ideas_begin_with_the_same_and_another_seed_has_others():
    plan = make_plan([Group("", 1.0, problems(7))], VaryConfig())
    assert [i.id for i in first(plan, 50)][:20] == [i.id for i in first(plan, 20)]
    assert [i.id for i in first(plan, 20)] != [i.id for i in first(plan, 20, seed=1)]


def test_groups_get_their_shares():
    groups = [Group("weak", 0.6, problems(4)), Group("weaker", 0.2, problems(3, "red"))]
    plan = make_plan(groups, VaryConfig())
    assert Counter(idea.group for idea in first(plan, 40)) == {"weak": 30, "weaker": 10}


def test_composition_takes_two_different_problems_of_one_domain():
    mixed = [*problems(3), *problems(1, "green", domain="stem")]
    plan = make_plan([Group("", 1.0, mixed)], VaryConfig(ways=("compose",)))
    for idea in first(plan, 30):
        one, other = idea.parents
        assert one.id != other.id
        assert one.domain == other.domain == "math"
    assert plan.refused["compose"] == {"no second problem of the domain": 1}


def test_one_problem_alone_cannot_be_composed():
    with pytest.raises(ConfigError, match="compose: 1 no second problem of the domain"):
        make_plan([Group("", 1.0, problems(1))], VaryConfig(ways=("compose",)))


def test_nothing_to_vary_is_an_error():
    with pytest.raises(ConfigError, match="there is none"):
        make_plan([Group("", 1.0, [])], VaryConfig())


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"agree": 3}, "more than half of the 6"),
        ({"agree": 7}, "more than half of the 6"),
        ({"num": 0}, "at least 1"),
        ({"tries": 0}, "at least 1"),
        ({"styles": {"math": ("only",)}}, "at least two"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, why):
    with pytest.raises(ValueError, match=why):
        VaryConfig(**settings)
