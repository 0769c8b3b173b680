"""A thought is what stands before the answer, however it is marked."""

import pytest

from gradus.engine.exchange.conversation import read_turns, split_thought
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
