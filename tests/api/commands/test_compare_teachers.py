"""`gradus compare-teachers` scores every teacher's traces once, counts what it leaves out, and says who fits."""

import json
from contextlib import nullcontext
from pathlib import Path

import pytest

from gradus.api import fitting, probing
from gradus.api.cli import main
from gradus.curricula.recipe import load_recipe
from gradus.engine.compatibility.fits import score_traces
from gradus.engine.parts import write_part
from gradus.engine.records import Attempt, JudgedAttempt, Trace
from gradus.engine.store import open_snapshot, open_store
from gradus.engine.teachers.base import TeacherConfig, open_teacher

PNG = b"\x89PNG\r\n\x1a\n"


def answers(world, teacher, say, num=30):
    """Put a teacher's passing answers to the first problems into the workspace."""
    with open_store(world.workspace) as store:
        problems = store.problems("NOT list_contains(tags, 'heldout')")[:num]
    attempts = [
        Attempt(
            problem_id=problem.id,
            model_id=teacher,
            sampler="s",
            index=0,
            seed=0,
            sampling={},
            messages=(
                {"role": "user", "content": problem.prompt},
                {"role": "assistant", "content": say(problem.prompt, problem.spec["expected"])},
            ),
            token_ids=(1,),
            token_logprobs=(0.0,),
            tokens_in=1,
            seconds=0.0,
            finish_reason="stop",
        )
        for problem in problems
    ]
    verdict = {"verifier": "math", "version": "999", "outcome": "pass", "score": 1.0, "reason": "", "seconds": 0.0}
    write_part(world.workspace.parts, f"by {teacher}", attempts)
    write_part(
        world.workspace.parts,
        f"by {teacher}",
        [JudgedAttempt(attempt_id=attempt.id, **verdict) for attempt in attempts],
    )


def brief(_, expected):
    return f"The answer is {expected}."


def wordy(prompt, expected):
    return (
        f"{prompt} Let us see.\nWe add both numbers. We get {expected}.\nLet us check. It holds. We stop.\n{expected}"
    )


@pytest.fixture
def taught(spoilable):
    """Return a world where the student has answered and corrected itself, and two teachers have answered too."""
    answers(spoilable, "brief@1", brief)
    answers(spoilable, "wordy@2", wordy, num=25)
    return spoilable


@pytest.fixture
def compare(taught, capsys):
    """Return a function that runs the command and gives its status, its data or text, and its errors."""

    def run(*flags, data=True):
        argv = ["compare-teachers", "--recipe", str(taught.recipe_path), "--window", "2", *flags]
        capsys.readouterr()
        status = main([*taught.step(*argv), *(["--json"] if data else [])])
        captured = capsys.readouterr()
        return status, json.loads(captured.out) if data and not status else captured.out, captured.err

    return run


def test_every_trace_is_scored_once_and_the_counts_add_up(compare, taught):
    status, first, _ = compare()
    assert status == 0
    assert first["in"] == first["kept"] == first["scored"] > 55
    rows = {row["teacher"]: row for row in first["teachers"]}
    assert set(rows) == {"brief@1", "wordy@2", taught.student}
    assert (rows["brief@1"]["traces"], rows["wordy@2"]["traces"]) == (30, 25)
    assert rows["wordy@2"]["steps"] > rows["brief@1"]["steps"] == 1
    assert rows["wordy@2"]["tokens"] > rows["brief@1"]["tokens"]
    assert rows["brief@1"]["local_nll"] == pytest.approx(rows["brief@1"]["nll"])
    assert rows[taught.student]["own"]
    assert rows["wordy@2"]["style"] > rows["wordy@2"]["style_floor"]
    _, again, _ = compare()
    assert again["scored"] == 0
    assert again | {"scored": first["scored"]} == first
    with open_snapshot(taught.workspace) as store:
        assert store.rows("SELECT count(*) AS n FROM fits")[0]["n"] == first["kept"]


def test_another_window_is_another_measure(compare):
    compare()
    _, wide, _ = compare("--window", "3")
    assert wide["scored"] == wide["kept"]


def test_a_killed_run_goes_on_where_it_was(compare, taught, monkeypatch):
    monkeypatch.setattr("gradus.engine.compatibility.fits.AT_ONCE", 10)
    done = []

    def dies(*args):
        done.append(1)
        if len(done) > 3:
            raise KeyboardInterrupt
        return score_traces(*args)

    with monkeypatch.context() as patch:
        patch.setattr("gradus.engine.compatibility.fits.score_traces", dies)
        assert compare(data=False)[0] == 130
    _, rest, _ = compare()
    assert rest["scored"] == rest["kept"] - 30


