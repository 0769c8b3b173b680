import json
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import tiny

DRIVER = Path(__file__).parent / "fake_teacher.py"
SETTINGS = [
    *("teacher.kind=tiny", "teacher.max_context=64", "steps=6", "checkpoint.every=2", "seed=0"),
    *("optim.lr=1e-2", "clip=motif", "minibatches=3", "sequences_per_forward=4"),
]


@pytest.fixture(scope="module")
def arguments(tmp_path_factory, model):
    """Four problems with a signal, two that any answer solves, and a third such in reserve."""
    workspace = tmp_path_factory.mktemp("workspace")
    problems = [
        *(("math", "low-tokens", {"below": 100}, f"abc{n}") for n in range(4)),
        *(("code", "always", {}, f"xyz{n}") for n in range(2)),
    ]
    sampling = {"max_tokens": 10, "temperature": 0.9}
    rl = tiny.make_rl(
        workspace,
        problems,
        reserve=[("code", "always", {}, "xyz2")],
        quotas={"math": 4, "code": 1},
        group_size=10,
        sampling={"math": sampling, "code": sampling},
    )
    return ["--manifest", tiny.make_manifest(workspace, model, rl=rl), "--model", model, *SETTINGS]


def finish(process):
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors


@pytest.fixture(scope="module")
def run(arguments, tmp_path_factory, python):
    folder = tmp_path_factory.mktemp("rl") / "run"
    finish(python(DRIVER, *arguments, "--run", folder))
    return folder


def measured(run):
    return [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]


def test_the_reward_rises(run):
    rewards = [line["reward"] for line in measured(run)]
    assert min(rewards[-2:]) > max(rewards[:2]) + 0.05


def test_each_step_says_what_happened(run):
    lines = measured(run)
    assert [line["step"] for line in lines] == list(range(1, 7))
    for line in lines:
        assert sum(line["outcomes"].values()) == 50
        assert line["groups_without_signal"] >= 1
        # Both compute the same model in float32: what is sampled is what is trained, temperature and all.
        assert line["sampler_gap"] < 1e-5
        assert 0 < line["entropy"] < 6
        assert line["kl"] >= 0
    assert any(line["ratio_max"] > 1.001 for line in lines)


def test_rollouts_are_kept_with_what_became_of_them(run):
    rows = pq.read_table(run / "rollouts/step-0003.parquet").to_pylist()
    assert len(rows) == 50
    for row in rows:
        assert row["policy_version"] == "step-2"
        assert len(row["token_ids"]) == len(row["token_logprobs"]) == 10
        assert row["used"] == (row["advantage"] is not None)
        assert not (row["used"] and row["outcome"] == "unparseable")
        assert not (row["used"] and row["domain"] == "code")
    assert any(row["outcome"] == "unparseable" for row in rows)
    assert abs(sum(row["advantage"] for row in rows if row["used"])) < 1e-3


def asked(run):
    """Return the problems of every step, in their order."""
    files = sorted((run / "rollouts").glob("step-*.parquet"))
    return [list(dict.fromkeys(pq.read_table(path)["problem_id"].to_pylist())) for path in files]


def test_what_all_answers_solve_leaves_its_place_to_the_reserve(run):
    assert [line["replaced"] for line in measured(run)] == [1] * 6
    code = [next(name for name in names if name.startswith("code")) for names in asked(run)]
    assert code[0] != code[1]
    # The reserve has the first one's place by now, and the first one the second's.
    assert {code[2], code[3]} == {"code-6", code[0]}


def test_the_run_is_finished_and_exported(run):
    assert json.loads((run / "run.json").read_text())["state"] == "finished"
    assert (run / "export/model.safetensors").exists()


@pytest.mark.slow
def test_a_killed_run_goes_on_with_the_same_rollouts(arguments, run, tmp_path, python):
    process = python(DRIVER, *arguments, "--run", tmp_path / "run")
    while not (tmp_path / "run/rollouts/step-0004.parquet").exists():
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    process.kill()
    process.wait()
    finish(python(DRIVER, *arguments, "--run", tmp_path / "run"))
    assert asked(tmp_path / "run") == asked(run)
    for name in ("reward", "grad_norm", "kl"):
        assert [line[name] for line in measured(tmp_path / "run")] == pytest.approx(
            [line[name] for line in measured(run)], rel=1e-2
        )


@pytest.mark.slow
def test_two_processes_learn_what_one_does(arguments, run, tmp_path, python):
    launch = ["-m", "gradus.trainer.processes", "--standalone", "--nproc-per-node=2"]
    finish(python(*launch, "--", DRIVER, *arguments, "steps=1", "--run", tmp_path / "run"))
    first, alone = measured(tmp_path / "run")[0], measured(run)[0]
    for name in ("reward", "used", "entropy", "kl", "ratio", "ratio_max", "grad_norm"):
        assert first[name] == pytest.approx(alone[name], rel=1e-2)
