"""Our recipes load, and a recipe's sections say what each step reads."""

import pytest

from gradus.curricula.policies.base import policies
from gradus.curricula.recipe import FOLDER, load_recipe
from gradus.engine.records import DOMAINS
from gradus.engine.sources.base import generators
from gradus.engine.teachers.base import teachers
from gradus.errors import ConfigError

NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_these_recipes_are_shipped():
    assert NAMES == ["cot", "default", "demo"]


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_names_only_what_there_is(name):
    recipe = load_recipe(name)
    assert recipe.name == name
    assert recipe.teacher.kind in teachers.names()
    assert {config.generator for config in recipe.problems} <= set(generators.names())
    assert {stage.policy for stage in recipe.stages} <= set(policies.names())
    assert set(recipe.rl.quotas) <= set(DOMAINS)
    for config in (recipe.sample, recipe.evaluate, recipe.correct, recipe.traces):
        named = config.prompts if config is recipe.traces else config.domains
        assert set(named) <= {*DOMAINS, "default"}


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipe_trains_with_the_template_it_evaluates_with(name):
    """Else the score after training measures the change of template too."""
    recipe = load_recipe(name)
    for domain in DOMAINS:
        assert recipe.traces.prompt(domain) == recipe.evaluate.domain(domain).prompt


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipes_stages_grow(name):
    lengths = [stage.context_length for stage in load_recipe(name).stages]
    assert lengths == sorted(lengths)
    assert lengths[-1] <= load_recipe(name).teacher.max_context


def test_an_unknown_recipe_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"no recipe 'fast'\. Known: cot, default, demo; or give a \.toml file\."):
        load_recipe("fast")


@pytest.mark.parametrize("band", ["[0.9, 0.1]", "[0.1]", "[-0.1, 0.5]", "[0.1, 1.5]", "[0.5, 0.5]", "[0, 0.5, 1]"])
def test_a_band_that_is_no_band_is_refused(band):
    with pytest.raises(ConfigError, match="band must be two rising numbers"):
        load_recipe("default", [f"rl.band={band}"])


def test_an_override_reaches_the_deepest_field():
    recipe = load_recipe("demo", ["correct.domains.math.sampling.max_tokens=7", "sample.num_attempts=9"])
    assert recipe.correct.domain("math").sampling.max_tokens == 7
    assert recipe.sample.num_attempts == 9


def test_an_unknown_key_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"SamplingConfig has no 'temprature'\. Fields: temperature, top_p"):
        load_recipe("demo", ["sample.domains.math.sampling.temprature=1"])
