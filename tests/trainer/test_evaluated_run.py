"""Runs that are evaluated on the way."""

import json
import math
from pathlib import Path

import pytest
import tiny

from gradus.trainer import sft

FOLDER = Path(__file__).parent
EVERY_THIRD = ("evaluate.every=3", "evaluate.attempts=0")


@pytest.fixture(scope="module")
def arguments(model, tmp_path_factory):
    """Return what trains two stages of four steps, and tries the weights on another workspace's traces."""
    ours, theirs = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("theirs")
    stages = [tiny.make_stage(ours, "one"), tiny.make_stage(ours, "two", seed=1)]
    manifest = tiny.make_manifest(ours, model, stages=stages)
    held = [tiny.make_stage(theirs, "held", num_traces=10, seed=2)]
    heldout = tiny.make_manifest(theirs, model, stages=held)
    where = ["--manifest", str(manifest), "--model", str(model)]
    return [*where, "steps=4", "sequences_per_step=6", "optim.lr=2e-2", f"evaluate.manifest={heldout}"]


def measured(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture(scope="module")
def evaluated(arguments, tmp_path_factory):
    run = tmp_path_factory.mktemp("evaluated") / "run"
    assert sft.main([*arguments, "--run", str(run), *EVERY_THIRD, "checkpoint.keep_after=all"]) == 0
    return run


def test_a_run_is_evaluated_before_its_first_step_and_at_the_end_of_each_stage(evaluated):
    rows = measured(evaluated)
    assert [row["step"] for row in rows] == list(range(9))
    assert [row["step"] for row in rows if "eval_loss" in row] == [0, 3, 4, 6, 8]
    assert "loss" not in rows[0]
    assert rows[0]["eval_loss"] == pytest.approx(math.log(tiny.VOCAB), abs=0.3)
    assert rows[8]["eval_loss"] < rows[4]["eval_loss"] < rows[0]["eval_loss"] - 0.5


def test_the_checkpoint_with_the_best_evaluation_stays(evaluated):
    best = min((row for row in measured(evaluated)[1:] if "eval_loss" in row), key=lambda row: row["eval_loss"])
    assert (evaluated / f"checkpoints/step-{best['step']}").is_dir()


def test_an_evaluation_for_a_pause_does_not_decide_which_weights_are_best(arguments, tmp_path):
    """With every=3 steps 3 and 4, which ends a stage, are due, and 2 is not."""
    run = tmp_path / "run"
    for until, best in ((2, None), (3, 3), (4, 4)):
        assert sft.main([*arguments, "--run", str(run), *EVERY_THIRD, "--until", str(until)]) == 0
        assert "eval_loss" in measured(run)[until]
        noted = run / "checkpoints/best.json"
        assert (json.loads(noted.read_text())["step"] if noted.exists() else None) == best


def test_evaluation_leaves_what_is_learnt_alone(evaluated, arguments, tmp_path):
    assert sft.main([*arguments, "--run", str(tmp_path / "run"), "evaluate.every=0"]) == 0
    alone = [row["loss"] for row in measured(tmp_path / "run")]
    assert alone == [row["loss"] for row in measured(evaluated) if "loss" in row]


@pytest.fixture
def problems(tmp_path):
    problem = {"verifier": "low-tokens", "spec": {"below": 150}, "sampling": {"max_tokens": 6}}
    rows = [problem | {"domain": "math", "prompt": f"abc{n}"} for n in range(4)]
    rows += [problem | {"domain": "code", "prompt": f"xyz{n}", "verifier": "always", "spec": {}} for n in range(2)]
    path = tmp_path / "problems.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def finish(process):
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return errors


@pytest.mark.slow
def test_the_weights_of_the_moment_answer_held_out_problems(arguments, problems, tmp_path, python):
    settings = ["evaluate.every=9", f"evaluate.problems={problems}", "evaluate.teacher.kind=tiny"]
    run = tmp_path / "run"
    said = finish(python(FOLDER / "fake_teacher_sft.py", *arguments, "--run", run, *settings))
    tried = [row for row in measured(run) if "eval_by_domain" in row]
    assert [row["step"] for row in tried] == [0, 4, 8]
    assert all(row["eval_by_domain"]["code"] == 1 for row in tried)
    assert len({row["eval_by_domain"]["math"] for row in tried}) > 1
    assert len(list((run / "evaluations").glob("step-*.parquet"))) == 3
    assert "eval_pass_rate" in said
    assert not (run / "evaluated").exists()


@pytest.mark.slow
def test_reinforcement_is_evaluated_by_its_own_teacher(model, problems, tmp_path, python):
    tasks = [("math", "low-tokens", {"below": 100}, f"abc{n}") for n in range(4)]
    sampling = {"math": {"max_tokens": 10, "temperature": 0.9}}
    rl = tiny.make_rl(tmp_path, tasks, quotas={"math": 4}, group_size=6, sampling=sampling)
    where = ["--manifest", tiny.make_manifest(tmp_path, model, rl=rl), "--model", model, "--run", tmp_path / "run"]
    settings = ["teacher.kind=tiny", "teacher.max_context=64", "steps=3", "optim.lr=1e-2", "sequences_per_forward=4"]
    tries = ["evaluate.every=2", f"evaluate.problems={problems}"]
    finish(python(FOLDER / "fake_teacher.py", *where, *settings, *tries))
    rows = measured(tmp_path / "run")
    assert [row["step"] for row in rows] == [0, 1, 2, 3]
    assert [row["step"] for row in rows if "eval_pass_rate" in row] == [0, 2, 3]
    assert all(row["memory_gib"] > 0 for row in rows)
    assert (tmp_path / "run/metrics.parquet").exists()
