"""Conversations of others as our messages: one set of roles, thoughts in `reasoning`, tool calls in `tool_calls`.

Thoughts are what stands between `<think>` and `</think>`, `<|begin_of_thought|>` and `<|end_of_thought|>`, or before a
closing tag whose opening one the chat template had said. Tool calls stand beside the text, or end it as
`<tool_call>{"name", "arguments"}</tool_call>`. Not covered: images, and thoughts in the middle of an answer, which stay
where they are.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from gradus.engine.calls import described
from gradus.engine.exchange.layouts.base import UnusableError
from gradus.engine.records import Message, ToolCall

ROLES = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "bot": "assistant", "chatbot": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "ipython": "tool",
}  # fmt: skip
LEFT_OUT = ("-",)
"""What stands for a prompt whose licence forbids to repeat it."""
OPEN = re.compile(r"\s*(?:<think(?:ing)?>|<\|begin_of_thought\|>)")
CLOSE = re.compile(r"</think(?:ing)?>|<\|end_of_thought\|>")
CALLS = re.compile(r"((?:\s*<tool_call>.*?</tool_call>)+)\s*\Z", re.DOTALL)
CALL = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
RESULT = re.compile(r"\s*<tool_response>(.*)</tool_response>\s*", re.DOTALL)
SOLUTION = re.compile(r"\s*<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>\s*)?", re.DOTALL)


def read_turns(turns: Any) -> tuple[Message, ...]:
    """Return `[{"role", "content"}]` or `[{"from", "value"}]` as messages that end with the assistant's answer."""
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise UnusableError("no conversation: there is no list of turns")
    said = tuple(message for message in map(read_turn, turns) if message["content"] or message["role"] != "system")
    if not any(message["role"] == "user" for message in said):
        raise UnusableError("no conversation: nobody asks")
    if said[-1]["role"] != "assistant":
        raise UnusableError(f"no answer: the conversation ends with the {said[-1]['role']}")
    for message in said:
        if message["role"] != "tool" and not (message["content"] or message.get("tool_calls")):
            raise UnusableError(f"empty turn: the {message['role']} says nothing")
        if message["role"] == "user" and message["content"] in LEFT_OUT:
            raise UnusableError("prompt left out: it has to be taken from where the data set took it")
    return said


def question_and_answer(question: str, answer: str) -> tuple[Message, ...]:
    """Return two turns."""
    return read_turns([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])


def only_question(said: Sequence[Message]) -> str:
    """Return what the user asks, if that is asked once; else nothing."""
    asked = [message["content"] for message in said if message["role"] == "user"]
    return asked[0] if len(asked) == 1 else ""


def split_thought(text: str) -> tuple[str, str]:
    """Return (thought, answer)."""
    opened, closed = OPEN.match(text), CLOSE.search(text)
    if not closed:
        if opened:
            raise UnusableError("cut off: a thought without an end")
        return "", text.strip()
    thought = text[opened.end() if opened and opened.end() <= closed.start() else 0 : closed.start()]
    answer = text[closed.end() :]
    if solution := SOLUTION.fullmatch(answer):
        answer = solution[1]
    return thought.strip(), answer.strip()


def with_tools(said: tuple[Message, ...], tools: Any) -> tuple[Message, ...]:
    """Return messages whose system's turn says which tools there are, as JSON or a list, unless it does already."""
    defined = read_json(tools, "the tools") if isinstance(tools, str) and tools.strip() else tools
    if not defined:
        return said
    names = [str((tool.get("function") or tool)["name"]) for tool in defined]
    system = said[0]["content"] if said[0]["role"] == "system" else ""
    if all(name in system for name in names):
        return said
    content = "\n\n".join(part for part in (system, described(defined)) if part)
    return Message(role="system", content=content), *said[bool(system) :]


def read_json(text: str, what: str) -> Any:
    """Return what JSON, or Python's way to write it, says; UnusableError names what it is of."""
    for read in (json.loads, ast.literal_eval):
        try:
            return read(text.strip())
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            continue
    raise UnusableError(f"bad tool call: {what} cannot be read: {text.strip()[:60]!r}")


def read_turn(turn: Any) -> Message:
    """Return one turn as a message."""
    if not isinstance(turn, Mapping):
        raise UnusableError(f"no conversation: a turn is {turn!r:.40}")
    role = str(turn.get("role") or turn.get("from") or "").lower()
    if role not in ROLES:
        raise UnusableError(f"unknown role: {role[:40]!r}")
    content = _plain(turn.get("content", turn.get("value")))
    if ROLES[role] == "tool":
        return _result(turn, content)
    if ROLES[role] != "assistant":
        return Message(role=ROLES[role], content=content.strip())
    thought, answer = split_thought(content)
    thought = str(turn.get("reasoning") or turn.get("reasoning_content") or thought).strip()
    written = CALLS.search(answer)
    message = Message(role="assistant", content=answer[: written.start()].strip() if written else answer)
    if thought:
        message["reasoning"] = thought
    tagged = CALL.findall(written[1]) if written else []
    calls = [*(read_json(text, "a call") for text in tagged), *(turn.get("tool_calls") or ())]
    if calls:
        message["tool_calls"] = [read_call(call) for call in calls]
    return message


def read_call(call: Any) -> ToolCall:
    """Return a call of `{"name", "arguments"}`, or OpenAI's, whose function holds them; arguments may be text."""
    function = call.get("function") if isinstance(call, Mapping) else None
    function = function if isinstance(function, Mapping) else call
    if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
        raise UnusableError(f"bad tool call: it has no name: {call!r:.60}")
    arguments = function.get("arguments") or {}
    if isinstance(arguments, str):
        arguments = read_json(arguments, "its arguments")
    if not isinstance(arguments, Mapping):
        raise UnusableError(f"bad tool call: its arguments are no object: {arguments!r:.60}")
    read = ToolCall(name=function["name"], arguments=dict(arguments))
    return ToolCall(**read, id=str(call["id"])) if call.get("id") else read


def _result(turn: Mapping[str, Any], content: str) -> Message:
    tagged = RESULT.fullmatch(content)
    message = Message(role="tool", content=(tagged[1] if tagged else content).strip())
    if isinstance(turn.get("name"), str):
        message["name"] = turn["name"]
    if isinstance(turn.get("tool_call_id"), str):
        message["tool_call_id"] = turn["tool_call_id"]
    return message


def _plain(content: Any) -> str:
    """Return content as text: it may be missing, or a list of parts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, Sequence) and all(isinstance(part, Mapping) and "text" in part for part in content):
        return "\n".join(str(part["text"]) for part in content)
    raise UnusableError(f"no text: a turn holds {content!r:.40}")
