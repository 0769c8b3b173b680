"""A thought is what stands before the answer, however it is marked."""

import json

import pytest

from gradus.engine.exchange.conversation import read_turns, split_thought, with_tools
from gradus.engine.exchange.layouts.base import UnusableError


@pytest.mark.parametrize(
    ("text", "thought", "answer"),
    [
        ("<think>a</think>b", "a", "b"),
        ("\n<think>\na\n</think>\n\nb\n", "a", "b"),
        ("a\n</think>\nb", "a", "b"),
        ("<thinking>a</thinking>b", "a", "b"),
        ("<think></think>b", "", "b"),
        ("b", "", "b"),
        ("Write <think> first.", "", "Write <think> first."),
        ("<think>a</think>b </think> c", "a", "b </think> c"),
        ("<|begin_of_thought|>a<|end_of_thought|> <|begin_of_solution|> b <|end_of_solution|>", "a", "b"),
        ("<|begin_of_thought|>a<|end_of_thought|> <|begin_of_solution|> b", "a", "b"),
        ("", "", ""),
    ],
)
def test_a_thought_is_split_off(text, thought, answer):
    assert split_thought(text) == (thought, answer)


def test_a_thought_without_an_end_is_no_answer():
    with pytest.raises(UnusableError, match="cut off"):
        split_thought("<think>a b c")


def test_only_the_assistants_thoughts_are_split_off():
    user, assistant = read_turns([{"role": "user", "content": "a</think>b"}, {"role": "assistant", "content": "c"}])
    assert user == {"role": "user", "content": "a</think>b"}
    assert assistant == {"role": "assistant", "content": "c"}


@pytest.mark.parametrize("name", ["reasoning", "reasoning_content"])
def test_a_thought_may_stand_beside_the_content(name):
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", name: "why"}]
    assert read_turns(turns)[-1] == {"role": "assistant", "content": "b", "reasoning": "why"}


def test_parts_of_text_are_joined():
    turns = [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {"role": "gpt", "content": "c"},
    ]
    assert [turn["content"] for turn in read_turns(turns)] == ["a\nb", "c"]


CALL = {"name": "weather", "arguments": {"city": "Bonn"}}


@pytest.mark.parametrize(
    "turn",
    [
        {"content": "", "tool_calls": [{"function": {"name": "weather", "arguments": '{"city": "Bonn"}'}}]},
        {"content": None, "tool_calls": [CALL]},
        {"content": '<tool_call>\n{"name": "weather", "arguments": {"city": "Bonn"}}\n</tool_call>'},
        {"content": "<tool_call>{'arguments': {'city': 'Bonn'}, 'name': 'weather'}</tool_call>\n"},
    ],
)
def test_calls_are_data_however_they_are_written(turn):
    answer = read_turns([{"role": "user", "content": "Weather?"}, {"role": "assistant", **turn}])[-1]
    assert answer == {"role": "assistant", "content": "", "tool_calls": [CALL]}


def test_text_before_calls_stays_text_and_a_call_inside_text_stays_there():
    inside = "Write <tool_call>{}</tool_call> to call."
    for content, said, calls in [
        ('I look.\n<tool_call>{"name": "a"}</tool_call>\n<tool_call>{"name": "b"}</tool_call>', "I look.", ["a", "b"]),
        (inside, inside, []),
    ]:
        answer = read_turns([{"role": "user", "content": "?"}, {"role": "assistant", "content": content}])[-1]
        assert (answer["content"], [call["name"] for call in answer.get("tool_calls", ())]) == (said, calls)


@pytest.mark.parametrize(
    "content", ["<tool_call>{'name': </tool_call>", "<tool_call>[1]</tool_call>", '<tool_call>{"name": 3}</tool_call>']
)
def test_a_call_that_cannot_be_read_is_a_reason_to_drop(content):
    with pytest.raises(UnusableError, match="bad tool call"):
        read_turns([{"role": "user", "content": "?"}, {"role": "assistant", "content": content}])


def test_a_tools_result_keeps_its_name_and_call():
    turns = [
        {"role": "user", "content": "?"},
        {"role": "tool", "content": "<tool_response>\nsunny\n</tool_response>", "name": "weather", "tool_call_id": "1"},
        {"role": "assistant", "content": "Sun."},
    ]
    assert read_turns(turns)[1] == {"role": "tool", "content": "sunny", "name": "weather", "tool_call_id": "1"}


def test_tools_are_told_once():
    said = read_turns([{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": "Where?"}])
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    told = with_tools(said, json.dumps(tools))
    assert told[0]["role"] == "system"
    assert json.dumps(tools[0]) in told[0]["content"]
    assert told[1:] == said
    assert with_tools(told, tools) == told
    assert with_tools(said, None) == said
