"""`gradus rollouts import`: a run's rollouts become attempts with their verdicts, each once, or say why not."""

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gradus.api.cli import main
from gradus.engine.parts import list_parts, write_part
from gradus.engine.records import Problem
from gradus.engine.store import open_store
from gradus.engine.teachers.base import Completion, SamplingConfig
from gradus.trainer.problems import RLProblem
from gradus.trainer.rollout import Rollout, write_rollouts
from gradus.verifiers.base import verify, version_of

RUN = "rl-0123456789ab"
KNOWN, LOST = (
    Problem(prompt=f"{n} + 1?", domain="math", verifier="math", spec={"expected": str(n + 1)}, source="s")
    for n in (2, 5)
)


def rollouts(problem, step):
    """Return four answers, of which as many are right as there were steps."""
    asked = RLProblem(
        problem_id=problem.id,
        domain=problem.domain,
        verifier=problem.verifier,
        spec=problem.spec,
        messages=({"role": "user", "content": problem.prompt},),
        sampling=SamplingConfig(max_tokens=9),
    )
    for index in range(4):
        said = Completion(
            text=f"It is {problem.spec['expected']}." if index < step else "It is 99.",
            token_ids=(7, index),
            token_logprobs=(-0.5, -1.5),
            prompt_token_ids=(1, 2, 3),
            finish_reason="stop",
            seconds=0.25,
            reasoning="Let me see." if index else "",
        )
        verdict = verify(problem.verifier, said.text, problem.spec)
        yield Rollout(problem=asked, index=index, seed=step, completion=said, verdict=verdict, advantage=0.5)


@pytest.fixture
def run(workspace):
    """Three steps of a run that was killed after the checkpoint of the second; one problem is not known here."""
    write_part(workspace.parts, "r", [KNOWN])
    folder = workspace.runs / RUN
    for step in (1, 2, 3):
        found = [*rollouts(KNOWN, step), *rollouts(LOST, step)]
        write_rollouts(folder / "rollouts" / f"step-{step:04d}.parquet", found, policy_version=f"step-{step - 1}")
    (folder / "checkpoints" / "step-2").mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"kind": "rl", "state": "running"}))
    return folder


@pytest.fixture
def gradus(workspace, capsys):
    def call(*argv):
        status = main([*argv, "--workspace", str(workspace.root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return call


def taken(gradus, run):
    status, out, error = gradus("rollouts", "import", str(run), "--json")
    assert status == 0, error
    return json.loads(out)


UNSETTLED = "after the newest checkpoint: the run will make it again"


def test_rollouts_become_attempts_of_policy_versions_each_once(gradus, run, workspace):
    first = taken(gradus, RUN)
    assert (first["in"], first["kept"]) == (24, 8)
    assert first["dropped"] == {UNSETTLED: 8, "its problem is not in the workspace": 8}
    assert [(row["policy_version"], row["pass_at_1"]) for row in first["versions"]] == [
        ("step-0", 0.25),
        ("step-1", 0.5),
    ]
    parts = len(list(list_parts(workspace.parts)))
    again = taken(gradus, run)  # by its folder, too
    assert (again["in"], again["kept"], again["dropped"]["there already"]) == (24, 0, 8)
    assert len(list(list_parts(workspace.parts))) == parts


def test_a_run_that_went_on_gives_the_rest(gradus, run):
    taken(gradus, RUN)
    (run / "run.json").write_text(json.dumps({"kind": "rl", "state": "finished"}))
    found = taken(gradus, RUN)
    assert found["kept"] == 4
    assert found["dropped"] == {"its problem is not in the workspace": 12, "there already": 8}
    assert [row["pass_at_1"] for row in found["versions"]] == [0.25, 0.5, 0.75]


def test_an_attempt_has_all_that_the_rollout_had(gradus, run, workspace):
    taken(gradus, RUN)
    with open_store(workspace) as store:
        rows = store.rows("FROM judged WHERE policy_version = 'step-1' ORDER BY \"index\"")
        verdicts = store.rows("FROM verdicts")
    first, second = rows[:2]
    assert (first["model_id"], first["answer"], first["outcome"]) == (RUN, "It is 3.", "pass")
    assert (first["token_ids"], first["token_logprobs"]) == ([7, 0], [-0.5, -1.5])
    assert (first["tokens_in"], first["tokens_out"], first["finish_reason"], first["seconds"]) == (3, 2, "stop", 0.25)
    assert json.loads(first["sampling"])["max_tokens"] == 9
    assert json.loads(first["messages"])[0] == {"role": "user", "content": KNOWN.prompt}
    assert json.loads(second["messages"])[1] == {"role": "assistant", "content": "It is 3.", "reasoning": "Let me see."}
    assert {row["version"] for row in verdicts} == {version_of("math", KNOWN.spec)}
    assert len(verdicts) == 8


def test_a_run_killed_between_attempts_and_verdicts_is_mended(gradus, run, workspace):
    taken(gradus, RUN)
    for table, path in list(list_parts(workspace.parts)):
        if table == "verdicts":
            path.unlink()
    workspace.database.unlink()
    assert taken(gradus, RUN)["kept"] == 0
    with open_store(workspace) as store:
        assert store.rows("SELECT count(*) AS n FROM judged") == [{"n": 8}]


def test_judging_again_finds_nothing_to_do(gradus, run):
    taken(gradus, RUN)
    status, out, _ = gradus("judge", "--json", "--workers", "1")
    assert (status, json.loads(out)["judged"]) == (0, 0)


def test_what_is_no_run_is_one_error(gradus, run, workspace):
    assert "no run 'rl-nope'" in gradus("rollouts", "import", "rl-nope")[2]
    (workspace.runs / "sft-1").mkdir()
    assert "gradus train rl" in gradus("rollouts", "import", "sft-1")[2]
    old = run / "rollouts/step-0001.parquet"
    pq.write_table(pa.table({"problem_id": ["p"]}), old)
    assert "step-0001.parquet: no column 'policy_version'" in gradus("rollouts", "import", RUN)[2]
    old.write_bytes(b"")
    status, _, error = gradus("rollouts", "import", RUN)
    assert status == 3
    assert len(error.splitlines()) == 1
