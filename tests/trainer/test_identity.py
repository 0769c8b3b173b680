import pytest

from gradus.config import load, plain
from gradus.errors import ConfigError
from gradus.trainer.config import RLConfig, SFTConfig
from gradus.trainer.identity import deciding
from gradus.trainer.run import Run


def decided(*overrides, cls=SFTConfig):
    return deciding(plain(load(cls, None, overrides)))


@pytest.mark.parametrize(
    "override",
    [
        "compute.activation_checkpointing=full",
        "parallel.context=2",
        "sequences_per_forward=4",
        "checkpoint.every=7",
        "watch.tensorboard=true",
        "evaluate.every=5",
        "stages.deep.parallel.tensor=2",
        "stages.deep.sequences_per_forward=2",
    ],
)
def test_how_a_run_is_computed_kept_and_watched_decides_nothing(override):
    assert decided(override) == decided()


@pytest.mark.parametrize(
    "override",
    [
        "steps=3",
        "optim.lr=1e-3",
        "parallel.float8=true",
        "checkpoint.export=best",
        "guard.policy=skip",
        "schedule=stages",
        "rope.factor=2.0",
        "stages.deep.optim.lr=1e-3",
    ],
)
def test_what_is_learnt_is_decided_by_the_rest(override):
    assert decided(override) != decided()


def test_reinforcement_is_told_apart_by_its_teacher_too():
    assert decided("teacher.max_context=64", cls=RLConfig) != decided(cls=RLConfig)
    assert decided("parallel.shard=2", cls=RLConfig) == decided(cls=RLConfig)


def test_a_run_that_goes_on_takes_over_what_is_free_and_names_what_is_not(tmp_path):
    def run(*overrides, model="m"):
        return Run(tmp_path, kind="sft", manifest="1", model=model, config=plain(load(SFTConfig, None, overrides)))

    run("compute.compile=false").begin(step=0, num_steps=1)
    run("compute.compile=true", "parallel.shard=4").begin(step=0, num_steps=1)
    assert '"shard": 4' in (tmp_path / "run.json").read_text()
    with pytest.raises(ConfigError, match=r"this run's optim\.lr is 2e-05, not 0\.001; say it as it was"):
        run("optim.lr=1e-3")
    with pytest.raises(ConfigError, match="this run's model is 'm', not 'n'"):
        run(model="n")
    with pytest.raises(ConfigError, match=r"this run's stages\.deep\.passes is None, not 2"):
        run("stages.deep.passes=2")
