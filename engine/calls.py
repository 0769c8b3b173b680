"""Tools and their calls in words: `<tool_call>{"name", "arguments"}</tool_call>`, as Hermes and Qwen models write.

A message's `tool_calls` are data; an answer that a model sampled is text. This is the one way from data to text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from gradus.engine.records import Message

RULE = (
    "Call only what is needed. If a needed argument is not stated, ask for it instead. If no tool helps, just answer."
)
HOW = '<tool_call>\n{"name": "…", "arguments": {…}}\n</tool_call>'


def described(tools: Iterable[Mapping[str, Any]]) -> str:
    """Return what a model is told of its tools: their definitions, one a line, and how to call one."""
    lines = "\n".join(json.dumps(tool, ensure_ascii=False) for tool in tools)
    return f"You can call these tools:\n{lines}\n\nTo call one, write this, once for each call:\n{HOW}"


def request(tools: Iterable[Mapping[str, Any]], said: str) -> str:
    """Return a prompt of tools, how to use them, and what is asked."""
    return f"{described(tools)}\n\n{RULE}\n\n{said}"


def asked(prompt: str) -> str:
    """Return what is asked in such a prompt: the tools told there are those of many others."""
    return prompt.rpartition(RULE)[2].strip() or prompt


def written(call: Mapping[str, Any]) -> str:
    """Return a call as a model writes it."""
    said = json.dumps({"name": call["name"], "arguments": call["arguments"]}, ensure_ascii=False)
    return f"<tool_call>\n{said}\n</tool_call>"


def with_calls(message: Message) -> Message:
    """Return a message whose calls, if any, stand at the end of its content."""
    calls = message.get("tool_calls", ())
    if not calls:
        return message
    said = Message(role=message["role"], content="\n".join(filter(None, (message["content"], *map(written, calls)))))
    if "reasoning" in message:
        said["reasoning"] = message["reasoning"]
    return said
