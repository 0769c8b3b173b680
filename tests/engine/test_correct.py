"""Corrections: of wrong answers only, with the hint in the question and not in the trace."""

import json

import pytest

from gradus.api import steps
from gradus.curricula.recipe import load_recipe
from gradus.engine.correct import (
    CorrectConfig,
    CorrectDomainConfig,
    Failure,
    corrections_done,
    failures,
    messages,
    plan_corrections,
)
from gradus.engine.records import HELDOUT, Problem
from gradus.engine.store import open_snapshot
from gradus.engine.traces import TraceConfig, kept_traces, write_traces

PROBLEM = Problem(prompt="What is {x}?", domain="math", verifier="math", spec={"expected": "7"}, source="s")
FAILURE = Failure(
    attempt_id="a", answer="It is {reason}.", reason="got {hint}, expected 7.", kind="wrong plan", problem=PROBLEM
)


@pytest.fixture
def store(finished):
    with open_snapshot(finished.workspace) as opened:
        yield opened


def test_only_wrong_answers_are_corrected(finished, store):
    found = failures(store, finished.student, 4)
    outcomes = {row["id"]: row["outcome"] for row in store.rows("SELECT id, outcome FROM judged")}
    assert {outcomes[failure.attempt_id] for failure in found} == {"fail"}
    unparseable = store.rows("SELECT id FROM judged WHERE outcome = 'unparseable' AND failed_attempt_id IS NULL")
    assert len(unparseable) == 4
    assert not {row["id"] for row in unparseable} & {failure.attempt_id for failure in found}


def test_held_out_problems_are_never_corrected(finished, store):
    wrong = store.rows(
        "SELECT judged.id FROM judged JOIN problems ON problems.id = problem_id "
        "WHERE outcome = 'fail' AND list_contains(tags, $tag)",
        {"tag": HELDOUT},
    )
    assert len(wrong) == 10
    assert not {row["id"] for row in wrong} & {failure.attempt_id for failure in failures(store, finished.student, 9)}


@pytest.mark.parametrize("per_problem", [1, 2, 4])
def test_as_many_failures_of_each_problem_as_asked_for(finished, store, per_problem):
    found = failures(store, finished.student, per_problem)
    counts = {}
    for failure in found:
        counts[failure.problem.id] = counts.get(failure.problem.id, 0) + 1
    assert max(counts.values()) == per_problem
    assert len(counts) == 28  # of 35, every fifth is always right


def test_failures_of_one_problem_differ_in_text(finished, store):
    found = failures(store, finished.student, 4)
    assert len({(failure.problem.id, failure.answer) for failure in found}) == len(found)


def test_another_models_failures_are_not_taken(store):
    assert failures(store, "someone else", 4) == []


def test_the_question_holds_the_reference_answer_and_the_reason():
    domain = CorrectDomainConfig(system="Calculate.")
    first, ask = messages(FAILURE, domain)
    assert first == {"role": "system", "content": "Calculate."}
    assert "The right answer is 7." in ask["content"]
    assert FAILURE.answer in ask["content"]


def test_braces_that_a_model_wrote_stay_as_they_are():
    (ask,) = messages(FAILURE, CorrectDomainConfig(ask="{prompt}|{answer}|{reason}|{hint}", hint="H {expected}"))
    assert ask["content"] == "What is {x}?|It is {reason}.|got {hint}, expected 7|H 7"


def test_a_problem_without_a_reference_answer_gets_no_hint():
    problem = Problem(prompt="p", domain="code", verifier="code", spec={"tests": ["assert f()"]}, source="s")
    failure = Failure(attempt_id="a", answer="x", reason="r", kind="exception", problem=problem)
    (ask,) = messages(failure, CorrectDomainConfig(ask="{hint}{prompt}"))
    assert ask["content"] == "p"


def test_a_hint_shows_calls_as_a_model_writes_them():
    spec = {"expected": [{"name": "f", "arguments": {"a": 1}}, {"name": "g"}]}
    problem = Problem(prompt="p", domain="tool", verifier="tool_call", spec=spec, source="s")
    failure = Failure(attempt_id="a", answer="x", reason="r", kind="wrong tool", problem=problem)
    (ask,) = messages(failure, CorrectDomainConfig(ask="{hint}", hint="{expected}"))
    assert ask["content"] == (
        '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>\n'
        '<tool_call>\n{"name": "g", "arguments": {}}\n</tool_call>'
    )


def test_tries_have_indices_and_seeds_of_their_own():
    asks = plan_corrections([FAILURE], CorrectConfig(tries=3, seed=10), set())
    assert [(ask.index, ask.seed, ask.failed_attempt_id) for ask in asks] == [(0, 10, "a"), (1, 11, "a"), (2, 12, "a")]
    done = {("a", asks[1].sampler, 1)}
    assert [ask.index for ask in plan_corrections([FAILURE], CorrectConfig(tries=3), done)] == [0, 2]


