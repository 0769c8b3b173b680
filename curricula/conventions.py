"""How a chat template shows thoughts, tool calls and tool results; where it has no way of its own, as text.

Found by trial, with a message of the same shape whose parts are marks: of the ways to hand it over, the first that
shows every part is taken. A thought goes under the field that the template reads, else into the content by a wrapper
of ours. Calls go as `tool_calls`, their arguments as data or, for a template that wants it so, as JSON; else as
`<tool_call>{"name", "arguments"}</tool_call>` after the content. A tool's result goes as the role `tool`, else as what
the user says, in `<tool_response>`. Not covered: the definitions of tools, which our prompts hold as text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import product
from typing import Any

from gradus.engine.calls import with_calls
from gradus.engine.records import Message, ToolCall
from gradus.errors import DataError

THOUGHT = "<think>\n{reasoning}\n</think>\n\n"
"""The wrapper, where nobody says another."""
FIELDS = ("reasoning_content", "reasoning", "thinking")
"""Under which templates look for a thought."""
ASK = Message(role="user", content="gradusask")
CALL = ToolCall(name="graduscall0", arguments={"gradusname": "gradusvalue0"}, id="gradus000")
OURS = ("messages", "tools", "documents", "add_generation_prompt", "strftime_now")
Turn = dict[str, Any]
Render = Callable[[Sequence[Turn]], str]
"""The template's text of a conversation; DataError if it refuses it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderConfig:
    """How conversations are put in the student's chat template."""

    thought: str = THOUGHT
    """Wraps `{reasoning}`, before the answer, where the template has no place for it."""
    today: str = "2026-01-01"
    """The date that a template is told which asks for today's: a trace has the same tokens on every day."""
    options: dict[str, Any] = field(default_factory=dict)
    """Handed to the template by name, as `enable_thinking = false`."""

    def __post_init__(self) -> None:
        if "{reasoning}" not in self.thought:
            raise ValueError(f"thought must hold {{reasoning}}, not {self.thought!r:.60}")
        try:
            date.fromisoformat(self.today)
        except ValueError:
            raise ValueError(f"today must be a date, as 2026-01-01, not {self.today!r:.60}") from None
        if taken := sorted({*OURS} & {*self.options}):
            raise ValueError(f"options cannot set {', '.join(taken)}: that is what conversations are rendered with")


class Conventions:
    """Those of one template."""

    def __init__(self, render: Render, thought: str) -> None:
        self._render, self._thought = render, thought
        self._known: dict[tuple[str, bool, bool, int], Callable[[Message], Turn]] = {}

    def turns(self, messages: Sequence[Message]) -> list[Turn]:
        """Return messages as the template takes them; DataError for one that it cannot show whole."""
        return [self._turn(message) for message in messages]

    def _turn(self, message: Message) -> Turn:
        role, calls = message["role"], len(message.get("tool_calls", ()))
        if role != "tool" and not calls and not message.get("reasoning"):
            return _plain(message)
        shape = role, bool(message["content"].strip()), bool(message.get("reasoning")), calls
        if shape not in self._known:
            self._known[shape] = self._find(_marked(*shape))
        return self._known[shape](message)

    def _find(self, marked: Message) -> Callable[[Message], Turn]:
        """Return the first way that shows all of a message of marks."""
        before: list[Turn] = [_plain(ASK)]
        if marked["role"] == "tool":
            before.append(self._turn(Message(role="assistant", content="", tool_calls=[CALL])))
        for way in self._ways(marked):
            try:
                text = self._render([*before, way(marked)])
            except DataError:
                continue
            if all(mark in text for mark in _marks(marked)) and str(CALL["arguments"]) not in text:
                return way
        parts = {"reasoning": "thought", "tool_calls": "tool calls", "content": "text"}
        what = " and ".join(said for name, said in parts.items() if marked.get(name))
        raise DataError(f"the chat template cannot show the {marked['role']}'s {what}, not even as text")

    def _ways(self, message: Message) -> Iterator[Callable[[Message], Turn]]:
        if message["role"] == "tool":
            yield from (_plain, _as_user)
            return
        calls = (_as_data, _as_json, None) if message.get("tool_calls") else (None,)
        fields = (*FIELDS, "") if message.get("reasoning") else ("",)
        for put, name in product(calls, fields):
            yield partial(self._assistant, put=put, thought_in=name)

    def _assistant(self, message: Message, *, put: Callable[[ToolCall], Turn] | None, thought_in: str) -> Turn:
        turn = _plain(message if put else with_calls(message))
        if put:
            turn["tool_calls"] = [put(call) for call in message["tool_calls"]]
        if thought := message.get("reasoning"):
            if thought_in:
                turn[thought_in] = thought
            else:
                turn["content"] = self._thought.replace("{reasoning}", thought) + turn["content"]
        return turn


def _plain(message: Message) -> Turn:
    """Return what every template knows, and who a tool's result belongs to."""
    turn: Turn = {"role": message["role"], "content": message["content"]}
    if message.get("name"):
        turn["name"] = message["name"]
    if message.get("tool_call_id"):
        turn["tool_call_id"] = message["tool_call_id"]
    return turn


def _as_user(message: Message) -> Turn:
    return {"role": "user", "content": f"<tool_response>\n{message['content']}\n</tool_response>"}


def _as_data(call: ToolCall) -> Turn:
    turn: Turn = {"type": "function", "function": {"name": call["name"], "arguments": call["arguments"]}}
    return {"id": call["id"], **turn} if call.get("id") else turn


def _as_json(call: ToolCall) -> Turn:
    turn = _as_data(call)
    turn["function"]["arguments"] = json.dumps(call["arguments"], ensure_ascii=False)
    return turn


def _marked(role: str, content: bool, thought: bool, calls: int) -> Message:
    """Return a message of that shape, its parts words that no template says."""
    message = Message(role=role, content="gradustext" if content else "")
    if thought:
        message["reasoning"] = "gradusthought"
    if calls:
        message["tool_calls"] = [
            ToolCall(name=f"graduscall{i}", arguments={"gradusname": f"gradusvalue{i}"}, id=f"gradus{i:03}")
            for i in range(calls)
        ]
    if role == "tool":
        message |= Message(name=CALL["name"], tool_call_id=CALL["id"])
    return message


def _marks(message: Message) -> list[str]:
    said = [message["content"], message.get("reasoning", "")]
    for call in message.get("tool_calls", ()):
        said += call["name"], *call["arguments"], *call["arguments"].values()
    return [mark for mark in said if mark]
