import json

import pytest

from gradus.config import build
from gradus.engine.making.limits import LimitConfig, fault
from gradus.engine.making.shape import VERSION, measure, num_unshaped, shape_of
from gradus.engine.parts import write_part
from gradus.engine.records import Trace
from gradus.engine.store import open_store
from gradus.engine.traces import TraceConfig
from gradus.errors import ConfigError

SOLUTION = """First split it up.

1. In May she sold 48/2 = 24 clips.
2. In all that is 48 + 24 = 72 clips.
Let me check: 72 - 24 = 48.

Alternatively, 48 * 1.5 = 72."""


def row(*turns, domain="math", learn=None):
    learn = learn or [turn["role"] == "assistant" for turn in turns]
    return {"id": "t", "domain": domain, "messages": json.dumps(turns), "learn": learn}


def said(text, **more):
    return {"role": "assistant", "content": text, **more}


ASK = {"role": "user", "content": "1 + 1 = 3, is it? How many clips?"}


def test_a_solution_is_measured():
    shape = shape_of(row(ASK, said(SOLUTION)))
    assert (shape.num_steps, shape.num_numbered, shape.num_checks, shape.num_restarts) == (5, 2, 1, 1)
    assert (shape.num_equations, shape.num_holding, shape.num_failed) == (4, 4, 0)
    assert (shape.num_words, shape.num_chars) == (len(SOLUTION.split()), len(SOLUTION))
    assert shape.reasoning_share == 0
    assert shape.version == VERSION


def test_only_what_is_learned_counts():
    wrong, right = said("1 + 1 = 3."), said("1 + 1 = 2.")
    assert shape_of(row(ASK, wrong, ASK, right, learn=[False, False, False, True])).num_failed == 0
    assert shape_of(row(ASK, wrong, ASK, right, learn=[False, True, False, True])).num_failed == 1


def test_what_a_turn_was_given_does_not_count():
    given = "1 + 1 = 3."
    shape = shape_of(row(ASK, said(f"{given} Wait, that is not right. 1 + 1 = 2.", given=len(given))))
    assert (shape.num_holding, shape.num_failed) == (1, 0)


def test_thoughts_count_before_the_answer():
    shape = shape_of(row(ASK, said("It is 5.", reasoning="2 + 3 = 5, so")))
    assert shape.num_holding == 1
    assert shape.reasoning_share == pytest.approx(13 / 21)


def test_equations_are_not_looked_for_in_code():
    assert shape_of(row(ASK, said("n = 3\nassert 1 + 1 == 3"), domain="code")).num_equations == 0


@pytest.mark.parametrize(
    ("text", "num"),
    [
        ("1. a\n2. b\n3. c", 3),
        ("Step 1: a\n\nStep 2: b", 2),
        ("**Step 1.** a\n**Step 2.** b", 2),
        ("### 1) a\ntext\n### 2) b\n1. inner\n2. inner\n### 3) c", 3),
        ("3. a\n4. b", 0),
        ("1. a", 0),
        ("2024. was a year", 0),
        ("", 0),
    ],
)
def test_numbered_steps_count_up_from_one(text, num):
    assert shape_of(row(said(text or " "))).num_numbered == num


@pytest.mark.parametrize(
    ("text", "checks", "restarts"),
    [
        ("Let me double-check this result now.", 1, 0),
        ("Check: 3 * 4 = 12.", 1, 0),
        ("Plugging x back into the equation gives 5.", 1, 0),
        ("We verify the result. It fits well.", 1, 0),
        ("A second way: count them all.", 0, 1),
        ("She wrote a check for $20.", 0, 0),
        ("He took the second bus.", 0, 0),
    ],
)
def test_checks_and_restarts_are_announced(text, checks, restarts):
    shape = shape_of(row(said(text)))
    assert (shape.num_checks, shape.num_restarts) == (checks, restarts)


SHAPE = {"num_steps": 3, "num_numbered": 2, "num_failed": 1, "num_holding": 3}


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({}, ""),
        ({"min_steps": 3}, ""),
        ({"min_steps": 4}, "too few steps: 3, asked for 4"),
        ({"min_numbered": 3}, "too few numbered steps: 2, asked for 3"),
        ({"min_tokens": 101}, "too short: 100 tokens, asked for 101"),
        ({"min_tokens": 100, "max_tokens": 100}, ""),
        ({"max_tokens": 99}, "too long: 100 tokens, allowed 99"),
        ({"max_failed_equations": 0}, "wrong equations: 1, allowed 0"),
        ({"max_failed_equations": 1}, ""),
        ({"min_share_holding": 0.75}, ""),
        ({"min_share_holding": 0.8}, "too few equations hold: 0.750, asked for 0.8"),
    ],
)
def test_a_limit_rejects_what_is_beyond_it(limits, reason):
    assert fault(SHAPE, 100, LimitConfig(**limits)) == reason


def test_what_is_not_known_is_not_bounded():
    limits = LimitConfig(min_tokens=10, max_tokens=20, min_share_holding=1.0)
    assert fault(SHAPE | {"num_failed": 0, "num_holding": 0}, None, limits) == ""


@pytest.mark.parametrize(
    ("limits", "message"),
    [({"min_share_holding": 1.5}, "between 0 and 1"), ({"min_tokens": 9, "max_tokens": 8}, "above max_tokens")],
)
def test_limits_that_make_no_sense_are_refused(limits, message):
    with pytest.raises(ConfigError, match=message):
        build(TraceConfig, {"limits": {"math": limits}}, "recipe")


def trace(i):
    messages = (ASK, said(f"{i} + 1 = {i + 1}."))
    return Trace(kind="cot", domain="math", messages=messages, learn=(False, True), problem_id=f"p{i}", attempt_id="a")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_trace_is_measured_once(workspace, workers):
    write_part(workspace.parts, "r", [trace(i) for i in range(30)])
    with open_store(workspace) as store:
        assert num_unshaped(store) == 30
        assert measure(store, workspace.parts, workers=workers) == 30
        store.sync(workspace.parts)
        assert num_unshaped(store) == 0
        assert measure(store, workspace.parts) == 0
        (summary,) = store.rows("FROM trace_shapes")
    assert (summary["traces"], summary["kept"], summary["equations"], summary["share_holding"]) == (30, 30, 30, 1.0)


def test_a_new_definition_measures_anew(workspace):
    write_part(workspace.parts, "r", [trace(0)])
    with open_store(workspace) as store:
        measure(store, workspace.parts)
        store.sync(workspace.parts)
        store.rows("UPDATE shapes SET version = 0, num_failed = 7")
        assert measure(store, workspace.parts) == 1
        store.sync(workspace.parts)
        (shaped,) = store.rows("FROM shaped_traces")
    assert (shaped["version"], shaped["num_failed"]) == (VERSION, 0)


def test_what_was_measured_before_a_kill_is_kept(workspace, monkeypatch):
    monkeypatch.setattr("gradus.engine.making.work.BATCH", 10)
    write_part(workspace.parts, "r", [trace(i) for i in range(30)])

    def die(done: int) -> None:
        raise KeyboardInterrupt(done)

    with open_store(workspace) as store:
        with pytest.raises(KeyboardInterrupt):
            measure(store, workspace.parts, advance=die)
        store.sync(workspace.parts)
        assert measure(store, workspace.parts) == 20