def test_a_second_run_asks_for_nothing(spoilable):
    recipe = load_recipe(str(spoilable.recipe_path), spoilable.teacher)
    counts = steps.correct(spoilable.workspace, recipe, workers=1)
    assert (counts["made"], counts["skipped"], counts["failures"]) == (0, 28, 28)


def test_only_what_passes_is_kept(store):
    (found,) = store.named("corrections")  # the teacher is right on even problems
    assert found == {"domain": "math", "kind": "no work shown", "corrections": 28, "passed": 14, "kept": 14}
    kinds = {row["kind"]: row["n"] for row in store.rows("SELECT kind, count(*) AS n FROM traces GROUP BY 1")}
    assert kinds["correction"] == 14


def traces(store, kind):
    rows = store.rows("SELECT * FROM traces WHERE kind = $kind", {"kind": kind})
    assert rows
    return [row | {"messages": json.loads(row["messages"])} for row in rows]


def test_a_trace_has_the_failure_and_a_plain_remark_but_no_hint(store):
    answers = {row["id"]: row["answer"] for row in store.rows("SELECT id, answer FROM attempts")}
    for trace in traces(store, "correction"):
        ask, wrong, remark, answer = trace["messages"]
        assert ask["content"].startswith("What is ")
        assert wrong == {"role": "assistant", "content": answers[trace["failed_attempt_id"]]}
        assert remark == {"role": "user", "content": TraceConfig().feedback}
        assert answer == {"role": "assistant", "content": answers[trace["attempt_id"]]}
        assert not any("Wrong:" in m["content"] or "It is " in m["content"] for m in trace["messages"])
        assert trace["learn"] == [False, False, False, True]


def test_a_traces_lineage_leads_to_its_attempts(finished, store):
    rows = {row["id"]: row for row in store.rows("SELECT * FROM judged")}
    for trace in traces(store, "correction"):
        fixed, failed = rows[trace["attempt_id"]], rows[trace["failed_attempt_id"]]
        assert fixed["failed_attempt_id"] == failed["id"]
        assert fixed["problem_id"] == failed["problem_id"] == trace["problem_id"]
        assert (fixed["outcome"], failed["outcome"]) == ("pass", "fail")
        assert (failed["model_id"], trace["teacher"]) == (finished.student, fixed["model_id"])
    for trace in traces(store, "cot"):
        assert rows[trace["attempt_id"]]["outcome"] == "pass"
        assert trace["failed_attempt_id"] is None
        assert trace["learn"] == [False, True]


def test_no_trace_comes_from_a_held_out_problem(store):
    heldout = {row["id"] for row in store.rows("SELECT id FROM problems WHERE list_contains(tags, $t)", {"t": HELDOUT})}
    assert len(heldout) == 5
    passed = store.rows("SELECT problem_id FROM judged WHERE outcome = 'pass'")
    assert heldout & {row["problem_id"] for row in passed}
    assert not heldout & {row["problem_id"] for kind in ("cot", "correction") for row in traces(store, kind)}


@pytest.mark.parametrize("per_problem", [1, 2, 4])
def test_a_problem_gives_at_most_so_many_traces_of_a_kind(store, per_problem):
    made = kept_traces(store, TraceConfig(per_problem=per_problem))
    counts = {}
    for trace in made:
        counts[trace.problem_id, trace.kind] = counts.get((trace.problem_id, trace.kind), 0) + 1
    assert max(counts.values()) == per_problem


def test_harvesting_twice_writes_nothing_new(finished, store, tmp_path):
    assert write_traces(store, tmp_path, finished.recipe.traces) == 0
    assert (
        len(list(kept_traces(store, finished.recipe.traces))) == store.rows("SELECT count(*) AS n FROM traces")[0]["n"]
    )
    assert not list(tmp_path.iterdir())


def test_an_answer_that_was_cut_off_is_no_trace(spoilable):
    with steps.open_store(spoilable.workspace) as store:
        before = list(kept_traces(store, TraceConfig()))
        store.rows("UPDATE attempts SET finish_reason = 'length' WHERE failed_attempt_id IS NULL")
        after = list(kept_traces(store, TraceConfig()))
    assert {trace.kind for trace in before} == {"cot", "correction"}
    assert {trace.kind for trace in after} == {"correction"}


def test_another_teacher_is_asked_again(spoilable, tmp_path):
    """As sampling does: attempts of one model say nothing about another's."""
    other = tmp_path / "other.jsonl"
    other.write_text(spoilable.corrections.read_text() + "\n")
    recipe = load_recipe(str(spoilable.recipe_path), ["teacher.kind=replay", f"teacher.model={other}"])
    assert steps.correct(spoilable.workspace, recipe, workers=1)["made"] == 28


def test_what_was_asked_for_is_found_again(store):
    (teacher,) = store.rows("SELECT DISTINCT model_id FROM attempts WHERE failed_attempt_id IS NOT NULL")
    done = corrections_done(store, teacher["model_id"])
    assert len(done) == 28
    assert {index for _, _, index in done} == {0}
    assert corrections_done(store, "someone else") == set()
