"""Every attempt is judged once by each version of its problem's verifier."""

from dataclasses import replace

import pytest

from gradus.api import steps
from gradus.engine import judge as judging
from gradus.engine.store import open_snapshot, open_store
from gradus.verifiers import base
from gradus.verifiers.base import failed, passed, verifier

# Of the 35 problems' 140 answers, i % 5 of problem i are right; four problems end with no number.
NUM_RIGHT, NUM_UNPARSEABLE = sum(i % 5 for i in range(35)), 4


@pytest.fixture
def sampled(world):
    steps.sample(world.workspace, world.recipe)
    return world


def outcomes(world):
    with open_snapshot(world.workspace) as store:
        rows = store.rows("SELECT outcome, count(*) AS n FROM judged GROUP BY 1")
    return {row["outcome"]: row["n"] for row in rows}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_attempt_is_judged_and_a_second_run_judges_nothing(sampled, workers):
    expected = {"pass": NUM_RIGHT, "unparseable": NUM_UNPARSEABLE, "fail": 140 - NUM_RIGHT - NUM_UNPARSEABLE}
    found = steps.judge(sampled.workspace, workers=workers)
    assert found == {"attempts": 140, "judged": 140, "skipped": 0, "outcomes": expected}
    assert outcomes(sampled) == expected
    assert steps.judge(sampled.workspace, workers=workers) == found | {"judged": 0, "skipped": 140, "outcomes": {}}


def test_an_interrupted_run_goes_on(sampled):
    judged = []

    def interrupt(number):
        judged.append(number)
        if len(judged) == 51:
            raise KeyboardInterrupt

    with open_store(sampled.workspace) as store:
        rows = list(judging.unjudged(store))
    with pytest.raises(KeyboardInterrupt):
        judging.judge(rows, sampled.workspace.parts, run="judge", workers=1, advance=interrupt)
    counts = steps.judge(sampled.workspace, workers=1)
    assert (counts["judged"], counts["skipped"]) == (140 - 51, 51)


@pytest.fixture
def shouts(monkeypatch):
    """Return a function that registers a version of a test verifier for the time of one test."""
    monkeypatch.setitem(base._verifiers, "shouts", None)  # gone again afterwards

    def register(version, word):
        @verifier("shouts", version=version)
        def shouts(answer, *, loud):
            """Pass when the answer holds the word."""
            return passed("loud") if (word in answer) == loud else failed("quiet")

    return register


@pytest.fixture
def shouting(world, shouts, problems):
    """Return a world with two problems for the test verifier, sampled."""
    shouts("1", "answer")
    asked = [replace(p, verifier="shouts", spec={"loud": True}) for p in problems[1:3]]
    steps.add_problems(world.workspace, asked, "shouts")
    steps.sample(world.workspace, world.recipe)
    return world


def test_a_new_version_of_a_verifier_judges_again(shouting, shouts):
    assert steps.judge(shouting.workspace, workers=1)["judged"] == 148
    before = outcomes(shouting)
    shouts("2", "nothing says this")
    assert steps.judge(shouting.workspace, workers=1)["judged"] == 8
    assert outcomes(shouting)["pass"] == before["pass"] - 8
    assert steps.judge(shouting.workspace, workers=1)["judged"] == 0
    with open_snapshot(shouting.workspace) as store:
        versions = store.rows(
            "SELECT version, count(*) AS n FROM verdicts WHERE verifier = 'shouts' GROUP BY 1 ORDER BY 1"
        )
    assert versions == [{"version": "1", "n": 8}, {"version": "2", "n": 8}]


def test_a_new_version_of_a_part_judges_a_composite_again(world, shouts, problems):
    shouts("1", "answer")
    parts = [{"verifier": "shouts", "spec": {"loud": True}}, {"verifier": "math", "spec": problems[1].spec}]
    steps.add_problems(world.workspace, [replace(problems[1], verifier="any_of", spec={"parts": parts})], "shouts")
    steps.sample(world.workspace, world.recipe)
    assert steps.judge(world.workspace, workers=1)["judged"] == 144
    shouts("2", "nothing says this")
    assert steps.judge(world.workspace, workers=1)["judged"] == 4
    assert steps.judge(world.workspace, workers=1)["judged"] == 0


def test_a_verifier_that_raises_is_not_the_models_fault(shouting, shouts, monkeypatch):
    def broken(answer, *, loud):
        raise RuntimeError("out of voice")

    verifier("shouts", version="2")(broken)
    steps.judge(shouting.workspace, workers=1)
    with open_snapshot(shouting.workspace) as store:
        rows = store.rows("SELECT DISTINCT outcome, reason FROM verdicts WHERE verifier = 'shouts'")
        difficulty = store.rows("SELECT count(*) AS n FROM difficulty")
    assert rows == [{"outcome": "verifier_error", "reason": "RuntimeError: out of voice"}]
    assert difficulty == [{"n": 35}]


def test_a_verifier_that_is_gone_is_one_clear_error(shouting, capsys):
    from gradus.api.cli import main

    del base._verifiers["shouts"]
    assert main(shouting.step("judge", "--workers", "1")) != 0
    assert "no verifier 'shouts'" in capsys.readouterr().err
