"""`gradus dedupe` drops, counts, repeats itself and takes it back; later steps leave out what it dropped."""

import json

import pytest

from gradus.api.cli import main
from gradus.engine.parts import write_part
from gradus.engine.records import HELDOUT, Drop, Problem
from gradus.engine.store import open_snapshot, open_store
from gradus.engine.traces import kept_traces


def problem(prompt, expected, *tags):
    return Problem(prompt=prompt, domain="math", verifier="math", spec={"expected": expected}, source="t", tags=tags)


def drop_of(record):
    return Drop(record_id=record, step="by hand", reason="broken")


@pytest.fixture
def gradus(workspace, capsys):
    """Return a function that runs one command in the workspace and gives its status, output and errors."""

    def run(*argv, root=workspace.root):
        status = main([*argv, "--workspace", str(root)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return run


@pytest.fixture
def four(workspace):
    """Return four problems in the workspace: two alike, one nearly, one with other numbers."""
    story = "{} baker makes {} loaves of rye bread before noon and 12 loaves of rye bread after noon. How many in all?"
    found = [
        problem(story.format("A", 30), "42"),
        problem(story.format("A", 30).upper(), "42"),
        problem(story.format("Some", 30), "42"),
        problem(story.format("A", 31), "43"),
    ]
    write_part(workspace.parts, "r", found)
    return found


@pytest.mark.parametrize(
    ("flags", "kept", "kinds"),
    [
        ((), 3, {"exact duplicate"}),
        (("--near",), 2, {"exact duplicate", "near duplicate"}),
        (("--near", "--threshold", "0.99"), 3, {"exact duplicate"}),
        (("--semantic", "--threshold", "0.99"), 2, {"exact duplicate", "retold"}),
    ],
)
def test_counts_add_up(gradus, four, flags, kept, kinds):
    status, out, _ = gradus("dedupe", "--json", *flags)
    counts = json.loads(out)
    assert status == 0
    assert counts["in"] == 4 == counts["kept"] + sum(counts["dropped"].values())
    assert counts["kept"] == kept
    # Where the lowest id is the reworded one, both of the equal ones are near it.
    assert set(counts["dropped"]) <= kinds


def test_running_again_changes_nothing_and_undo_restores(gradus, workspace, four):
    first = gradus("dedupe", "--near", "--json")[1]
    with open_snapshot(workspace) as store:
        version = store.version
    assert gradus("dedupe", "--near", "--json")[1] == first
    with open_snapshot(workspace) as store:
        assert store.version == version
    assert gradus("dedupe", "--undo")[1] == "2 problems restored\n"
    with open_snapshot(workspace) as store:
        assert store.rows("FROM dropped") == []
        assert len(store.problems()) == 4


def test_the_text_names_the_reasons(gradus, four):
    out = gradus("dedupe", "--near")[1]
    assert out.startswith("4 problems: 2 kept, 2 dropped\n")
    assert "duplicate" in out.splitlines()[1]


def test_a_reason_names_the_record_that_stays(gradus, workspace, four):
    gradus("dedupe")
    with open_snapshot(workspace) as store:
        (row,) = store.rows("SELECT reason FROM dropped")
        ids = [p.id[:8] for p in store.problems("NOT EXISTS (FROM dropped WHERE record_id = problems.id)")]
    assert row["reason"].split()[-1] in ids


def test_held_out_problems_stay_and_their_copies_go(gradus, workspace):
    copy, kept = problem("What is 12 + 30?", "42"), problem("what is 12 + 30", "42", HELDOUT)
    write_part(workspace.parts, "r", [copy, kept])
    assert json.loads(gradus("dedupe", "--json")[1])["dropped"] == {"exact duplicate": 1}
    with open_snapshot(workspace) as store:
        assert [row["record_id"] for row in store.rows("FROM dropped")] == [copy.id]


def test_traces_and_answers_of_dropped_problems_are_left_out(spoilable, capsys):
    workspace, recipe = spoilable.workspace, spoilable.recipe
    with open_store(workspace) as store:
        before = list(kept_traces(store, recipe.traces))
        one = before[0].problem_id
        write_part(workspace.parts, "hand", [row := drop_of(one), drop_of(before[-1].id)])
    with open_store(workspace) as store:
        after = list(kept_traces(store, recipe.traces))
        failures = store.named("failures", {"model": spoilable.student, "per_problem": 9, "heldout": HELDOUT})
    assert row.record_id not in {trace.problem_id for trace in after}
    assert before[-1].id not in {trace.id for trace in after}
    assert len(after) >= len(before) - 1 - sum(trace.problem_id == one for trace in before)
    assert one not in {failure["id"] for failure in failures}


def test_traces_are_deduped_too(spoilable, gradus):
    status, out, _ = gradus("dedupe", "--what", "traces", "--near", "--json", root=spoilable.workspace.root)
    counts = json.loads(out)
    assert status == 0
    assert counts["in"] == counts["kept"] + sum(counts["dropped"].values()) > 0


def test_an_empty_workspace_has_nothing_to_drop(gradus):
    assert json.loads(gradus("dedupe", "--near", "--json")[1]) == {"in": 0, "kept": 0, "dropped": {}}


@pytest.mark.parametrize("value", ["0", "1.5", "-1"])
def test_a_threshold_that_makes_no_sense_is_refused(gradus, value):
    status, out, err = gradus("dedupe", "--near", "--threshold", value)
    assert (status, out) == (2, "")
    assert "--threshold must be above 0" in err
