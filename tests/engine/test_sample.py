"""Attempts are made once, kept as they come, and gone on with after any kill."""

import signal
import subprocess
import sys
import textwrap
import time

import pytest

from gradus.api import steps
from gradus.curricula.recipe import load_recipe
from gradus.engine.answers import Listed, Sink, sample
from gradus.engine.parts import list_parts
from gradus.engine.prompts import DomainConfig, PromptConfig, Shot
from gradus.engine.sample import SampleConfig, plan
from gradus.engine.spending import open_purse
from gradus.engine.store import open_snapshot, open_store
from gradus.engine.teachers.base import SamplingConfig
from gradus.errors import ConfigError, DataError

COUNTS = """
    SELECT count(*) AS attempts, count(DISTINCT id) AS ids, count(DISTINCT (problem_id, sampler, "index")) AS keys
    FROM attempts
"""


def attempts(workspace):
    with open_snapshot(workspace) as store:
        return store.rows("SELECT * FROM attempts ORDER BY id")


def test_every_problem_that_is_not_held_out_is_attempted(world):
    counts = steps.sample(world.workspace, world.recipe)
    assert {"problems": 35, "attempts": 140, "made": 140, "skipped": 0, "left": 0}.items() <= counts.items()
    assert counts["model"] == world.student
    with open_snapshot(world.workspace) as store:
        assert store.rows(COUNTS) == [{"attempts": 140, "ids": 140, "keys": 140}]
        tags = store.rows("SELECT DISTINCT tags FROM problems SEMI JOIN attempts ON problems.id = problem_id")
    assert tags == [{"tags": []}]


def test_a_second_run_makes_nothing(world):
    steps.sample(world.workspace, world.recipe)
    before = list(list_parts(world.workspace.parts))
    counts = steps.sample(world.workspace, world.recipe)
    assert {"problems": 35, "attempts": 140, "made": 0, "skipped": 140, "left": 0}.items() <= counts.items()
    assert list(list_parts(world.workspace.parts)) == before


def test_more_attempts_add_to_those_there_are(world):
    steps.sample(world.workspace, world.recipe)
    old = {row["id"] for row in attempts(world.workspace)}
    more = load_recipe(str(world.recipe_path), ["sample.num_attempts=6"])
    assert steps.sample(world.workspace, more)["made"] == 70
    assert old < {row["id"] for row in attempts(world.workspace)}


def test_another_template_is_another_sampler(problems):
    plain = SampleConfig(num_attempts=1)
    polite = SampleConfig(num_attempts=1, domains={"math": DomainConfig(prompt=PromptConfig(system="Please."))})
    done = {(ask.problem_id, ask.sampler, ask.index) for ask in plan(problems, plain, set())}
    assert plan(problems, plain, done) == []
    assert len(plan(problems, polite, done)) == len(problems)


@pytest.mark.parametrize("change", [{"temperature": 0.1}, {"max_tokens": 7}, {"stop": ("x",)}])
def test_other_sampling_settings_are_another_sampler(change):
    assert DomainConfig(sampling=SamplingConfig(**change)).sampler != DomainConfig().sampler


def test_a_prompt_holds_system_shots_and_problem_in_this_order(problems):
    shot = Shot(ask="1 + 1?", answer="2")
    messages = PromptConfig(system="Be brief.", shots=(shot,), user="Q: {prompt}").messages(problems[0].prompt)
    assert [(m["role"], m["content"]) for m in messages] == [
        ("system", "Be brief."),
        ("user", "Q: 1 + 1?"),
        ("assistant", "2"),
        ("user", "Q: What is 0 + 1?"),
    ]


@pytest.mark.parametrize(("name", "temperature"), [("math", 0.1), ("code", 0.2)])
def test_the_default_domain_serves_those_not_named(name, temperature):
    domains = {
        "math": DomainConfig(sampling=SamplingConfig(temperature=0.1)),
        "default": DomainConfig(sampling=SamplingConfig(temperature=0.2)),
    }
    assert SampleConfig(domains=domains).domain(name).sampling.temperature == temperature


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sample.num_attempts=0", "num_attempts must be at least 1, not 0"),
        ("sample.until_passed=5", "until_passed must be between 0 and num_attempts, not 5"),
        ("sample.budget.tokens=-1", "must not be negative"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(world, override, message):
    with pytest.raises(ConfigError, match=message):
        load_recipe(str(world.recipe_path), [override])


def test_every_index_has_a_seed_of_its_own(problems):
    asks = plan(problems, SampleConfig(num_attempts=3, seed=7), set())
    assert {(ask.index, ask.seed) for ask in asks} == {(0, 7), (1, 8), (2, 9)}


def test_what_was_answered_before_a_failure_is_kept(workspace, problems, recorded):
    teacher = recorded({problem.prompt: ["ok"] for problem in problems[:10]})
    asks = plan(problems[:12], SampleConfig(num_attempts=1), set())
    with pytest.raises(DataError, match="nothing recorded"):
        sample(
            Listed(asks, left=len(asks)),
            teacher,
            Sink(workspace.parts, "r"),
            purse=open_purse(workspace.root, "r", "model"),
        )
    with open_store(workspace) as store:
        assert store.rows(COUNTS)[0]["attempts"] == 10


SLOW = """
    import sys, time
    from pathlib import Path
    from gradus.api import steps
    from gradus.curricula.recipe import load_recipe
    from gradus.engine import answers
    from gradus.engine.models import model_id
    from gradus.engine.teachers.base import teachers
    from gradus.engine.teachers.replay import ReplayTeacher
    from gradus.engine.workspace import Workspace

    answers.FLUSH_S = 0.05

    @teachers.register("recorded-student")
    class Slow(ReplayTeacher):
        identify = staticmethod(lambda config: model_id(Path(config.options["student"])))

        def collect(self, timeout_s):
            time.sleep(0.05)
            return super().collect(timeout_s)

    steps.sample(Workspace(Path(sys.argv[1])), load_recipe(sys.argv[2]))
"""


def test_a_killed_run_goes_on_without_making_anything_twice(world):
    command = [sys.executable, "-c", textwrap.dedent(SLOW), str(world.workspace.root), str(world.recipe_path)]
    process = subprocess.Popen(command)
    folder = world.workspace.parts / "attempts"
    while len(list(folder.rglob("*.parquet"))) < 3:
        assert process.poll() is None, "the run ended before it could be killed"
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()

    counts = steps.sample(world.workspace, world.recipe)
    assert 0 < counts["made"] < 140
    assert counts["made"] + counts["skipped"] == counts["attempts"] == 140
    with open_snapshot(world.workspace) as store:
        assert store.rows(COUNTS) == [{"attempts": 140, "ids": 140, "keys": 140}]
    assert steps.sample(world.workspace, world.recipe)["made"] == 0


def test_equal_runs_in_two_workspaces_give_equal_attempts(new_world, tmp_path):
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        world = new_world(tmp_path / name)
        steps.sample(world.workspace, world.recipe)
        made.append(attempts(world.workspace))
    assert made[0] == made[1]
