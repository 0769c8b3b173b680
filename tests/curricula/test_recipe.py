"""Our recipes load, and a recipe's sections say what each step reads."""

import re

import pytest

from gradus.curricula.choosing import declared
from gradus.curricula.policies.base import policies
from gradus.curricula.recipe import FOLDER, load_recipe
from gradus.engine.records import DOMAINS
from gradus.engine.sources.base import generators
from gradus.engine.teachers.base import teachers
from gradus.errors import ConfigError
from tests.curricula.synthetic import realistic

NAMES = sorted(path.stem for path in FOLDER.glob("*.toml"))


def test_these_recipes_are_shipped():
    assert set(NAMES) >= {"cot", "default", "demo", "motif-sft", "small-gpu"}


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
    with pytest.raises(
        ConfigError, match=r"no recipe 'fast'\. Known: cot, default, demo, .*small-gpu; or give a \.toml file\."
    ):
        load_recipe("fast")


def test_motif_goes_from_a_foundation_to_a_specialisation_while_its_lengths_and_mixtures_move():
    stages = load_recipe("motif-sft").stages
    assert [stage.context_length for stage in stages] == [16384, 32768, 65536]
    assert [stage.settings["focus"] for stage in stages] == ["foundation", "foundation", "specialisation"]
    for stage in stages:
        shares = declared(stage)
        assert shares.start != shares.end
        assert sum(shares.start.values()) == pytest.approx(sum(shares.end.values()))
        # A global batch has as many tokens in every stage.
        assert stage.batch_sequences * stage.context_length == 1 << 22
    assert declared(stages[-1]).end["*/correction"] == max(declared(stages[-1]).end.values())
    assert "*/cot/*/hard" not in declared(stages[0]).start


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_recipes_stages_are_planned_by_their_policies(name):
    for stage in load_recipe(name).stages:
        found = realistic(300, longest=stage.context_length)
        assert len(policies[stage.policy](found, stage.settings).rows) == 300


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("mixture={'*' = -1}", "must be at least 0, not -1"),
        ("mixture={'*' = nan}", "weights of a mixture"),
        ("mixture={'*' = 0}", "needs a weight above 0"),
        ("mixture={}", "needs a weight above 0"),
        ("mixture_end={'*' = 0}", "needs a weight above 0"),
        ("mixture={'math/*/*/hardest' = 1}", "no band 'hardest'; there are hard, medium, easy, unmeasured"),
        ("context_length=0", "must be at least 1"),
        ("token_budget=0", "must be at least 1"),
        ("max_passes=2", 'shortage = "repeat" goes with max_passes'),
        ("shortage='repeat'", 'shortage = "repeat" goes with max_passes'),
        ("shortage='beg'", "one of 'rebalance', 'repeat', 'refuse'"),
        ("schedule='step'", "one of 'linear', 'cosine'"),
        ("balance_ranks=[8]", "batch_sequences and balance_ranks go together"),
        ("batch_sequences=8", "batch_sequences and balance_ranks go together"),
        ("window=0", "must be at least 1"),
        ("weights=1", "has no 'weights'"),
    ],
)
def test_a_stage_that_makes_no_sense_is_refused(tmp_path, change, said):
    recipe = tmp_path / "r.toml"
    key = change.partition("=")[0]
    given = {"name": "'s'", "context_length": "64", "token_budget": "64", "mixture": "{'*' = 1}"}
    rest = "".join(f"{name} = {value}\n" for name, value in given.items() if name != key)
    recipe.write_text(f"name = 'r'\n[[stages]]\n{rest}{change}\n")
    with pytest.raises(ConfigError, match=re.escape(said)):
        load_recipe(str(recipe))


def test_two_stages_of_one_name_are_refused(tmp_path):
    recipe = tmp_path / "r.toml"
    stage = "[[stages]]\nname = 's'\ncontext_length = 64\ntoken_budget = 64\nmixture = {'*' = 1}\n"
    recipe.write_text(f"name = 'r'\n{stage}{stage}")
    with pytest.raises(ConfigError, match="stages need different names, not s, s"):
        load_recipe(str(recipe))


@pytest.mark.parametrize("bands", ["{a = [0.5, 0.2]}", "{a = [0, 2]}", "{a = [0.1]}", "{'a/b' = [0, 1]}"])
def test_a_difficulty_band_that_is_none_is_refused(bands):
    with pytest.raises(ConfigError, match="must be two rising numbers"):
        load_recipe("default", [f"bands={bands}"])


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
