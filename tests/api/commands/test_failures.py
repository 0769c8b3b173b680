"""`gradus failures` and `gradus correct`: from kinds of failures to corrections from the first wrong step on."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gradus.api import correcting, steps
from gradus.api.cli import main
from gradus.curricula.chat import Renderer
from gradus.curricula.manifest import read, read_shard
from gradus.curricula.recipe import load_recipe
from gradus.engine.correct import failures, messages
from gradus.engine.making.classify import num_unclassified
from gradus.engine.making.forms import corrected_turns
from gradus.engine.parts import write_part
from gradus.engine.records import HELDOUT, JudgedAttempt
from gradus.engine.store import open_snapshot, open_store, stored_trace
from gradus.engine.workspace import Workspace
from gradus.errors import DataError
from tests.conftest import NUM_PROBLEMS, write_lines

LOCATE = (
    "correct.domains.math.ask='''{prompt}\n{steps}\n{located}{hint}{form}'''",
    "correct.domains.math.hint='It is {expected}. '",
)


def attempts(i):
    """Return a slip, a wrong plan, a bare answer and no answer; every third problem is solved instead of the slip."""
    first, second = i, i + 1
    slip = f"We add. {first} + {second} = {2 * i + 2}. The answer is {2 * i + 2}."
    right = f"{first} + {second} = {2 * i + 1}. The answer is {2 * i + 1}."
    plan = f"{first} + {second} + 1 = {2 * i + 2}. The answer is {2 * i + 2}."
    return [right if i % 3 == 0 else slip, plan, f"The answer is {2 * i + 5}.", "I do not know."]


@pytest.fixture(scope="module")
def judged(new_world, tmp_path_factory):
    """Return a world whose student was sampled and judged. Only to be copied."""
    folder = tmp_path_factory.mktemp("judged")
    world = new_world(folder)
    rows = ({"ask": f"What is {i} + {i + 1}?", "answers": attempts(i)} for i in range(NUM_PROBLEMS))
    recording = write_lines(folder / "mixed.jsonl", rows)
    steps.sample(world.workspace, load_recipe(str(world.recipe_path), [f"teacher.model={recording}"]))
    steps.judge(world.workspace, workers=1)
    return world


@pytest.fixture
def failed(judged, tmp_path):
    """Return a copy of that world, and a function that makes a recipe of overrides."""
    shutil.copytree(judged.workspace.root, tmp_path / "workspace", symlinks=True)

    def recipe(*overrides):
        return load_recipe(str(judged.recipe_path), ["correct.failures_per_problem=4", *LOCATE, *overrides])

    return replace(judged, workspace=Workspace(tmp_path / "workspace")), recipe


def replies(world, recipe, path, say):
    """Record what say(failure) answers to the failures of a recipe, and return overrides for that teacher."""
    with world.workspace.writing(), open_store(world.workspace) as store:
        correcting.classify(store, world.workspace, workers=1)
        found = failures(store, world.student, recipe().correct.failures_per_problem)
    asked = ((messages(failure, recipe().correct.domain("math"))[-1]["content"], say(failure)) for failure in found)
    write_lines(path, ({"ask": ask, "answers": [answer]} for ask, answer in asked))
    return ["teacher.kind=replay", f"teacher.model={path}"]


def go_on(failure):
    """Say what a good teacher would; every fourth slip is repeated, and the right answer stated all the same."""
    expected = failure.problem.spec["expected"]
    i = (int(expected) - 1) // 2
    text = f"{i} + {i + 1} = {expected}. The answer is {expected}."
    if failure.kind != "arithmetic slip":
        return text
    if i % 4 == 0:
        return failure.answer.rpartition(" The answer")[0] + f" The answer is {expected}."
    return f"First wrong step: 2\nWhy: The sum is one less.\nContinuation: {text}"


def run(world, capsys, *argv):
    status = main([*argv, "--json", "--workspace", str(world.workspace.root)])
    out, err = capsys.readouterr()
    return status, json.loads(out) if out else err


def test_failures_are_clustered_by_kind(failed, capsys):
    world, _ = failed
    status, found = run(world, capsys, "failures", "--workers", "1", "--examples", "2")
    assert status == 0, found
    counts = {row["kind"]: (row["failures"], row["problems"]) for row in found["clusters"]}
    slips = sum(i % 3 != 0 for i in range(35))
    assert counts == {
        "arithmetic slip": (slips, slips),
        "wrong plan": (35, 35),
        "no work shown": (35, 35),
        "format": (35, 35),
    }
    assert found["classified"] == 3 * 35 + slips
    assert {len(row["examples"]) for row in found["clusters"]} == {2}
    (slip,) = (row for row in found["clusters"] if row["kind"] == "arithmetic slip")
    assert slip["examples"][0]["detail"] in slip["examples"][0]["answer"]


def test_a_second_look_classifies_nothing_and_says_the_same(failed, capsys):
    world, _ = failed
    first = run(world, capsys, "failures", "--workers", "1")[1]
    again = run(world, capsys, "failures", "--workers", "2")[1]
    assert (again["classified"], again["clusters"]) == (0, first["clusters"])


def test_several_workers_find_the_same_kinds(failed, capsys):
    world, _ = failed
    found = run(world, capsys, "failures", "--workers", "2")[1]
    for path in (world.workspace.parts / "failure_kinds").rglob("*.parquet"):
        path.unlink()
    world.workspace.database.unlink()
    assert run(world, capsys, "failures", "--workers", "1")[1] == found


def test_no_failure_of_another_model_or_domain_is_shown(failed, capsys):
    world, _ = failed
    assert run(world, capsys, "failures", "--model", "nobody")[1]["clusters"] == []
    assert run(world, capsys, "failures", "--domain", "code")[1]["clusters"] == []
    assert len(run(world, capsys, "failures", "--model", world.student)[1]["clusters"]) == 4


def test_failures_as_text(failed, capsys):
    world, _ = failed
    assert main(["failures", "--workspace", str(world.workspace.root), "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "failures classified" in out
    assert "math, arithmetic slip: " in out


def test_a_new_verdict_is_classified_anew(failed):
    world, _ = failed
    with world.workspace.writing(), open_store(world.workspace) as store:
        correcting.classify(store, world.workspace, workers=1)
        assert num_unclassified(store) == 0
        later = [JudgedAttempt(**row | {"version": "99", "reason": "other"}) for row in store.rows("FROM verdicts")]
        write_part(world.workspace.parts, "later", later)
        store.sync(world.workspace.parts)
        assert num_unclassified(store) == store.rows("SELECT count(*) AS n FROM judged WHERE outcome <> 'pass'")[0]["n"]


def test_corrections_are_kept_or_dropped_with_reasons_that_add_up(failed, capsys, tmp_path):
    world, recipe = failed
    teacher = replies(world, recipe, tmp_path / "teacher.jsonl", go_on)
    counts = steps.correct(world.workspace, recipe(*teacher), workers=1)
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values()) == counts["made"]
    bad = sum(i % 4 == 0 for i in range(35) if i % 3)
    assert counts["dropped"] == {"states a wrong step": bad}
    kinds = {row["kind"]: row for row in counts["by_kind"]}
    slips = sum(i % 3 != 0 for i in range(35))
    assert kinds["arithmetic slip"] == {
        "domain": "math",
        "kind": "arithmetic slip",
        "failures": slips,
        "corrections": slips,
        "passed": slips,
        "kept": slips - bad,
    }
    with open_snapshot(world.workspace) as store:
        pairs = store.rows("FROM corrections")
        drops = store.rows("SELECT reason FROM dropped WHERE step = 'corrections'")
    assert len(pairs) == counts["kept"]
    assert len(drops) == bad
    assert {pair["failed_by"] for pair in pairs} == {world.student}
    assert all(pair["corrected"].startswith("We add. ") for pair in pairs if pair["kind"] == "arithmetic slip")


def test_a_slip_is_corrected_in_one_turn(failed, tmp_path):
    world, recipe = failed
    teacher = replies(world, recipe, tmp_path / "teacher.jsonl", go_on)
    steps.correct(world.workspace, recipe(*teacher), workers=1)
    with open_snapshot(world.workspace) as store:
        rows = store.named("passing", {"per_problem": 9, "heldout": HELDOUT})
    turns = [corrected_turns(row, "continue", feedback="", notice="Wait.") for row in rows if row["step"]]
    assert turns
    for (turn,) in turns:
        given, said = turn["content"][: turn["given"]], turn["content"][turn["given"] :]
        assert given.startswith("We add. ")
        assert said.startswith(" Wait. The sum is one less. ")


def test_a_second_run_does_nothing_and_a_lost_reading_is_made_up_for(failed, tmp_path):
    world, recipe = failed
    teacher = replies(world, recipe, tmp_path / "teacher.jsonl", go_on)
    first = steps.correct(world.workspace, recipe(*teacher), workers=1)
    for path in (world.workspace.parts / "revisions").rglob("*.parquet"):
        path.unlink()
    world.workspace.database.unlink()
    again = steps.correct(world.workspace, recipe(*teacher), workers=2)
    assert (again["made"], again["skipped"]) == (0, first["made"])
    assert {name: again[name] for name in ("in", "kept", "dropped", "by_kind")} == {
        name: first[name] for name in ("in", "kept", "dropped", "by_kind")
    }


def test_kinds_are_bounded_and_a_higher_bound_goes_on(failed, tmp_path):
    world, recipe = failed
    teacher = replies(world, recipe, tmp_path / "teacher.jsonl", go_on)
    most = 'correct.most={"math/no work shown" = 5, "*/wrong plan" = 0}'
    counts = steps.correct(world.workspace, recipe(*teacher, most), workers=1)
    slips = sum(i % 3 != 0 for i in range(35))
    assert {row["kind"]: row["corrections"] for row in counts["by_kind"]} == {
        "arithmetic slip": slips,
        "no work shown": 5,
    }
    assert counts["set_aside"] == 30 + 35
    again = steps.correct(world.workspace, recipe(*teacher, most), workers=1)
    assert (again["made"], again["skipped"]) == (0, slips + 5)
    higher = steps.correct(world.workspace, recipe(*teacher, most.replace("5", "9")), workers=1)
    assert (higher["made"], higher["skipped"]) == (4, slips + 5)


def test_a_budget_stops_and_the_rest_is_made_later(failed, tmp_path):
    world, recipe = failed
    teacher = replies(world, recipe, tmp_path / "teacher.jsonl", go_on)
    counts = steps.correct(world.workspace, recipe(*teacher, "correct.budget.tokens=3000"), workers=1)
    assert 0 < counts["made"] < counts["failures"]
    assert (counts["stopped"], counts["left"]) == ("3,000 tokens", counts["failures"] - counts["made"])
    rest = steps.correct(world.workspace, recipe(*teacher), workers=1)
    assert (rest["made"], rest["skipped"], rest["left"]) == (counts["left"], counts["made"], 0)


def test_a_finders_failures_are_taken_instead(failed, tmp_path):
    world, recipe = failed
    path = tmp_path / "finder.jsonl"
    rows = (
        {"ask": f"What is {i} + {i + 1}?", "answers": [f"{i} + {i + 1} = 1. The answer is 1."]} for i in range(1, 40)
    )
    write_lines(path, [{"ask": "What is 0 + 1?", "answers": ["It is 2."]}, *rows])
    finder = recipe("teacher.kind=replay", f"teacher.model={path}", "sample.num_attempts=1")
    name = steps.sample(world.workspace, finder)["model"]
    steps.judge(world.workspace, workers=1)
    with open_snapshot(world.workspace) as store:
        assert correcting.failing_model(store, recipe(f"correct.finder={name}")) == name
        assert correcting.failing_model(store, recipe()) == world.student


def test_a_finder_without_attempts_is_an_error_that_says_what_to_do(failed):
    world, recipe = failed
    with open_snapshot(world.workspace) as store, pytest.raises(DataError, match="gradus sample") as error:
        correcting.failing_model(store, recipe("correct.finder=nobody"))
    assert "teacher.model=nobody" in str(error.value)
    assert world.student in str(error.value)


@pytest.mark.parametrize("override", ["correct.budget.passed=3", 'correct.most={"*/x" = -1}'])
def test_what_correct_cannot_do_is_refused(failed, capsys, override):
    world, _ = failed
    status, said = run(world, capsys, "correct", "--recipe", str(world.recipe_path), override)
    assert status == 2
    assert "correct" in said


def test_training_does_not_learn_the_wrong_step(failed, tmp_path):
    world, recipe = failed
    teacher = replies(world, recipe, tmp_path / "teacher.jsonl", go_on)
    steps.correct(world.workspace, recipe(*teacher), workers=1)
    built = steps.build(world.workspace, recipe("traces.form=continue", "traces.per_problem=9"))
    shards = [shard for stage in read(built).stages for shard in stage.shards]
    rows = {row["trace_id"]: row for shard in shards for row in read_shard(built, shard).to_pylist()}
    with open_snapshot(world.workspace) as store:
        traces = [stored_trace(row) for row in store.rows("SELECT * FROM traces WHERE kind = 'correction'")]
    renderer = Renderer(Path(world.recipe.student))
    continued = [trace for trace in traces if "given" in trace.messages[-1]]
    assert len(continued) == sum(i % 3 != 0 and i % 4 != 0 for i in range(35))
    for trace in continued:
        ids, mask = renderer.trace(trace.messages, trace.learn)
        learned = renderer._tokenizer.decode([token for token, flag in zip(ids, mask, strict=True) if flag])
        assert learned.startswith(" Wait, that is not right. The sum is one less. ")
        assert "We add." not in learned
        if row := rows.get(trace.id):
            assert (row["token_ids"], row["loss_mask"]) == (list(ids), list(mask))
    assert sum(trace.id in rows for trace in continued) > 4
