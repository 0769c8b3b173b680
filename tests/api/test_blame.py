"""From a step of a run back to what it learnt from."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "trainer"))
sys.path.insert(0, str(Path(__file__).parents[1] / "curricula"))
import tiny

from gradus.api.cli import main
from gradus.config import plain
from gradus.curricula import manifest as manifests
from gradus.trainer.config import RLConfig, SFTConfig
from gradus.trainer.data import CurriculumData
from gradus.trainer.run import Run


@pytest.fixture
def run(workspace, tmp_path):
    """A run that took 3 steps of 4 sequences, the second of which was skipped."""
    model = tiny.make_model(tmp_path / "model")
    path = tiny.make_manifest(workspace.root, model, stages=[tiny.make_stage(workspace.root, "one")])
    config = SFTConfig(sequences_per_step=4)
    run = Run(workspace.runs / "sft-1", kind="sft", manifest=path.stem, config=plain(config))
    run.begin(step=0, num_steps=3)
    for step in (1, 2, 3):
        run.measured(step, {"loss": float(step)})
    data = CurriculumData(path, manifests.read(path), config)
    run.event(2, "skip", reason="the loss is 9, over 4", traces=data.trace_ids(2))
    return run


def told(capsys, *argv):
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_step_leads_back_to_its_traces(run, workspace, capsys):
    steps = [
        told(capsys, "runs", "blame", "sft-1", str(step), "--workspace", str(workspace.root)) for step in (1, 2, 3)
    ]
    ids = [trace["trace_id"] for found in steps for trace in found["traces"]]
    assert sorted(ids) == [f"t0-{number:04d}" for number in range(24)]
    second = steps[1]
    assert second["stage"] == "one"
    assert second["metrics"] == {"step": 2, "loss": 2.0}
    assert second["events"][0]["traces"] == [trace["trace_id"] for trace in second["traces"]]
    assert steps[0]["events"] == []
    first = second["traces"][0]
    assert first["sequence"] == 4
    assert (first["problem_id"], first["teacher"], first["domain"]) == (
        f"p{int(first['trace_id'][3:])}",
        "teacher-8b",
        "math",
    )
    assert 8 <= first["num_tokens"] < 30


def test_it_is_told_in_words_what_became_of_the_step(run, workspace, capsys):
    assert main(["runs", "blame", "sft-1", "2", "--workspace", str(workspace.root)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("step 2 of sft-1: 8 traces\nstep 2  loss 2\nskip: the loss is 9, over 4\n")
    assert "t0-0004" in said


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["sft-1", "4"], 3, "has no step 4; its steps are 1 to 3"),
        (["sft-1", "0"], 3, "has no step 0"),
        (["sft-2", "1"], 3, "no run 'sft-2'"),
        (["sft-1"], 2, "takes a run and a step"),
        ([], 2, "takes the name of a run"),
    ],
)
def test_what_there_is_not_is_refused(argv, status, said, run, workspace, capsys):
    assert main(["runs", "blame", *argv, "--workspace", str(workspace.root)]) == status
    assert said in capsys.readouterr().err


def test_a_step_of_reinforcement_leads_back_to_its_rollouts(run, workspace, capsys):
    import pyarrow as pa
    import pyarrow.parquet as pq

    rl = Run(workspace.runs / "rl-1", kind="rl", manifest="0", config=plain(RLConfig()))
    rl.begin(step=0, num_steps=3)
    row = {
        "problem_id": "p1",
        "domain": "math",
        "index": 0,
        "outcome": "passed",
        "score": 1.0,
        "advantage": 0.5,
        "used": True,
    }
    (rl.folder / "rollouts").mkdir()
    pq.write_table(pa.Table.from_pylist([row]), rl.folder / "rollouts/step-0001.parquet")
    assert told(capsys, "runs", "blame", "rl-1", "1", "--workspace", str(workspace.root))["rollouts"] == [row]
    assert main(["runs", "blame", "rl-1", "2", "--workspace", str(workspace.root)]) == 3
    assert "has not taken step 2" in capsys.readouterr().err
