"""Skills are told by kinds, levels, tags and stories, and ranked by how surely the student fails them."""

import pytest

from gradus.engine.records import HELDOUT, Problem
from gradus.engine.sources.base import generate_problems
from gradus.engine.varying.aligned import needs
from gradus.engine.varying.config import VaryConfig
from gradus.engine.varying.plan import make_plan
from gradus.engine.varying.skills import Skills, wilson

TRAINS = [
    "A train leaves the station at {} km per hour and arrives after {} hours. How far is the journey?",
    "Two trains leave the same station, one at {} km per hour. How far apart are they after {} hours?",
    "How many hours does a train at {} km per hour need for a journey of {} km?",
]
CAKES = [
    "Mary bakes {} cakes and cuts every cake into {} slices. How many slices of cake are there?",
    "A cake needs {} eggs. How many eggs does Mary need to bake {} cakes?",
    "Mary sold {} slices of cake for {} dollars each. How many dollars did she get for the cake?",
]


def text_problems(templates, first, tag=""):
    return [
        Problem(
            prompt=template.format(first + i, 2 + i),
            domain="math",
            verifier="math",
            spec={"expected": str(first + i)},
            source="texts",
            tags=(tag,) if tag else (),
        )
        for i, template in enumerate(templates)
    ]


def test_an_instruction_s_kinds_are_its_skills():
    (problem,) = generate_problems("instructions", 1, seed=0, options={"counts": [2]}, tags=("val",))
    kinds = [one["id"] for one in problem.spec["instructions"]]
    assert Skills([problem], "val").of(problem) == [f"instruction {kind}" for kind in kinds]


def test_a_generator_s_level_is_a_skill():
    problems = generate_problems("arithmetic", 5, seed=0, tags=("val", HELDOUT))
    names = {name for problem in problems for name in Skills(problems, "val").of(problem)}
    assert names == {
        "math reasoning-gym/chain_sum level:1",
        "math reasoning-gym/products level:2",
        "math reasoning-gym/chain_sum level:3",
        "math reasoning-gym/chain_sum level:4",
        "math reasoning-gym/chain_sum level:5",
    }


def test_tags_that_say_what_a_problem_is_about_are_skills_and_no_others():
    (problem,) = text_problems(CAKES[:1], 7, "fractions")
    assert Skills([], "val").of(problem) == ["math fractions"]
    for tag in ("val", HELDOUT, "varied:rewrite", "aligned:val", "expected:majority"):
        (problem,) = text_problems(CAKES[:1], 7, tag)
        assert Skills([], "val").of(problem) == []


def test_free_text_is_told_apart_by_its_story_and_not_by_its_numbers():
    validation = text_problems([*TRAINS, *CAKES], 30, "val")
    skills = Skills(validation, "val")
    found = [skills.of(problem) for problem in validation]
    assert len({name for names in found[:3] for name in names}) == 1
    assert len({name for names in found[3:] for name in names}) == 1
    assert found[0] != found[3]
    for problem in text_problems(TRAINS, 500):
        assert skills.of(problem) == found[0]
    (other,) = text_problems(["What is the greatest prime factor of {} to the power of {}?"], 91)
    assert skills.of(other) == []


def test_the_surest_failures_come_first():
    validation = [*text_problems(TRAINS, 30, "often"), *text_problems(CAKES, 30, "always")[:1]]
    rates = {problem.id: 1.0 for problem in validation}
    ranked = Skills(validation, "val").rank(validation, rates)
    assert [(skill.name, skill.problems, skill.failure_rate) for skill in ranked] == [
        ("math often", 3, 1.0),
        ("math always", 1, 1.0),
    ]
    assert ranked[0].low > ranked[1].low


@pytest.mark.parametrize(("c", "n", "low", "high"), [(5, 10, 0.2366, 0.7634), (0, 4, 0.0, 0.4899), (4, 4, 0.5101, 1.0)])
def test_the_interval_is_wilson_s(c, n, low, high):
    assert wilson(c, n) == pytest.approx((low, high), abs=5e-5)


def test_a_skill_without_training_problems_is_drawn_anew_or_left():
    drawn = generate_problems("arithmetic", 5, seed=0, tags=("val",))
    validation = [*drawn[:1], *text_problems(CAKES, 30, "val"), *text_problems(TRAINS, 30, "val")]
    training = text_problems(TRAINS, 90)
    found = needs(validation, training, {problem.id: 1.0 for problem in validation}, "val")
    by_name = {word: n.group for n in found for word in ("reasoning-gym", "cake", "train") if word in n.skill.name}
    assert by_name["reasoning-gym"].only == ("numbers",)
    assert by_name["cake"] is None
    assert list(by_name["train"].problems) == training
    plan = make_plan([need.group for need in found if need.group], VaryConfig(num=8))
    ideas = [idea for idea, _ in zip(plan.ideas(0), range(40), strict=False)]
    exemplars = {p.id for p in validation}
    assert all(idea.way == "numbers" for idea in ideas for p in idea.parents if p.id in exemplars)


def test_what_never_fails_needs_nothing():
    validation = text_problems(CAKES, 30, "val")
    assert needs(validation, [], {problem.id: 0.0 for problem in validation}, "val") == []
