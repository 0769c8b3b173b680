"""Function calling: xLAM's `query`, `tools`, `answers`, and Hermes' conversations with `<tool_call>`.

`xlam`: all three JSON text or data; `id`. `hermes-tools`: `conversations` of `{from, value}`, `tools`, `id`.
Each gives a trace, its tools told in the system's turn, and a problem where one question asks for the first calls. A
call of a tool that is not offered, or that its schema refuses, drops the row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gradus.engine.exchange.conversation import only_question, read_call, read_json, read_turns, with_tools
from gradus.engine.exchange.layouts.base import Found, Row, Told, UnusableError, imported, layouts, text_of
from gradus.engine.records import Message, Problem, ToolCall
from gradus.engine.tool_problems import check_call, definitions, tool_problem, wanted


@layouts.register("xlam")
def xlam(row: Row, told: Told) -> Found:
    """An empty list of answers expects no call, and gives no trace: nobody says what to answer instead."""
    tools, query = _tools(row["tools"]), text_of(row, "query")
    if not query:
        raise UnusableError("no conversation: nobody asks")
    answers = read_json(row["answers"], "the answers") if isinstance(row["answers"], str) else row["answers"]
    calls = [read_call(answer) for answer in answers]
    problem = _problem(tools, query, calls, told)
    trace = None
    if calls:
        said = (Message(role="user", content=query.strip()), Message(role="assistant", content="", tool_calls=calls))
        trace = imported(with_tools(said, tools), domain="tool", teacher=told.source, problem=problem)
    return Found(problem=problem, trace=trace, row=str(row.get("id", "")))


@layouts.register("hermes-tools")
def hermes_tools(row: Row, told: Told) -> Found:
    """Rows without `tools`, whose system's turn has them as text, give a trace alone."""
    said = read_turns(row.get("conversations") or row["messages"])
    problem = None
    if row.get("tools"):
        tools = _tools(row["tools"])
        said = with_tools(said, tools)
        for call in (call for message in said for call in message.get("tool_calls", ())):
            _checked(tools, call)
        answer = next(message for message in said if message["role"] == "assistant")
        if question := only_question(said):
            problem = (
                _problem(tools, question, answer.get("tool_calls", ()), told) if answer.get("tool_calls") else None
            )
    trace = imported(said, domain="tool", teacher=text_of(row, "model") or told.source, problem=problem)
    return Found(problem=problem, trace=trace, row=str(row.get("id") or ""), licence=text_of(row, "license"))


def _tools(value: Any) -> list[dict[str, Any]]:
    return definitions(read_json(value, "the tools") if isinstance(value, str) else value)


def _problem(tools: Sequence[Mapping[str, Any]], said: str, calls: Sequence[ToolCall], told: Told) -> Problem:
    for call in calls:
        _checked(tools, call)
    expected = [wanted(tools, call["name"], call["arguments"]) for call in calls]
    return tool_problem(tools, said, expected, source=told.source, tags=told.tags)


def _checked(tools: Sequence[Mapping[str, Any]], call: ToolCall) -> None:
    try:
        check_call(tools, call["name"], call["arguments"])
    except ValueError as error:
        raise UnusableError(f"wrong tool call: {error}") from None
