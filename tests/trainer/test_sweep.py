"""Sweeps (api/sweep*.py): which trials there are, which go on, and what is left to do after a kill.

Here, since they train the tiny model of this folder.
"""

import contextlib
import json
import os
import shlex
import signal
import time
import tomllib
from pathlib import Path

import pytest
import tiny
import torch

from gradus.api import runs
from gradus.api.cli import main
from gradus.api.commands.sweep import read_axis
from gradus.api.sweep import Tried, _parted, _places, loss_of, sweep
from gradus.api.sweep_plan import SweepConfig, Trial, shares, trials
from gradus.api.sweep_report import _toml, best_recipe, notes
from gradus.config import load
from gradus.curricula.manifest import read
from gradus.engine.workspace import Workspace
from gradus.errors import ConfigError, GradusError
from gradus.trainer import sft
from gradus.trainer.config import SFTConfig
from gradus.trainer.stages import plan_stages


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make a model and a workspace with two manifests to train on and one that is held out."""
    folder = tmp_path_factory.mktemp("sweep")
    model, workspace = tiny.make_model(folder / "tiny"), Workspace.create(folder / "workspace")

    def manifest(seed, names=("one",), num_traces=24):
        stages = [tiny.make_stage(workspace.root, name, seed=seed, num_traces=num_traces) for name in names]
        return tiny.make_manifest(workspace.root, model, stages=stages)

    found = {
        "heldout": manifest(9, num_traces=4),
        "other": manifest(1, num_traces=36),
        "two": manifest(2, names=("one", "deep")),
    }
    return workspace, model, found | {"main": manifest(0)}


@pytest.fixture
def asked(made):
    _, model, manifests = made

    def ask(*names, **changes):
        chosen = tuple(manifests[name] for name in names or ("main",))
        changes = {"axes": {}, "overrides": ("sequences_per_step=2",)} | changes
        return SweepConfig(manifests=chosen, model=model, **changes)

    return ask


@pytest.fixture
def here(monkeypatch):
    """Train in this process, by the very command line; return what was started."""
    started = []

    def start(run, *, actor="local"):
        run.folder.mkdir(parents=True, exist_ok=True)
        words = shlex.split(run.command)
        words = words[words.index("gradus.trainer.sft") + 1 :]
        started.append(words)
        (run.folder / "launch.json").write_text(json.dumps({"launcher": "local"}))
        with (run.folder / "log.txt").open("a") as log, contextlib.redirect_stderr(log):
            status = sft.main(words)
        (run.folder / "status").write_text(str(status))

    monkeypatch.setattr(runs, "start", start)
    return started


def test_every_combination_is_a_trial(asked):
    found = trials(asked(axes={"optim.lr": ("1e-3", "1e-2"), "optim.betas": ("[0.9, 0.95]", "[0.9, 0.99]")}))
    assert str(found[0]) == "optim.lr=1e-3, optim.betas=[0.9, 0.95]"
    assert len({trial.overrides for trial in found}) == 4


@pytest.mark.parametrize("batch", [1, 2, 3, 4])
@pytest.mark.parametrize("tokens", [None, 400, 1500])
def test_trials_take_equally_many_tokens_whatever_their_batch(batch, tokens, asked, made):
    manifests = ("main", "other", "two")
    wanted = None
    for trial in trials(
        asked(
            *manifests,
            axes={"sequences_per_step": (str(batch),)},
            tokens=tokens,
            heldout=made[2]["heldout"],
            overrides=("sequences_per_step=1", "steps=12"),
        )
    ):
        plans = plan_stages(read(trial.manifest), load(SFTConfig, None, trial.overrides))
        taken = sum(plan.num_tokens for plan in plans)
        # Twelve steps of a single sequence are the recipe's; a trial is off by half a step of each stage at most.
        wanted = wanted or tokens or 12 * read(trial.manifest).stages[0].num_tokens / 12
        step = sum(plan.stage.num_tokens / plan.stage.packing.num_rows * batch for plan in plans)
        assert abs(taken - wanted) <= step
        assert trial.num_steps == sum(plan.num_steps for plan in plans)


def test_an_axis_holds_for_a_stage_that_has_its_own_setting(asked):
    [trial] = trials(
        asked("two", axes={"optim.lr": ("1e-2",)}, overrides=("sequences_per_step=2", "stages.deep.optim.lr=5e-5"))
    )
    assert "stages.deep.optim.lr=1e-2" in trial.overrides
    assert "stages.one.optim.lr=1e-2" not in trial.overrides
    with pytest.raises(ConfigError, match="no 'learning_rate'"):
        trials(asked(axes={"optim.learning_rate": ("1",)}))


def test_what_makes_no_sense_is_refused(asked, made, here):
    with pytest.raises(ConfigError, match="cannot be compared"):
        asked("main", "other")
    with pytest.raises(ConfigError, match="equally many tokens"):
        asked(axes={"stages.deep.steps": ("1", "2")})
    with pytest.raises(ConfigError, match="at least 1"):
        asked(halving=0)
    with pytest.raises(ConfigError, match="are one run"):
        sweep(made[0], asked(axes={"compute.activation_checkpointing": ("none", "full")}))
    with pytest.raises(ConfigError, match="not key=value"):
        read_axis("optim.lr")
    assert not here


@pytest.mark.parametrize(
    ("num_trials", "halving", "want"),
    [(1, 2, [1]), (2, 2, [0.5, 1]), (3, 2, [0.5, 1]), (4, 2, [0.25, 0.5, 1]), (9, 3, [1 / 9, 1 / 3, 1]), (9, 1, [1])],
)
def test_rungs_end_where_one_trial_is_left(num_trials, halving, want):
    assert shares(num_trials, halving) == pytest.approx(want)


def test_axes_are_read_with_lists():
    assert read_axis("optim.betas=[0.9, 0.95],[0.8,0.9]") == ("optim.betas", ("[0.9, 0.95]", "[0.8,0.9]"))
    assert read_axis("optim.lr=1e-5,2e-5") == ("optim.lr", ("1e-5", "2e-5"))


def rows(*losses, **more):
    return [{"step": n, "loss": loss, "tokens": 10 * n} | more for n, loss in enumerate(losses, 1)]


def test_a_loss_is_the_mean_of_the_last_fifth_by_tokens():
    assert loss_of(rows(9, 9, 9, 9, 9, 9, 9, 9, 2, 3), by_heldout=False) == pytest.approx((9 * 2 + 10 * 3) / 19)
    assert loss_of(rows(5, 4, None), by_heldout=False) == float("inf")
    assert loss_of(rows(5, 4, eval_loss=3.0), by_heldout=True) == 3
    assert loss_of(rows(5, 4), by_heldout=True) == float("inf")


def test_a_trial_that_failed_never_goes_on():
    trial = Trial(manifest=Path("m"), settings={}, overrides=(), num_steps=1, passes=1)
    tried = [Tried(trial, None, loss=loss) for loss in (1.0, float("inf"), float("inf"), float("inf"))]
    on, ended = _parted(tried, 2)
    assert (on, ended) == (tried[:1], tried[1:])
    assert [len(part) for part in _parted([Tried(trial, None, loss=n) for n in range(5)], 2)] == [2, 3]


def test_side_by_side_each_trial_has_its_own_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert _places(2, 2) == ["CUDA_VISIBLE_DEVICES=0,1 ", "CUDA_VISIBLE_DEVICES=2,3 "]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,5,6,7")
    assert _places(4, 1)[2] == "CUDA_VISIBLE_DEVICES=6 "
    with pytest.raises(ConfigError, match="need 8 GPUs"):
        _places(4, 2)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert all(place.startswith("OMP_NUM_THREADS=") for place in _places(2, 1))
    assert _places(1, 1) == [""]


RATES = ("1e-2", "1e-5", "1e-4", "1e-3")


def test_the_better_half_goes_on_from_where_it_was_and_the_best_is_a_recipe(asked, made, here, tmp_path):
    workspace = Workspace.create(tmp_path / "w")
    request = asked(axes={"optim.lr": RATES}, overrides=("sequences_per_step=1", "optim.warmup_steps=1"))
    found = sweep(workspace, request)
    assert [(one.rung, one.step) for one in found.tried] == [(3, 12), (2, 6), (1, 3), (1, 3)]
    for rung, until in ((1, 3), (2, 6)):
        losses = {
            one.rung > rung: loss_of(runs.read_metrics(one.run.folder)[:until], by_heldout=False)
            for one in found.tried
            if one.rung >= rung
        }
        assert losses[True] < losses[False]
    # Seven starts: of four, two, one; who goes on takes no step twice.
    assert len(here) == 7
    best = found.tried[0].run.folder
    assert [row["step"] for row in runs.read_metrics(best)] == list(range(1, 13))
    assert (best / "export/config.json").exists()
    assert not any((one.run.folder / "checkpoints").exists() for one in found.tried[1:])
    alone, rate = tmp_path / "alone", found.tried[0].trial.settings["optim.lr"]
    words = ["--manifest", str(made[2]["main"]), "--model", str(made[1]), "--run", str(alone)]
    assert sft.main([*words, "sequences_per_step=1", "optim.warmup_steps=1", f"optim.lr={rate}"]) == 0
    assert [row["loss"] for row in runs.read_metrics(best)] == [row["loss"] for row in runs.read_metrics(alone)]
    # Again, and there is nothing to do.
    assert [one.row() for one in sweep(workspace, request).tried] == [one.row() for one in found.tried]
    assert len(here) == 7
    config = load(SFTConfig, _written(tmp_path / "best.toml", best_recipe(request, found)))
    assert config == load(SFTConfig, None, [*request.overrides, f"optim.lr={rate}"])


def _written(path, text):
    path.write_text(text)
    return path


def test_mixtures_are_told_apart_by_what_is_held_out(asked, made, here, tmp_path):
    request = asked("other", "main", axes={"optim.lr": ("1e-2",)}, heldout=made[2]["heldout"])
    found = sweep(Workspace.create(tmp_path / "w"), request)
    assert [one.rung for one in found.tried] == [2, 1]
    assert {one.trial.settings["manifest"] for one in found.tried} == {
        made[2][name].stem[:12] for name in ("other", "main")
    }
    for one in found.tried:
        [last] = [row for row in runs.read_metrics(one.run.folder) if row["step"] == one.step]
        assert one.loss == last["eval_loss"]
    # Each saw half of the tokens, or all of them, of the first manifest.
    by_rung = {one.rung: one.tokens for one in found.tried}
    assert by_rung[1] == pytest.approx(by_rung[2] / 2, rel=0.25)


def test_what_is_not_a_number_is_the_worst_and_if_all_are_the_sweep_says_so(asked, here, tmp_path):
    request = asked(axes={"optim.lr": ("1e-3", "1e30")}, overrides=("sequences_per_step=2", "guard.max_in_a_row=1"))
    found = sweep(Workspace.create(tmp_path / "w"), request)
    assert [one.trial.settings["optim.lr"] for one in found.tried] == ["1e-3", "1e30"]
    assert found.tried[1].error
    assert any("1 failed" in note for note in notes(request, found))
    with pytest.raises(GradusError, match="no trial has a loss"):
        sweep(Workspace.create(tmp_path / "w"), asked(axes={"optim.lr": ("1e30",)}, overrides=request.overrides))


def test_the_command_writes_a_table_a_picture_and_a_recipe(made, here, tmp_path, capsys):
    workspace, model, manifests = made
    words = ["sweep", str(manifests["main"]), "sequences_per_step=3", "--model", str(model), "--lr", "1e-3,1e-2"]
    words += ["--workspace", str(workspace.root), "--plot", str(tmp_path / "sweep.png")]
    assert main([*words, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["best"] == {"optim.lr": "1e-2"}
    assert found["notes"][0] == "optim.lr=1e-2 is the largest that was tried; a larger one may be better"
    assert "first rung has 2 steps" in found["notes"][1]
    assert (found["in"], found["kept"], found["dropped"]) == (2, 1, {"ended after rung 1": 1})
    recipe = Path(found["recipe"])
    assert tomllib.loads(recipe.read_text()) == {"sequences_per_step": 3, "optim": {"lr": 0.01}}
    assert json.loads((recipe.parent / "sweep.json").read_text())["best"] == found["best"]
    assert (tmp_path / "sweep.png").read_bytes().startswith(b"\x89PNG")
    assert "<svg" in (recipe.parent / "plot.svg").read_text()
    assert main(words) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    assert said in recipe.read_text()
    program, *train = shlex.split(said)
    assert program == "gradus"
    assert train[-2:] == ["--recipe", str(recipe.resolve())]
    assert main([*train, "--dry-run"]) == 0
    assert len(here) == 3
    plan = runs.plan_run(workspace, "sft", manifests["main"], model=str(model), recipe=str(recipe), overrides=())
    assert plan.folder.parent == workspace.runs.resolve()
    assert main([*words[:-1], "sweep.pdf"]) == 2
    assert main(["sweep", "none", "--workspace", str(workspace.root)]) == 3


def test_toml_is_read_back():
    data = {"a": 1, "b": {"c": 1e-05, "d": {"e f": [0.9, 0.95]}}, "stages": {"x": {"y": {"z": 'say "ä"'}}}, "t": True}
    assert tomllib.loads("\n".join(_toml(data))) == data


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_interrupted_sweep_goes_on_and_its_trials_too(how, made, python, tmp_path):
    _, model, manifests = made
    workspace = Workspace.create(tmp_path / "w")
    words = ["-m", "gradus.api.cli", "sweep", manifests["main"], "sequences_per_step=1", "steps=200", "--at-once", "2"]
    words += ["checkpoint.every=5", "--model", model, "--lr", "1e-2,1e-4", "--workspace", workspace.root]
    process = python(*words)
    started = []
    while len(started) < 2:
        assert process.poll() is None, process.stderr.read()
        started = [path for path in workspace.root.glob("sweeps/*/runs/*") if len(runs.read_metrics(path)) > 20]
        time.sleep(0.05)
    process.send_signal(how)
    assert process.wait() == (130 if how == signal.SIGINT else -how)
    if how == signal.SIGINT:
        assert {runs.run_state(path) for path in started} == {"cancelled"}
    else:  # one is killed, too, the other is left running
        os.killpg(int((started[0] / "pid").read_text()), signal.SIGKILL)
    process = python(*words)
    assert process.wait() == 0, process.stderr.read()
    [found] = [json.loads(path.read_text()) for path in workspace.root.glob("sweeps/*/sweep.json")]
    assert found["best"] == {"optim.lr": "1e-2"}
    for trial, num in zip(found["trials"], (200, 100), strict=True):
        steps = [row["step"] for row in runs.read_metrics(Path(found["folder"]) / "runs" / trial["run"])]
        assert steps == list(range(1, num + 1))
