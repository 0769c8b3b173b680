"""A problem is asked until enough attempts passed, whatever order answers come in, and not once more."""

import json
import random
from dataclasses import replace

import pytest

from gradus.api import steps
from gradus.api.cli import main
from gradus.curricula.recipe import load_recipe
from gradus.engine.store import open_snapshot
from gradus.engine.teachers.base import Refusal, teachers
from gradus.engine.teachers.replay import ReplayTeacher
from gradus.errors import ConfigError

CAP = 12
NUM = 35
"""The world's problems that are not held out; problem i asks for i + (i + 1)."""


def passes(i):
    """Return which of a problem's attempts are right; some problems are never answered right."""
    rng = random.Random(i)
    rate = rng.choice([0.0, 0.1, 0.3, 0.6, 0.9])
    return [rng.random() < rate for _ in range(CAP)]


def shortest(i, wanted):
    """Return how many attempts hold the passes that are wanted."""
    found = 0
    for number, passed in enumerate(passes(i), 1):
        found += passed
        if found == wanted:
            return number
    return CAP


class Shuffled(ReplayTeacher):
    """Answers in any order, some late; cuts off, refuses or fails what `options` says, as prompt/seed."""

    costly = True

    def __init__(self, config):
        super().__init__(config)
        self._rng = random.Random(config.options.get("order", 0))
        self._odd = {name: set(config.options.get(name, ())) for name in ("cut", "refuse", "fail")}
        self._late = []

    @property
    def room(self):
        return 7 - len(self._asked) - len(self._late)

    def collect(self, timeout_s):  # noqa: ARG002
        while self._asked:
            _, request = self._asked[0]
            self._late.append((f"{request.messages[-1]['content']}/{request.seed}", super().collect(0)[0]))
        self._rng.shuffle(self._late)
        now, self._late = self._late[:3], self._late[3:]
        return [(name, self._spoilt(key, answer)) for key, (name, answer) in now]

    def _spoilt(self, key, answer):
        if key in self._odd["refuse"]:
            return Refusal("too long", final=True)
        if key in self._odd["fail"]:
            return Refusal("HTTP 500", final=False)
        return replace(answer, finish_reason="length") if key in self._odd["cut"] else answer


