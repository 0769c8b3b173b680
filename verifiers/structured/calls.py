"""The tool calls of an answer, in the forms that models write.

Forms: `<tool_call>{"name": …, "arguments": {…}}</tool_call>`, one or several (Hermes, Qwen); OpenAI's message with
`tool_calls` of `{"function": {"name", "arguments"}}`; a JSON object or list of `{"name", "arguments"}`, bare or in the
last fenced block. `arguments` may be an object or an object written as text; `parameters` and `input` are
other names for it. Not covered: calls written as Python, as XML elements or in Llama's `<function=…>`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from gradus.verifiers.structured.strict_json import BadJSON, after_thought, load, stated

MAX_CALLS = 64
_TAGGED = re.compile(r"<tool_call>(.*?)(?:</tool_call>|\Z)", re.S)
_ARGUMENTS = ("arguments", "parameters", "input")
_BESIDE = {"id", "type", "index", "name", *_ARGUMENTS}


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a tool."""

    name: str
    arguments: dict[str, Any]


def read_calls(answer: str) -> list[Call]:
    """Return an answer's calls in order, none where it makes none; BadJSON for a call that is written wrongly."""
    text = after_thought(answer)
    if tagged := _TAGGED.findall(text):
        values = [value for block in tagged for value in _listed(load(block.strip()))]
    else:
        where = stated(answer)
        if where[:1] not in ("{", "["):
            return []
        values = _listed(load(where))
    if len(values) > MAX_CALLS:
        raise BadJSON(f"{len(values)} calls; at most {MAX_CALLS} are read")
    return [_call(value) for value in values]


def _listed(value: Any) -> list[Any]:
    if isinstance(value, dict) and "tool_calls" in value:
        value = value["tool_calls"]
        if not isinstance(value, list):
            raise BadJSON("tool_calls is no list")
    return value if isinstance(value, list) else [value]


def _call(value: Any) -> Call:
    if isinstance(value, dict) and isinstance(value.get("function"), dict):
        value = value["function"]
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        raise BadJSON("a call needs a name and arguments")
    given = [name for name in _ARGUMENTS if name in value]
    if len(given) > 1 or set(value) - _BESIDE:
        raise BadJSON(f"a call has name and arguments, not {', '.join(sorted(set(value) - {'name'}))}")
    arguments = value[given[0]] if given else {}
    if isinstance(arguments, str):
        arguments = load(arguments)
    if not isinstance(arguments, dict):
        raise BadJSON(f"the arguments of {value['name']} are no object")
    return Call(value["name"], arguments)
