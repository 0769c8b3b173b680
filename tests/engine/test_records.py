"""A record's id is a hash of what makes it that record, and of nothing else."""

import hashlib
from dataclasses import replace

import pytest

from gradus.engine.records import Attempt, Message, Problem, Trace, canonical_json, content_id

PROBLEM = Problem(prompt="1 + 1?", domain="math", verifier="math", spec={"expected": "2", "tolerance": 0.1}, source="a")
ATTEMPT = Attempt(
    problem_id=PROBLEM.id,
    model_id="m",
    sampler="s",
    index=0,
    seed=1,
    sampling={"temperature": 1.0},
    messages=(Message(role="user", content="1 + 1?"), Message(role="assistant", content="2")),
    token_ids=(1,),
    token_logprobs=(0.0,),
    tokens_in=3,
    seconds=0.1,
    finish_reason="stop",
)


def test_the_order_of_keys_does_not_change_an_id():
    assert replace(PROBLEM, spec={"tolerance": 0.1, "expected": "2"}).id == PROBLEM.id


@pytest.mark.parametrize("change", [{"prompt": "1 + 1 ?"}, {"verifier": "choice"}, {"spec": {"expected": "3"}}])
def test_what_is_asked_and_how_it_is_judged_change_a_problems_id(change):
    assert replace(PROBLEM, **change).id != PROBLEM.id


@pytest.mark.parametrize("change", [{"domain": "stem"}, {"source": "b"}, {"tags": ("x",)}, {"parents": ("y",)}])
def test_where_a_problem_came_from_does_not_change_its_id(change):
    assert replace(PROBLEM, **change).id == PROBLEM.id


@pytest.mark.parametrize(
    "change",
    [
        {"problem_id": "p"},
        {"model_id": "n"},
        {"policy_version": "1"},
        {"sampler": "another"},
        {"sampling": {"temperature": 0.5}},
        {"seed": 2},
        {"index": 1},
        {"failed_attempt_id": "f"},
        {"messages": (Message(role="user", content="1 plus 1?"), ATTEMPT.messages[1])},
    ],
)
def test_the_request_changes_an_attempts_id(change):
    assert replace(ATTEMPT, **change).id != ATTEMPT.id


def test_the_answer_does_not_change_an_attempts_id():
    """The same request, asked again on another machine, is the same attempt."""
    other = (ATTEMPT.messages[0], Message(role="assistant", content="3"))
    assert replace(ATTEMPT, messages=other, seconds=9.0, token_ids=(7, 8)).id == ATTEMPT.id


def test_a_trace_is_its_conversation():
    trace = Trace(
        kind="cot", domain="math", messages=ATTEMPT.messages, learn=(False, True), problem_id="p", attempt_id="a"
    )
    assert replace(trace, attempt_id="b", kind="correction").id == trace.id
    assert replace(trace, messages=trace.messages[:1]).id != trace.id


def test_an_id_is_the_sha256_of_canonical_json():
    assert content_id("a", {"b": 1}) == hashlib.sha256(b'["a",{"b":1}]').hexdigest()


def test_canonical_json_keeps_every_letter_as_it_is():
    assert canonical_json({"ü": "→", "a": [1, None]}) == '{"a":[1,null],"ü":"→"}'
