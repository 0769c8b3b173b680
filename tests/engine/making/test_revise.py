"""What is wrong with corrections that passed."""

import json

import pytest

from gradus.engine.correct import CorrectDomainConfig, Failure, messages
from gradus.engine.making.revise import revision
from gradus.engine.records import Problem
from gradus.verifiers.base import verify

PROBLEM = Problem(
    prompt="Each of 7 boxes holds 3 red and 5 blue pens. How many pens are there?",
    domain="math",
    verifier="math",
    spec={"expected": "56"},
    source="s",
)
FAILED = "One box holds 3 + 5 = 8 pens. Seven boxes hold 7 * 8 = 54 pens. The answer is 54."
ASK = "{prompt}\n\nThis attempt is wrong:\n{steps}\n\n{located}{hint}{form}"


def read(answer, *, failed=FAILED, problem=PROBLEM, finish_reason="stop", reasoning=""):
    failure = Failure(
        attempt_id="f", answer=failed, reason="got 54, expected 56", kind="arithmetic slip", problem=problem
    )
    asked = messages(failure, CorrectDomainConfig(ask=ASK))
    said = {"role": "assistant", "content": answer} | ({"reasoning": reasoning} if reasoning else {})
    row = {"id": "c", "domain": problem.domain, "answer": answer, "messages": json.dumps([*asked, said])}
    row |= {"finish_reason": finish_reason, "failed": failed, "prompt": problem.prompt}
    return revision(row | {"verifier": problem.verifier, "spec": json.dumps(problem.spec)})


def reply(step, why, text):
    return f"First wrong step: {step}\nWhy: {why}\nContinuation: {text}"


GOOD = reply(2, "Seven times eight is 56, not 54.", "Seven boxes hold 7 * 8 = 56 pens. The answer is 56.")


def test_a_reply_keeps_the_right_steps_and_shows_the_wrong_one():
    found = read(GOOD)
    assert (found.fault, found.step) == ("", 2)
    assert FAILED[: found.kept] == "One box holds 3 + 5 = 8 pens. "
    assert FAILED[: found.shown] == "One box holds 3 + 5 = 8 pens. Seven boxes hold 7 * 8 = 54 pens."
    assert verify("math", FAILED[: found.kept] + found.text, PROBLEM.spec).outcome == "pass"


def test_a_whole_answer_is_taken_as_it_is():
    found = read("There are 3 + 5 = 8 pens in a box and 7 * 8 = 56 in all. The answer is 56.")
    assert (found.fault, found.step, found.kept, found.shown) == ("", None, 0, 0)
    assert found.text.startswith("There are")


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ("7 * 8 = 54. The answer is 56.", "states a wrong step: 7 * 8 = 54"),
        ("The hint says 56, so 7 * 8 = 56. The answer is 56.", "mentions the hint: The hint"),
        (reply(2, "It is 56.", "7 * 8 = 56. And 1 + 1 = 3. The answer is 56."), "states a wrong step: 1 + 1 = 3"),
        (reply(2, "I wrote 6 * 8 = 54.", "7 * 8 = 56. The answer is 56."), "states a wrong step: 6 * 8 = 54"),
        (reply(3, "It is 56.", "The answer is 56."), "keeps a wrong step: 7 * 8 = 54"),
        (reply(9, "It is 56.", "7 * 8 = 56. The answer is 56."), "names no step of the attempt"),
        (reply(0, "It is 56.", "7 * 8 = 56. The answer is 56."), "names no step of the attempt"),
        ("First wrong step: 2. 7 * 8 = 56. The answer is 56.", "names no step of the attempt"),
        (reply(2, "The student slipped.", "7 * 8 = 56. The answer is 56."), "speaks from outside: The student"),
        (reply(2, "Step 2 is off.", "7 * 8 = 56. The answer is 56."), "speaks from outside: Step 2"),
        (
            reply(2, "It is 56.", "One box holds 3 + 5 = 8 pens. Seven hold 7 * 8 = 56. The answer is 56."),
            "begins again instead of going on",
        ),
        (reply(2, "I slipped.", "So there are 7 * 8 = 56, less 1, and the answer is 55."), "does not pass as a whole"),
    ],
)
def test_what_is_wrong_is_said(answer, fault):
    assert read(answer).fault.startswith(fault)


def test_why_may_quote_the_wrong_equation():
    assert read(reply(2, "I wrote 7*8 = 54, which is wrong.", "7 * 8 = 56 pens. The answer is 56.")).fault == ""


def test_what_the_problem_speaks_of_is_not_from_outside():
    problem = Problem(
        prompt="The student fills 7 boxes of 8 pens. How many?",
        domain="math",
        verifier="math",
        spec=PROBLEM.spec,
        source="s",
    )
    failed = "The student needs 7 * 8 = 54 pens. The answer is 54."
    answer = reply(1, "The product is 56.", "The student needs 7 * 8 = 56 pens. The answer is 56.")
    assert read(answer, failed=failed, problem=problem).fault == ""


def test_what_was_cut_off_is_not_kept():
    assert read(GOOD, finish_reason="length").fault == "cut off"


def test_thoughts_that_speak_of_the_hint_count_only_where_they_are_taken_over():
    thought = "The given answer is 56, so I should find the slip."
    assert read("7 * 8 = 56. The answer is 56.", reasoning=thought).fault.startswith("mentions the hint")
    assert read(GOOD, reasoning=thought).fault == ""


def test_equations_in_programs_are_none():
    problem = Problem(prompt="p", domain="code", verifier="code", spec={"tests": ["assert f() == 1"]}, source="s")
    answer = "```python\ndef f():\n    # 1 + 1 = 3\n    return 1\n```"
    assert read(answer, failed="```python\ndef f():\n    return 2\n```", problem=problem).fault == ""