def test_long_traces_are_left_out_and_counted(compare):
    _, found, _ = compare("--max-context", "120")
    assert list(found["dropped"]) == ["120 tokens or longer"]
    assert found["in"] == found["kept"] + sum(found["dropped"].values())
    assert "wordy@2" not in {row["teacher"] for row in found["teachers"]}


def test_the_limit_prefers_problems_that_all_have_passed(compare, taught):
    _, found, _ = compare("--limit", "10")
    assert all(row["problems"] <= 10 for row in found["teachers"])
    config = fitting.FitConfig(limit=10, window=2)
    fitted = fitting.fit_traces(taught.workspace, taught.recipe, Path(taught.recipe.student), config)
    asked = {
        name: {one.problem for one in fitted.scored if one.trace.teacher == name} for name in ("brief@1", "wordy@2")
    }
    assert asked["brief@1"] == asked["wordy@2"]


def test_the_verdict_and_the_picture_are_shown(compare, taught, tmp_path):
    status, text, _ = compare("--plot", str(tmp_path / "fit.png"), data=False)
    assert status == 0
    assert (tmp_path / "fit.png").read_bytes()[:8] == PNG
    assert "rank-surprisal ratio (lower is better)" in text
    assert f"({taught.student})" in text
    compare()
    assert (taught.workspace.root / "compare-teachers.png").read_bytes()[:8] == PNG


def test_imported_traces_are_compared_and_dropped_ones_are_not(compare, taught):
    imported = [
        Trace(
            kind="imported",
            domain="stem",
            messages=(
                {"role": "user", "content": f"Why {i}?"},
                {"role": "assistant", "content": f"Because of {i}."},
                {"role": "user", "content": "And then?"},
                {"role": "assistant", "content": "Nothing more."},
            ),
            learn=(False, True, False, True),
            problem_id="",
            attempt_id="",
            teacher="R1",
        )
        for i in range(5)
    ]
    write_part(taught.workspace.parts, "import", imported)
    _, found, _ = compare()
    row = next(row for row in found["teachers"] if row["teacher"] == "R1")
    assert (row["traces"], row["problems"], row["steps"], row["domain"]) == (5, 5, 2, "stem")


@pytest.mark.parametrize("flag", ["--limit", "--window", "--max-context"])
def test_a_limit_below_one_is_refused(compare, flag):
    status, _, error = compare(flag, "0", data=False)
    assert status == 2
    assert f"{flag} must be at least 1" in error


def test_nothing_to_compare_is_said(world, capsys):
    assert main(world.step("compare-teachers", "--recipe", str(world.recipe_path))) == 3
    assert "no trace to compare" in capsys.readouterr().err


def test_a_probe_without_two_teachers_is_refused(compare):
    status, _, error = compare("--probe", "1", "--max-context", "120", data=False)
    assert status == 2
    assert "a probe needs two teachers" in error


@pytest.mark.slow
def test_a_probe_trains_on_each_teacher_and_is_not_run_twice(taught):
    recipe, student = load_recipe(str(taught.recipe_path)), Path(taught.recipe.student)
    fitted = fitting.fit_traces(taught.workspace, recipe, student, fitting.FitConfig(window=2))
    config = probing.ProbeConfig(steps=2)
    opened = []

    def opening(teacher: TeacherConfig):
        opened.append(teacher.model)
        recording = {"kind": "recorded-student", "model": recipe.teacher.model, "options": {"student": teacher.model}}
        return nullcontext(open_teacher(TeacherConfig(**recording)))

    found = probing.probe(taught.workspace, recipe, student, fitted, config, opening=opening)
    assert [one.teacher for one in found] == ["brief@1", "wordy@2"]
    budgets = [one.num_tokens for one in found]
    assert max(budgets) - min(budgets) < 0.1 * max(budgets)
    assert len(set(opened)) == 2
    assert all(one.row()["heldout"] == 5 for one in found)
    exports = sorted((taught.workspace.root / "probes" / "runs").glob("*/export/model.safetensors"))
    times = [path.stat().st_mtime_ns for path in exports]
    again = probing.probe(taught.workspace, recipe, student, fitted, config, opening=opening)
    assert [one.row() for one in again] == [one.row() for one in found]
    assert [path.stat().st_mtime_ns for path in exports] == times
    assert len(opened) == 2
    _, (verdict,) = fitting.compare(fitted, probing.pass_rates(found))
    assert verdict.reasons[0].startswith("probe:")
