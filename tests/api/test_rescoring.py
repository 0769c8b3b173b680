"""Rescoring asks the student about problems whose place in the band is unsure, and about no others."""

import json

import pytest

from gradus.api import rescoring, steps
from gradus.api.cli import main
from gradus.curricula.recipe import load_recipe
from gradus.engine.records import HELDOUT, Problem
from gradus.engine.store import open_snapshot, open_store
from gradus.errors import ConfigError


def problem(i, domain="math", tags=()):
    return Problem(
        prompt=f"{domain} {i}", domain=domain, verifier="math", spec={"expected": "1"}, source="t", tags=tags
    )


def unsure(workspace, tmp_path, **rl):
    settings = {"name": "t", "earlier": "before", "rl": {"band": [0.2, 0.8], "quotas": {"math": 1}} | rl}
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(settings))
    with open_store(workspace) as store:
        return [one.id for one in rescoring.unsure(store, load_recipe(str(path)), "pupil")]


def test_the_unsure_and_those_that_only_an_earlier_checkpoint_tried_are_chosen(workspace, tmp_path, tried):
    problems = [problem(i) for i in range(6)]
    tried(problems, [(0, 64), (32, 64), (64, 64), (1, 4), (0, 0), (0, 0)])
    tried(problems, [(1, 4), (0, 0), (0, 0), (0, 0), (1, 4), (0, 0)], model="before")
    others = [problem(9, tags=(HELDOUT,)), problem(9, "code")]
    tried(others, [(1, 4)] * 2)
    assert sorted(unsure(workspace, tmp_path)) == sorted(problems[i].id for i in (3, 4))


def test_another_band_makes_others_unsure(workspace, tmp_path, tried):
    problems = [problem(i) for i in range(2)]
    tried(problems, [(8, 64), (32, 64)])
    tried(problems[:1], [(1, 4)], model="before")
    assert unsure(workspace, tmp_path, band=[0.13, 0.9]) == [problems[0].id]
    assert unsure(workspace, tmp_path, band=[0.5, 0.9]) == [problems[1].id]


@pytest.fixture
def sampled(world):
    """Return a world in which the student has made its four attempts."""
    steps.sample(world.workspace, world.recipe)
    steps.judge(world.workspace, workers=1)
    return world


def rescore(world, num, *more):
    argv = ["sample", "--recipe", str(world.recipe_path), "--rescore", str(num), "--workers", "1", "--json", *more]
    return main(world.step(*argv))


def test_each_gets_as_many_attempts_as_are_wanted_and_once_is_enough(sampled, capsys):
    assert rescore(sampled, 12, "rl.band=[0.3, 0.9]") == 0
    first = json.loads(capsys.readouterr().out)
    # 0 of 4 is surely below; the 28 others are unsure.
    assert (first["problems"], first["skipped"], first["made"]) == (28, 28 * 4, 28 * 8)
    assert rescore(sampled, 12, "rl.band=[0.3, 0.9]") == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["problems"], again["made"], again["skipped"]) == (28, 0, 28 * 12)
    steps.judge(sampled.workspace, workers=1)
    with open_snapshot(sampled.workspace) as store:
        nums = store.rows("SELECT num_attempts AS n, count(*) AS k FROM difficulty GROUP BY ALL ORDER BY ALL")
    assert [(row["n"], row["k"]) for row in nums] == [(4, 7), (12, 28)]


def test_only_the_student_can_be_measured(sampled, capsys):
    status = rescore(sampled, 8, *sampled.teacher)
    assert status == 2
    assert "give the student's folder as teacher.model" in capsys.readouterr().err
    with pytest.raises(ConfigError, match="at least 1"):
        rescoring.rescore(sampled.workspace, sampled.recipe, 0, workers=1)
    assert rescore(sampled, 8, "--executor", "local") == 2