@pytest.fixture
def recipe(world, tmp_path, monkeypatch):
    """Return a function that makes a recipe whose teacher is right as `passes` says, with overrides."""
    monkeypatch.setitem(teachers._items, "shuffled", Shuffled)
    path = tmp_path / "answers.jsonl"
    rows = [
        {
            "ask": f"What is {i} + {i + 1}?",
            "answers": [f"The answer is {2 * i + 1 if ok else 0.5}." for ok in passes(i)],
        }
        for i in range(NUM)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    usual = ["teacher.kind=shuffled", f"teacher.model={path}", f"sample.num_attempts={CAP}"]
    return lambda *overrides: load_recipe(str(world.recipe_path), [*usual, *overrides])


def rows(world, query):
    with open_snapshot(world.workspace) as store:
        return store.rows(query)


def made(world):
    """Return the indices made of each problem, by its number."""
    query = (
        'SELECT prompt, list("index" ORDER BY "index") AS found FROM attempts JOIN problems ON problems.id = problem_id'
    )
    return {int(row["prompt"].split()[2]): row["found"] for row in rows(world, f"{query} GROUP BY prompt")}


@pytest.mark.parametrize(("wanted", "order", "workers"), [(1, 0, 1), (2, 1, 1), (3, 2, 1), (2, 3, 2)])
def test_the_shortest_run_that_holds_the_passes_is_made(world, recipe, wanted, order, workers):
    chosen = recipe(f"sample.until_passed={wanted}", f"teacher.options.order={order}")
    counts = steps.sample(world.workspace, chosen, workers=workers)
    assert made(world) == {i: list(range(shortest(i, wanted))) for i in range(NUM)}
    total = sum(shortest(i, wanted) for i in range(NUM))
    assert {"attempts": total, "made": total, "skipped": 0, "left": 0, "stopped": ""}.items() <= counts.items()
    assert rows(world, "SELECT count(*) AS n FROM attempts ANTI JOIN verdicts ON id = attempt_id") == [{"n": 0}]


def test_a_second_run_makes_nothing(world, recipe):
    steps.sample(world.workspace, recipe("sample.until_passed=1"))
    counts = steps.sample(world.workspace, recipe("sample.until_passed=1"))
    assert (counts["made"], counts["skipped"], counts["left"]) == (0, counts["attempts"], 0)


def test_a_larger_cap_goes_on(world, recipe):
    steps.sample(world.workspace, recipe("sample.until_passed=2", "sample.num_attempts=3"))
    steps.sample(world.workspace, recipe("sample.until_passed=2"))
    assert made(world) == {i: list(range(shortest(i, 2))) for i in range(NUM)}


def test_attempts_whose_verdicts_were_lost_are_judged_and_not_made_again(world, recipe):
    steps.sample(world.workspace, recipe("sample.until_passed=2", "sample.num_attempts=5"))
    for path in (world.workspace.parts / "verdicts").rglob("*.parquet"):
        path.unlink()
    world.workspace.database.unlink()
    counts = steps.sample(world.workspace, recipe("sample.until_passed=2"))
    assert made(world) == {i: list(range(shortest(i, 2))) for i in range(NUM)}
    assert counts["made"] + counts["skipped"] == counts["attempts"] == sum(shortest(i, 2) for i in range(NUM))


def test_what_was_cut_off_does_not_count(world, recipe):
    easy = next(i for i in range(NUM) if all(passes(i)[:3]))
    chosen = recipe("sample.until_passed=1", f"teacher.options.cut=['What is {easy} + {easy + 1}?/0']")
    steps.sample(world.workspace, chosen)
    assert made(world)[easy] == [0, 1]


def test_a_fixed_number_is_another_sampler(world, recipe):
    until = steps.sample(world.workspace, recipe("sample.until_passed=1"))
    fixed = steps.sample(world.workspace, recipe())
    assert (fixed["made"], fixed["skipped"]) == (NUM * CAP, 0)
    assert fixed["spent"]["cached"] == until["made"]  # asked once, in whichever way
    samplers = {row["sampler"] for row in rows(world, "SELECT DISTINCT sampler FROM attempts")}
    (plain,) = (sampler for sampler in samplers if "until" not in sampler)
    assert samplers == {plain, f"{plain}-until-1"}


@pytest.mark.parametrize(("until", "budget"), [(0, 10), (2, 1), (2, 25)])
def test_a_budget_of_passes_is_met_exactly_and_can_be_raised(world, recipe, budget, until):
    passed = "SELECT count(*) FILTER (outcome = 'pass') AS n FROM judged"
    chosen = [f"sample.until_passed={until}", f"sample.budget.passed={budget}"]
    counts = steps.sample(world.workspace, recipe(*chosen))
    assert rows(world, passed) == [{"n": budget}]
    assert counts["stopped"] == f"{budget} passed attempts"
    assert counts["left"] > 0
    again = steps.sample(world.workspace, recipe(*chosen))
    assert again["made"] == 0
    steps.sample(world.workspace, recipe(chosen[0], f"sample.budget.passed={budget + 3}"))
    assert rows(world, passed) == [{"n": budget + 3}]


def test_what_a_teacher_refuses_is_a_drop_and_not_asked_again(world, recipe):
    chosen = recipe("sample.num_attempts=2", "teacher.options.refuse=['What is 3 + 4?/0', 'What is 5 + 6?/1']")
    counts = steps.sample(world.workspace, chosen)
    assert (counts["attempts"], counts["made"], counts["refused"], counts["left"]) == (2 * NUM, 2 * NUM - 2, 2, 0)
    drops = rows(world, "SELECT step, reason FROM drops ORDER BY reason")
    assert [drop["step"] for drop in drops] == ["sample", "sample"]
    assert sorted(drop["reason"].split(", ")[1] for drop in drops) == ["attempt 0: too long", "attempt 1: too long"]
    again = steps.sample(world.workspace, chosen)
    assert (again["made"], again["skipped"], again["refused"]) == (0, 2 * NUM, 0)


def test_a_refused_attempt_is_used_up_and_the_next_is_asked(world, recipe):
    easy = next(i for i in range(NUM) if all(passes(i)[:3]))
    chosen = recipe("sample.until_passed=1", f"teacher.options.refuse=['What is {easy} + {easy + 1}?/0']")
    steps.sample(world.workspace, chosen)
    assert made(world)[easy] == [1]
    assert steps.sample(world.workspace, chosen)["made"] == 0


@pytest.mark.parametrize("until", [0, 1])
def test_what_failed_is_asked_again_by_the_next_run(world, recipe, until):
    easy = next(i for i in range(NUM) if all(passes(i)[:3]))
    usual = [f"sample.until_passed={until}"]
    counts = steps.sample(world.workspace, recipe(*usual, f"teacher.options.fail=['What is {easy} + {easy + 1}?/0']"))
    assert (counts["failed"], counts["failure"], counts["left"]) == (1, "HTTP 500", 1)
    again = steps.sample(world.workspace, recipe(*usual))
    assert (again["made"], again["left"]) == (1, 0)


def test_the_command_says_what_was_spent_and_that_it_can_go_on(world, recipe, capsys, tmp_path):
    recipe()  # the recording
    overrides = ["teacher.kind=shuffled", f"teacher.model={tmp_path / 'answers.jsonl'}", "sample.budget.passed=4"]
    assert main(["sample", "--recipe", str(world.recipe_path), "--workers", "1", *overrides, *world.step()]) == 0
    out = capsys.readouterr().out
    assert "stopped at the budget of 4 passed attempts; with a larger one the same command goes on" in out
    assert "answers paid for" in out


@pytest.mark.parametrize("override", ["evaluate.until_passed=1", "evaluate.budget.tokens=5"])
def test_evaluation_asks_every_problem_equally_often(world, override):
    with pytest.raises(ConfigError, match="evaluate takes neither"):
        steps.evaluate(world.workspace, load_recipe(str(world.recipe_path), [override]), world.student, workers=1)
