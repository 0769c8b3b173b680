import json
from pathlib import Path

import pytest

from gradus.api import steps
from gradus.config import build
from gradus.curricula.recipe import load_recipe
from gradus.engine.prompts import DomainConfig, PromptConfig
from gradus.engine.records import DOMAINS
from gradus.engine.sample import SampleConfig, plan
from gradus.engine.store import open_store
from gradus.errors import ConfigError

STYLES = {"steps": {"default": "{prompt}\nIn steps."}, "check": {"math": "{prompt}\nCheck.", "code": "{prompt}\nTest."}}


def config(**more):
    domains = {"math": DomainConfig(prompt=PromptConfig(user="Q: {prompt}"))}
    return SampleConfig(num_attempts=2, styles=STYLES, domains=domains, **more)


def test_a_style_goes_around_the_domains_own_words(problems):
    asks = plan(problems[:1], config(), set())
    assert [ask.messages[-1]["content"] for ask in asks[:2]] == [
        "Q: What is 0 + 1?\nIn steps.",
        "Q: What is 0 + 1?\nCheck.",
    ]


def test_every_style_has_a_sampler_of_its_own_that_bears_its_name():
    names = [name for domain in ("math", "code") for name in config().samplers(domain)]
    assert len(set(names)) == 4
    assert [name.partition("-")[0] for name in names] == ["steps", "check"] * 2
    assert config(until_passed=1).sampler("math", "check").endswith("-until-1")


def test_a_domain_without_a_style_is_asked_in_its_own_words():
    only = SampleConfig(styles={"check": {"math": "{prompt} Check."}})
    assert only.samplers("code") == (SampleConfig().sampler("code"),)
    assert only.planned({"math": 10, "code": 5}) == 4 * 15


def test_every_problem_is_attempted_in_every_style_as_often(problems):
    asks = plan(problems, config(), set())
    assert len(asks) == config().planned({"math": len(problems)}) == 4 * len(problems)
    done = {(ask.problem_id, ask.sampler, ask.index) for ask in asks}
    assert len(done) == len(asks)
    assert plan(problems, config(), done) == []


@pytest.mark.parametrize(
    ("styles", "message"),
    [
        ({"Steps": {"default": "{prompt}"}}, "a style's name"),
        ({"a-until-1": {"default": "{prompt}"}}, "a style's name"),
        ({"steps": {"math": "no place"}}, "must hold"),
        ({"steps": {"math": "{prompt} {prompt}"}}, "must hold"),
    ],
)
def test_a_style_that_cannot_be_told_or_filled_is_refused(styles, message):
    with pytest.raises(ConfigError, match=message):
        build(SampleConfig, {"styles": styles}, "recipe")


def test_a_student_is_evaluated_in_one_way(world):
    with pytest.raises(ConfigError, match="evaluate takes no styles"):
        load_recipe(str(world.recipe_path), ["evaluate.styles.steps.default='{prompt} In steps.'"])


def test_the_shipped_recipe_asks_in_several_styles_in_every_domain():
    recipe = load_recipe("cot")
    for domain in DOMAINS:
        assert len(recipe.sample.samplers(domain)) >= 2
    assert len(recipe.sample.samplers("math")) == 3


@pytest.mark.parametrize("until_passed", [0, 1])
def test_one_recipe_samples_several_styles(world, tmp_path, until_passed):
    lines = [json.loads(line) for line in Path(world.recipe.teacher.model).read_text().splitlines()]
    asks = [row | {"ask": f"{row['ask']} {style}"} for row in lines for style in ("One.", "Two.")]
    (tmp_path / "asks.jsonl").write_text("".join(json.dumps(ask) + "\n" for ask in asks))
    styles = [f"sample.styles.{name}.default='{{prompt}} {name.capitalize()}.'" for name in ("one", "two")]
    teacher = ["teacher.kind=replay", f"teacher.model={tmp_path / 'asks.jsonl'}", f"sample.until_passed={until_passed}"]
    recipe = load_recipe(str(world.recipe_path), styles + teacher)
    first = steps.sample(world.workspace, recipe)
    assert first["left"] == 0 or until_passed
    with open_store(world.workspace) as store:
        rows = store.rows("SELECT style_of(sampler) AS style, count(*) AS n FROM attempts GROUP BY ALL ORDER BY ALL")
    assert [row["style"] for row in rows] == ["one", "two"]
    assert rows[0]["n"] == rows[1]["n"]
    again = steps.sample(world.workspace, recipe)
    assert again["made"] == 0
    assert again["attempts"] == first["attempts"]
