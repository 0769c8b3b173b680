"""Each stage is trained with its own settings, and goes on exactly where the one before has ended."""

import json
from dataclasses import replace

import pytest
import tiny

from gradus.config import load
from gradus.curricula.manifest import read
from gradus.errors import ConfigError
from gradus.trainer import platform as platforms
from gradus.trainer import sft
from gradus.trainer.config import SFTConfig
from gradus.trainer.data import CurriculumData
from gradus.trainer.learner import Learner
from gradus.trainer.stages import check_training, plan_stages

SETTINGS = ["steps=4", "sequences_per_step=2", "optim.lr=1e-2", "optim.warmup_steps=2", "optim.min_lr_factor=0"]


@pytest.fixture(scope="module")
def stages(tmp_path_factory, model):
    """Give what makes the manifest of two stages, the second with a `training` of its own."""
    workspace = tmp_path_factory.mktemp("workspace")
    one, two = tiny.make_stage(workspace, "one"), tiny.make_stage(workspace, "two", context_length=128, seed=1)

    def made(**training):
        return tiny.make_manifest(workspace, model, stages=[one, replace(two, training=training)])

    return made


@pytest.fixture
def train(model, tmp_path):
    """Train in a run of this name; return the run's folder."""

    def trained(manifest, *overrides, run="run"):
        where = ["--manifest", str(manifest), "--model", str(model), "--run", str(tmp_path / run)]
        assert sft.main([*where, *SETTINGS, *overrides]) == 0
        return tmp_path / run

    return trained


def column(run, name):
    return [json.loads(line)[name] for line in (run / "metrics.jsonl").read_text().splitlines()]


def plans(manifest, *overrides):
    return plan_stages(read(manifest), load(SFTConfig, None, overrides))


def test_the_more_specific_word_counts(stages):
    manifest = stages(optim={"lr": 1e-3}, sequences_per_step=3)
    one, two = plans(manifest, "optim.lr=5e-4", "optim.eps=1e-6", "sequences_per_step=4")
    assert (one.settings.optim.lr, two.settings.optim.lr) == (5e-4, 1e-3)
    assert one.settings.optim.eps == two.settings.optim.eps == 1e-6
    assert (one.num_steps, two.first_step, two.num_steps, two.last_step) == (3, 3, 4, 7)
    one, two = plans(manifest, "stages.two.optim.lr=1e-4", "stages.one.steps=2")
    assert (one.settings.optim.lr, two.settings.optim.lr) == (2e-5, 1e-4)
    assert (one.num_steps, two.settings.sequences_per_step) == (2, 3)


def test_passes_take_every_sequence_so_often(stages):
    one, two = plans(stages(passes=3), "sequences_per_step=5")
    assert [(plan.num_sequences, plan.num_steps) for plan in (one, two)] == [(12, 3), (36, 8)]
    assert two.num_tokens == 3 * two.stage.num_tokens


@pytest.mark.parametrize(
    ("training", "overrides", "words"),
    [
        ({"optim": {"rate": 1}}, [], "stage 'two': training: optim: OptimConfig has no 'rate'"),
        ({"optim": {"lr": "high"}}, [], "training: optim: lr must be a number, not 'high'"),
        ({"schedule": "whole"}, [], "StageSettings has no 'schedule'"),
        ({"sequences_per_step": 0}, [], "sequences_per_step must be at least 1, not 0"),
        ({"optim": {"name": "muon"}}, [], "optim.name must be the same in all stages"),
        ({}, ["stages.three.steps=1"], "stages.three: the manifest has no such stage. Its stages: one, two."),
        ({}, ["stages.two.lr=1"], "stages.two: StageSettings has no 'lr'"),
    ],
)
def test_what_no_stage_can_have_is_refused_before_anything_starts(stages, training, overrides, words):
    with pytest.raises(ConfigError, match=words):
        plans(stages(**training), *overrides)


def test_what_a_recipe_says_for_training_is_checked_without_a_manifest(stages):
    check_training(read(stages(optim={"lr": 1})).stages)
    with pytest.raises(ConfigError, match="ComputeConfig has no 'fast'"):
        check_training(read(stages(compute={"fast": True})).stages)


def test_the_rate_rises_and_falls_over_the_whole_run_or_in_each_stage(stages, train):
    manifest = stages(optim={"lr": 1e-3, "warmup_steps": 0})
    rates = column(train(manifest, "schedule=stages"), "lr")
    assert rates == pytest.approx([5e-3, 1e-2, 1e-2, 5e-3, 1e-3, 7.5e-4, 5e-4, 2.5e-4])
    # One fall over all 8 steps: the second stage goes on where it is, of its own height.
    rates = column(train(manifest, "optim.decay_ratio=0.5", run="whole"), "lr")
    assert rates == pytest.approx([5e-3, 1e-2, 1e-2, 1e-2, 1e-3, 7.5e-4, 5e-4, 2.5e-4])


def test_a_stage_goes_on_exactly_where_the_one_before_has_ended(stages, train, model):
    manifest = stages()
    handed_over = train(manifest)
    platform = platforms.start()
    try:
        config = load(SFTConfig, None, SETTINGS)
        data = CurriculumData(manifest, read(manifest), config)
        alone = Learner(
            model, platform, context_length=128, optim=config.optim, num_updates=data.num_steps, compute=config.compute
        )
        measured = [sft.train_step(alone, list(data.batches(step, alone.layout))) for step in range(1, 9)]
    finally:
        platforms.stop()
    for name in ("loss", "grad_norm", "lr"):
        assert column(handed_over, name) == [row[name] for row in measured]


def test_a_stage_may_be_computed_in_another_way(stages, train):
    plain = column(train(stages()), "loss")
    changed = stages(compute={"activation_checkpointing": "full"}, sequences_per_forward=2)
    assert column(train(changed, run="changed"), "loss") == pytest.approx(plain, rel=1e-5)


def test_a_stage_may_stretch_positions(stages, train):
    run = train(stages(rope={"factor": 2.0}))
    rope = json.loads((run / "export" / "config.json").read_text())
    told = rope.get("rope_parameters") or rope["rope_scaling"]
    assert (told["rope_type"], told["factor"]) == ("yarn", 2.0)


def test_what_a_later_stage_cannot_have_is_refused_before_the_first(stages, model, tmp_path):
    where = ["--manifest", str(stages()), "--model", str(model), "--run", str(tmp_path / "run")]
    assert sft.main([*where, *SETTINGS, "stages.two.parallel.context=3"]) == 2
    assert not (tmp_path / "run").exists()


def test_a_run_goes_on_with_more_processes_in_another_layout(stages, train, model, tmp_path, python):
    alone = train(stages())
    train(stages(), "--until", "4", run="more")
    assert json.loads((tmp_path / "more" / "run.json").read_text())["state"] == "paused"
    launch = ["-m", "gradus.trainer.processes", "--standalone", "--nproc-per-node=2", "-m", "gradus.trainer.sft", "--"]
    where = ["--manifest", stages(), "--model", model, "--run", tmp_path / "more"]
    process = python(*launch, *where, *SETTINGS, "stages.two.parallel.context=2")
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    # Two processes take float32's sums in another order: 1e-7 at first, 5e-7 after four updates, whatever the seed.
    for name in ("loss", "grad_norm"):
        assert column(tmp_path / "more", name) == pytest.approx(column(alone, name), rel=5e-6)
    assert column(tmp_path / "more", "tokens") == column(alone, "tokens")
