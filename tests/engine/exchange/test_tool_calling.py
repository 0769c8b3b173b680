"""Others' function calling gives a problem and a trace; calls that their schemas refuse give nothing. Rows are ours."""

import json

import pytest

from gradus.engine.calls import written
from gradus.engine.exchange.layouts.base import Told, UnusableError, layouts
from gradus.verifiers.base import verify

TOLD = Told(source="here", tags=("t",))
XLAM = {
    "id": 7,
    "query": "Where can I find live giveaways for beta access?",
    "tools": json.dumps(
        [
            {
                "name": "giveaways",
                "description": "Live giveaways.",
                "parameters": {
                    "type": {"description": "Which kind.", "type": "str", "default": "game"},
                    "limit": {"description": "At most.", "type": "int, optional"},
                    "tags": {"description": "Words.", "type": "List[str]"},
                },
            }
        ]
    ),
    "answers": json.dumps([{"name": "giveaways", "arguments": {"type": "beta", "tags": ["new"]}}]),
}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "camera",
            "parameters": {"type": "object", "properties": {"id": {"type": "integer"}}, "required": ["id"]},
        },
    }
]
CALL = "<tool_call>\n{'arguments': {'id': 3}, 'name': 'camera'}\n</tool_call>"
HERMES = {
    "id": "h1",
    "conversations": [
        {"from": "system", "value": "You call functions."},
        {"from": "human", "value": "Show me camera three."},
        {"from": "gpt", "value": f"<think>\nThree.\n</think>\nOne moment.\n{CALL}"},
        {"from": "tool", "value": '<tool_response>\n{"feed": "on"}\n</tool_response>'},
        {"from": "gpt", "value": "It is on."},
    ],
    "tools": json.dumps(TOOLS),
}


def found(form, row):
    return layouts[form](row, TOLD)


def judged(problem, name, **arguments):
    return verify("tool_call", written({"name": name, "arguments": arguments}), problem.spec).outcome


def test_xlam_gives_a_problem_that_its_answer_passes():
    problem = found("xlam", XLAM).problem
    assert problem.prompt.endswith(XLAM["query"])
    assert judged(problem, "giveaways", type="beta", tags=["new"]) == "pass"
    assert judged(problem, "giveaways", type="Beta", tags=["new"]) == "pass"
    assert judged(problem, "giveaways", type="game", tags=["new"]) == "fail"
    assert judged(problem, "giveaways", tags=["new"]) == "fail"
    assert (problem.domain, problem.source, problem.tags) == ("tool", "here", ("t",))


def test_a_default_may_be_said_or_left_out():
    answers = json.dumps([{"name": "giveaways", "arguments": {"tags": []}}])
    problem = found("xlam", XLAM | {"answers": answers}).problem
    assert judged(problem, "giveaways", tags=[]) == judged(problem, "giveaways", tags=[], type="game") == "pass"


def test_xlam_gives_a_trace_with_its_tools():
    trace = found("xlam", XLAM).trace
    system, user, assistant = trace.messages
    assert '"name": "giveaways"' in system["content"]
    assert '"type": "array"' in system["content"]
    assert user["content"] == XLAM["query"]
    assert assistant["tool_calls"] == [{"name": "giveaways", "arguments": {"type": "beta", "tags": ["new"]}}]
    assert trace.learn == (False, False, True)
    assert found("xlam", XLAM).row == "7"


def test_xlam_without_answers_wants_no_call():
    row = found("xlam", XLAM | {"answers": "[]"})
    assert row.trace is None
    assert verify("tool_call", "I cannot.", row.problem.spec).outcome == "pass"


def test_hermes_gives_both():
    row = found("hermes-tools", HERMES)
    system, _, calling, result, _ = row.trace.messages
    assert system["content"].startswith("You call functions.")
    assert '"name": "camera"' in system["content"]
    assert calling == {
        "role": "assistant",
        "content": "One moment.",
        "reasoning": "Three.",
        "tool_calls": [{"name": "camera", "arguments": {"id": 3}}],
    }
    assert result == {"role": "tool", "content": '{"feed": "on"}'}
    assert row.trace.learn == (False, False, True, False, True)
    assert judged(row.problem, "camera", id=3) == "pass"
    assert judged(row.problem, "camera", id=4) == "fail"


def test_hermes_without_definitions_gives_a_trace_alone():
    row = found("hermes-tools", {key: value for key, value in HERMES.items() if key != "tools"})
    assert row.problem is None
    assert row.trace.messages[0]["content"] == "You call functions."


def with_call(text):
    turns = [
        turn | {"value": text} if turn["value"].startswith("<think>") else turn for turn in HERMES["conversations"]
    ]
    return HERMES | {"conversations": turns}


BAD = [
    ("xlam", XLAM | {"answers": '[{"name": "lotto", "arguments": {}}]'}, "wrong tool call: no tool 'lotto'"),
    ("xlam", XLAM | {"answers": '[{"name": "giveaways", "arguments": {"tags": 3}}]'}, "does not fit its schema"),
    ("xlam", XLAM | {"answers": '[{"name": "giveaways", "arguments": {}}]'}, "'tags' is a required property"),
    ("xlam", XLAM | {"answers": '[{"name": "giveaways", "arguments": {"tags": [], "x": 1}}]'}, "has no argument 'x'"),
    ("xlam", XLAM | {"answers": "[{"}, "bad tool call: the answers cannot be read"),
    ("xlam", XLAM | {"tools": "[{"}, "bad tool call: the tools cannot be read"),
    ("xlam", XLAM | {"query": ""}, "nobody asks"),
    ("hermes-tools", with_call(CALL.replace("'id': 3", "'id': 'x'")), "does not fit its schema"),
    ("hermes-tools", with_call(CALL.replace("camera", "lamp")), "no tool 'lamp' is offered"),
    ("hermes-tools", with_call(CALL.replace("'name'", "name")), "bad tool call"),
]


@pytest.mark.parametrize(("form", "row", "said"), BAD)
def test_a_call_that_is_wrong_drops_its_row(form, row, said):
    with pytest.raises(UnusableError) as error:
        found(form, row)
    assert said in str(error.value)
