"""What a recipe says of a stage's training comes into the manifest, or is refused before anything is made."""

from dataclasses import replace

import pytest

from gradus.api import steps
from gradus.curricula.manifest import read
from gradus.errors import ConfigError


def recipe(world, training):
    first, *others = world.recipe.stages
    return replace(world.recipe, stages=(replace(first, training=training), *others))


def test_training_is_part_of_the_manifest_and_of_its_id(spoilable):
    said = {"optim": {"lr": 1e-4}, "parallel": {"context": 2}}
    made = [read(steps.build(spoilable.workspace, recipe(spoilable, training))) for training in ({}, said)]
    assert [manifest.stages[0].training for manifest in made] == [{}, said]
    assert made[0].id != made[1].id
    assert made[0].stages[0].shards == made[1].stages[0].shards


def test_training_that_makes_no_sense_is_refused_before_anything_is_made(spoilable):
    before = sorted(spoilable.workspace.root.rglob("*"))
    with pytest.raises(ConfigError, match="stage 'foundation': training: StageSettings has no 'learning_rate'"):
        steps.build(spoilable.workspace, recipe(spoilable, {"learning_rate": 1e-4}))
    assert sorted(spoilable.workspace.root.rglob("*")) == before
