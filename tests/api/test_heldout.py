import dataclasses
import json
import shlex

import pytest

from gradus.api import runs
from gradus.api.cli import main
from gradus.curricula.canonical import canonical_bytes
from gradus.curricula.find import find_manifest
from gradus.curricula.manifest import read
from gradus.curricula.upgrade import as_written
from gradus.engine.records import HELDOUT
from gradus.engine.store import open_snapshot
from gradus.errors import DataError
from gradus.trainer.heldout import read_heldout


def plan(world, student, *overrides, kind="sft"):
    manifest = find_manifest(world.workspace, "latest")
    return runs.plan_run(world.workspace, kind, manifest, model=str(student), recipe=None, overrides=overrides)


def with_evaluate(workspace, evaluate):
    """Write the newest manifest anew, as if its recipe said this of evaluation."""
    manifest = read(find_manifest(workspace, "latest"))
    changed = dataclasses.replace(manifest, recipe=manifest.recipe | {"evaluate": evaluate})
    content = canonical_bytes(as_written(dataclasses.asdict(changed)))
    (workspace.manifests / f"{changed.id}.json").write_bytes(content)


@pytest.mark.parametrize(("kind", "put"), [("sft", "math"), ("rl", "code")])
def test_a_run_that_is_evaluated_finds_the_held_out_problems_as_the_recipe_puts_them(kind, put, spoilable, student):
    settings = {"prompt": {"system": "Think.", "user": "Q: {prompt}"}, "sampling": {"max_tokens": 99}}
    with_evaluate(spoilable.workspace, {"domains": {put: settings}})
    run = plan(spoilable, student, "evaluate.every=5", kind=kind)
    runs.prepare(run, actor="ada")
    with open_snapshot(spoilable.workspace) as store:
        heldout = {problem.id: problem for problem in store.problems("list_contains(tags, $tag)", {"tag": HELDOUT})}
    found = read_heldout(run.folder / "heldout.jsonl", per_domain=1000)
    assert [problem.problem_id for problem in found] == sorted(heldout)
    assert {problem.domain for problem in found} == {"math"}
    for problem in found:
        own = heldout[problem.problem_id]
        assert (problem.domain, problem.verifier, problem.spec) == (own.domain, own.verifier, own.spec)
        said, max_tokens = [message["content"] for message in problem.messages], problem.sampling.max_tokens
        if put == "math":
            assert (said, max_tokens) == (["Think.", f"Q: {own.prompt}"], 99)
        else:
            assert (said, max_tokens) == ([own.prompt], 256)


def test_a_run_that_goes_on_keeps_its_problems(spoilable, student):
    run = plan(spoilable, student, "evaluate.every=5")
    run.folder.mkdir(parents=True)
    (run.folder / "heldout.jsonl").write_text("{}\n")
    runs.prepare(run, actor="ada")
    assert (run.folder / "heldout.jsonl").read_text() == "{}\n"


@pytest.mark.parametrize("overrides", [(), ("evaluate.every=5", "evaluate.attempts=0", "evaluate.manifest=m.json")])
def test_a_run_that_asks_no_problems_gets_none(overrides, spoilable, student):
    run = plan(spoilable, student, *overrides)
    runs.prepare(run, actor="ada")
    assert not (run.folder / "heldout.jsonl").exists()


def test_a_workspace_without_held_out_problems_says_so_and_leaves_no_run(spoilable, student, monkeypatch):
    monkeypatch.setattr("gradus.api.heldout.HELDOUT", "nothing has this tag")
    run = plan(spoilable, student, "evaluate.every=5")
    with pytest.raises(DataError, match=r"no held-out problems.*evaluate\.attempts=0"):
        runs.prepare(run, actor="ada")
    assert not run.folder.exists()


def test_files_to_evaluate_on_are_named_from_anywhere(spoilable, student, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = plan(spoilable, student, "evaluate.every=5", "evaluate.problems=mine.jsonl", "evaluate.manifest=held/m.json")
    words = shlex.split(run.command)
    assert words[-2:] == [f"evaluate.problems={tmp_path}/mine.jsonl", f"evaluate.manifest={tmp_path}/held/m.json"]
    assert run.heldout is None


def test_a_run_is_drawn_by_the_command_line(spoilable, tmp_path, capsys):
    folder = spoilable.workspace.runs / "sft-1"
    folder.mkdir()
    rows = [{"step": step, "stage": "one", "loss": 3.0 / step, "memory_gib": 1.5} for step in range(1, 9)]
    (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    where = ["--workspace", str(spoilable.workspace.root)]
    assert main(["runs", "show", "sft-1", "--plot", str(tmp_path / "run.svg"), *where]) == 0
    assert "loss 0.375  memory_gib 1.5" in capsys.readouterr().out
    assert (tmp_path / "run.svg").read_text().startswith("<?xml")
    assert main(["runs", "watch", "sft-1", "--plot", str(tmp_path / "run.svg"), *where]) == 2
