"""The newest run of a step is what counts, and no part is ever changed."""

import hashlib

import pytest

from gradus.engine.clean.runs import reason_kinds, record_run, take_back
from gradus.engine.parts import list_parts, write_part
from gradus.engine.records import Drop
from gradus.engine.store import open_store


def run(workspace, step, reasons, looked_at=9):
    with open_store(workspace) as store:
        return record_run(store, workspace.parts, step, reasons, looked_at=looked_at)


def undo(workspace, step):
    with open_store(workspace) as store:
        return take_back(store, workspace.parts, step)


def cleaning(workspace, prefix=""):
    with open_store(workspace) as store:
        return [tuple(row.values()) for row in store.named("cleaning", {"prefix": prefix})]


def dropped(workspace):
    with open_store(workspace) as store:
        return {(row["step"], row["record_id"]) for row in store.rows("FROM dropped")}


@pytest.fixture
def hashes(workspace):
    def read():
        return {path: hashlib.sha256(path.read_bytes()).digest() for _, path in list_parts(workspace.parts)}

    return read


def test_a_later_run_replaces_an_earlier_one_and_an_empty_one_restores(workspace, hashes):
    assert run(workspace, "dedupe problems", {"a": "x: 1", "b": "x: 2"})
    first = hashes()
    assert dropped(workspace) == {("dedupe problems", "a"), ("dedupe problems", "b")}
    assert run(workspace, "dedupe problems", {"b": "x: 2", "c": "x: 3"})
    assert dropped(workspace) == {("dedupe problems", "b"), ("dedupe problems", "c")}
    assert run(workspace, "dedupe problems", {})
    assert dropped(workspace) == set()
    assert run(workspace, "dedupe problems", {"a": "x: 1"})
    assert dropped(workspace) == {("dedupe problems", "a")}
    assert first.items() <= hashes().items()


def test_the_same_run_is_not_written_again(workspace):
    assert run(workspace, "dedupe problems", {})
    assert not run(workspace, "dedupe problems", {})
    assert run(workspace, "dedupe problems", {"a": "x: 1"})
    assert not run(workspace, "dedupe problems", {"a": "x: 1"})
    assert len(list(list_parts(workspace.parts))) == 2


def test_the_same_run_over_more_records_is_written(workspace):
    assert run(workspace, "s", {}, looked_at=9)
    assert run(workspace, "s", {}, looked_at=10)
    assert cleaning(workspace) == [("s", 10, "nothing found", 0)]


def test_a_run_that_finds_nothing_is_not_like_no_run(workspace):
    assert cleaning(workspace) == []
    run(workspace, "decontaminate aime", {}, looked_at=500)
    run(workspace, "decontaminate gsm8k", {"a": "x: 1", "b": "x: 2", "c": "y"}, looked_at=400)
    assert cleaning(workspace, "decontaminate") == [
        ("decontaminate aime", 500, "nothing found", 0),
        ("decontaminate gsm8k", 400, "x", 2),
        ("decontaminate gsm8k", 400, "y", 1),
    ]
    assert cleaning(workspace, "dedupe") == []


def test_a_run_that_is_taken_back_was_never_made(workspace):
    assert undo(workspace, "s") == 0
    assert not list(list_parts(workspace.parts))
    run(workspace, "s", {"a": "x: 1"})
    assert undo(workspace, "s") == 1
    run(workspace, "t", {})
    assert undo(workspace, "t") == 0
    assert dropped(workspace) == set()
    assert cleaning(workspace) == []
    before = len(list(list_parts(workspace.parts)))
    assert undo(workspace, "s") == undo(workspace, "t") == 0
    assert len(list(list_parts(workspace.parts))) == before


def test_a_run_of_before_looked_at_nobody_knows_how_many(workspace):
    drops = [Drop(record_id=record, step="s/1", reason=reason) for record, reason in (("", "run"), ("a", "x: 1"))]
    write_part(workspace.parts, "s", drops)
    assert cleaning(workspace) == [("s", None, "x", 1)]
    assert undo(workspace, "s") == 1


def test_steps_do_not_replace_each_other(workspace):
    for step in ("decontaminate one", "decontaminate two", "dedupe traces"):
        run(workspace, step, {"a": "x: 1"})
    run(workspace, "decontaminate one", {})
    assert dropped(workspace) == {("decontaminate two", "a"), ("dedupe traces", "a")}


def test_more_than_nine_runs_are_ordered_as_numbers(workspace):
    for number in range(12):
        assert run(workspace, "s", {str(number): "x"})
    assert dropped(workspace) == {("s", "11")}


def test_drops_without_a_run_stand(workspace):
    write_part(workspace.parts, "r", [Drop(record_id="a", step="by hand", reason="broken")])
    assert dropped(workspace) == {("by hand", "a")}


def test_the_funnel_counts_kinds_of_reasons_of_the_newest_run(workspace):
    run(workspace, "s", {"a": "near: 0.9", "b": "near: 0.8", "c": "exact: x"})
    run(workspace, "s", {"a": "near: 0.9", "b": "near: 0.8"})
    with open_store(workspace) as store:
        rows = store.rows("SELECT step, records FROM funnel WHERE step LIKE 'dropped%'")
    assert rows == [{"step": "dropped: s: near", "records": 2}]


def test_reasons_are_counted_by_their_kind():
    assert reason_kinds({"a": "near: 0.9 …", "b": "near: 0.8: x", "c": "exact: y"}) == {"exact": 1, "near": 2}
