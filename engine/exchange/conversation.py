"""Conversations of others as our messages: one set of roles, thoughts in `reasoning`, tool calls as text.

Thoughts are what stands between `<think>` and `</think>`, `<|begin_of_thought|>` and `<|end_of_thought|>`, or before a
closing tag whose opening one the chat template had said. Tool calls, which others keep beside the text, are written
into it as `<tool_call>{"name", "arguments"}</tool_call>`. Not covered: images, and thoughts in the middle of an answer,
which stay where they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gradus.engine.exchange.layouts.base import UnusableError
from gradus.engine.records import Message

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
SOLUTION = re.compile(r"\s*<\|begin_of_solution\|>(.*?)(?:<\|end_of_solution\|>\s*)?", re.DOTALL)


def read_turns(turns: Any) -> tuple[Message, ...]:
    """Return `[{"role", "content"}]` or `[{"from", "value"}]` as messages that end with the assistant's answer."""
    if not isinstance(turns, Sequence) or isinstance(turns, str):
        raise UnusableError("no conversation: there is no list of turns")
    said = tuple(message for message in map(_message, turns) if message["content"] or message["role"] != "system")
    if not any(message["role"] == "user" for message in said):
        raise UnusableError("no conversation: nobody asks")
    if said[-1]["role"] != "assistant":
        raise UnusableError(f"no answer: the conversation ends with the {said[-1]['role']}")
    for message in said:
        if message["role"] != "tool" and not message["content"]:
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


def _message(turn: Any) -> Message:
    if not isinstance(turn, Mapping):
        raise UnusableError(f"no conversation: a turn is {turn!r:.40}")
    role = str(turn.get("role") or turn.get("from") or "").lower()
    if role not in ROLES:
        raise UnusableError(f"unknown role: {role[:40]!r}")
    content = _plain(turn.get("content", turn.get("value")))
    if ROLES[role] != "assistant":
        return Message(role=ROLES[role], content=content.strip())
    thought, answer = split_thought(content)
    thought = str(turn.get("reasoning") or turn.get("reasoning_content") or thought).strip()
    answer = "\n".join(part for part in (answer, *_calls(turn.get("tool_calls") or ())) if part)
    message = Message(role="assistant", content=answer)
    return Message(role="assistant", content=answer, reasoning=thought) if thought else message


def _plain(content: Any) -> str:
    """Return content as text: it may be missing, or a list of parts."""
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, Sequence) and all(isinstance(part, Mapping) and "text" in part for part in content):
        return "\n".join(str(part["text"]) for part in content)
    raise UnusableError(f"no text: a turn holds {content!r:.40}")


def _calls(calls: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for call in calls:
        function = call.get("function") or call
        arguments = function.get("arguments")
        if isinstance(arguments, str):
            try:
                arguments = json.loads(arguments or "{}")
            except ValueError:
                raise UnusableError("bad tool call: its arguments are not JSON") from None
        written = json.dumps({"name": function["name"], "arguments": arguments or {}}, ensure_ascii=False)
        yield f"<tool_call>\n{written}\n</tool_call>"
