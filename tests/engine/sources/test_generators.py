"""Generators give the asked number of different problems, the same for a seed, that their verifiers can judge."""

import random

import pytest

from gradus.api.steps import generated
from gradus.curricula.recipe import GenerateConfig
from gradus.engine.records import DOMAINS, HELDOUT
from gradus.engine.sources.base import generate_problems, generators
from gradus.engine.sources.functions import LEVELS
from gradus.engine.sources.instructions import level
from gradus.errors import ConfigError, DataError
from gradus.verifiers.base import check_spec, verify
from gradus.verifiers.instructions.demands import contradiction

NAMES = ["arithmetic", "constraints", "functions", "instructions", "stem", "tools"]


def test_every_generator_is_tested_here():
    assert generators.names() == NAMES


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("num", [1, 3, 28])
def test_as_many_different_problems_as_asked_for(name, num):
    problems = generate_problems(name, num, seed=0)
    assert len(problems) == num
    assert len({problem.id for problem in problems}) == len({problem.prompt for problem in problems}) == num


@pytest.mark.parametrize("name", NAMES)
def test_a_seed_gives_the_same_problems_again(name):
    assert generate_problems(name, 20, seed=3) == generate_problems(name, 20, seed=3)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "functions"])
def test_another_seed_gives_other_problems(name):
    first, second = ({p.id for p in generate_problems(name, 20, seed=seed)} for seed in (0, 1))
    assert first != second


@pytest.mark.parametrize("name", NAMES)
def test_problems_are_spread_evenly_over_the_levels(name):
    num_levels = len(generators[name]())
    problems = generate_problems(name, 5 * num_levels, seed=1, tags=("t",))
    tags = [problem.tags[-2:] for problem in problems]
    assert tags == [(f"level:{level + 1}", "t") for level in range(num_levels) for _ in range(5)]


@pytest.mark.parametrize("name", NAMES)
def test_every_spec_can_be_used(name):
    for problem in generate_problems(name, 28, seed=2):
        check_spec(problem.verifier, problem.spec)
        assert problem.domain in DOMAINS


def test_an_arithmetic_answer_passes_and_its_neighbour_fails():
    for problem in generate_problems("arithmetic", 60, seed=4):
        right = int(problem.spec["expected"])
        assert eval(problem.prompt.removeprefix("What is ").removesuffix("?")) == right
        assert verify("math", f"The answer is {right}", problem.spec).outcome == "pass"
        assert verify("math", f"The answer is {right + 1}", problem.spec).outcome == "fail"


def test_a_functions_own_solution_passes_its_tests():
    solutions = {signature: solve for tasks in LEVELS for signature, _, solve, _ in tasks}
    for problem in generate_problems("functions", 28, seed=0):
        signature = next(s for s in solutions if f"function {s} that" in problem.prompt)
        tests = problem.spec["tests"]
        assert len(set(tests)) == len(tests) == 4
        for test in tests:
            exec(test, {signature.partition("(")[0]: solutions[signature]})


def test_no_functions_tests_are_passed_by_one_constant():
    for problem in generate_problems("functions", 28, seed=0):
        assert len({test.partition(" == ")[2] for test in problem.spec["tests"]}) > 1, problem.prompt


def test_constraints_do_not_contradict_each_other():
    for problem in generate_problems("constraints", 100, seed=5):
        names = [one["id"] for one in problem.spec["instructions"]]
        assert len(set(names)) == len(names)
        assert not {"change_case:english_lowercase", "change_case:english_capital"} <= set(names)
        assert not {"keywords:existence", "keywords:forbidden_words"} <= set(names)
        assert all(problem.prompt.count(".") == len(names) + 1 for _ in names)


def test_level_n_gives_n_instructions_that_do_not_contradict_each_other():
    for problem in generate_problems("instructions", 100, seed=6):
        given = [(one["id"], one["kwargs"]) for one in problem.spec["instructions"]]
        assert f"level:{len(given)}" in problem.tags
        assert not contradiction(given)


def test_a_level_can_be_made_of_chosen_kinds():
    kinds = ["punctuation:no_comma", "keywords:existence", "detectable_format:title"]
    problem = level(2, include=kinds, exclude=kinds[:1])(random.Random(0))
    assert {one["id"] for one in problem.spec["instructions"]} == set(kinds[1:])
    assert problem.prompt.count("Include the words") == 1


def test_asking_for_more_than_there_are_is_refused():
    with pytest.raises(DataError, match=r"functions, level 1: fewer than 25 different problems; ask for less"):
        generate_problems("functions", 100, seed=0)


def test_an_unknown_generator_lists_the_known_ones():
    with pytest.raises(ConfigError, match=rf"no generator 'poems'\. Known: {', '.join(NAMES)}\."):
        generate_problems("poems", 1, seed=0)


@pytest.mark.parametrize(("num", "num_heldout"), [(20, 0), (20, 8), (5, 5), (1, 3)])
def test_held_out_problems_come_on_top_and_from_every_level(num, num_heldout):
    problems = generated(GenerateConfig(generator="functions", num=num, num_heldout=num_heldout))
    heldout = [problem for problem in problems if HELDOUT in problem.tags]
    assert (len(problems), len(heldout)) == (num + num_heldout, num_heldout)
    if num_heldout >= 8:
        assert {problem.tags[0] for problem in heldout} == {f"level:{level}" for level in (1, 2, 3, 4)}


def test_instructions_come_in_the_number_and_of_the_kinds_asked_for():
    kinds = ["punctuation:no_comma", "keywords:existence", "length_constraints:number_words"]
    problems = generate_problems("instructions", 6, seed=1, options={"counts": [2], "include": kinds})
    drawn = [[one["id"] for one in problem.spec["instructions"]] for problem in problems]
    assert all(len(ids) == 2 and set(ids) <= set(kinds) for ids in drawn)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("arithmetic", {"counts": [1]}, "no option 'counts'"),
        ("instructions", {"counts": [0]}, "above 0"),
        ("instructions", {"include": ["no:kind"]}, "cannot draw no:kind"),
        ("instructions", {"counts": [4], "include": ["punctuation:no_comma"]}, "no 4 fit"),
    ],
)
def test_options_a_generator_cannot_use_are_refused(name, options, said):
    with pytest.raises(ConfigError, match=said):
        generate_problems(name, 4, seed=0, options=options)
