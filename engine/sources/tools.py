"""Tool use: definitions of tools and a request whose right calls are known.

Level 1: one tool, one call. 2: several tools, one call, arguments that may be left out. 3: two or three calls at once.
4: no call is right: a question that no tool helps with, whose answer is checked, or a request that leaves a needed
argument out, which the model has to ask for. Option `kinds` draws only some of `single`, `choice`, `parallel`, `none`,
`missing`; `tools` bounds how many are told.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping
from typing import Any

from gradus.engine.calls import request
from gradus.engine.records import Problem
from gradus.engine.sources.base import Level, generators
from gradus.engine.sources.tools_catalog import FACTS, TOOLS
from gradus.engine.sources.tools_form import Argument, Tool

MAX_TOOLS = 6
Call = dict[str, Any]
Drawn = tuple[str, Call]
"""A request, and the call that it asks for."""
Judged = tuple[str, dict[str, Any]]
"""A verifier and its arguments."""


def ask(rng: random.Random, tool: Tool, *, more: bool) -> Drawn:
    """Draw a request for one call; more: with some of the arguments that may be left out."""
    said, call = _fill(rng, tool, rng.choice(tool.asks), tool.needed)
    optional, chosen = [], [name for name in tool.more if more and rng.random() < 0.7]
    for name, argument in tool.more.items():
        if name in chosen:
            value = rng.choice(list(argument.values))
            said += argument.clause.format(**{name: argument.values[value]})
            call["arguments"][name] = value
        elif argument.default is not None:
            call["arguments"][name] = argument.default
            optional.append(name)
    if optional:
        call["optional"] = optional
    return said, _matched(tool, call)


def _fill(rng: random.Random, tool: Tool, text: str, arguments: Mapping[str, Argument]) -> Drawn:
    """Draw values of arguments, no two the same, and say them in text."""
    values: dict[str, Any] = {}
    for name, argument in arguments.items():
        values[name] = rng.choice([value for value in argument.values if value not in values.values()])
    said = text.format(**{name: arguments[name].values[value] for name, value in values.items()})
    plain = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
    return said, {"name": tool.name, "arguments": plain}


def _matched(tool: Tool, call: Call) -> Call:
    """Text that is not of a list counts without its case; the order of folders does not count."""
    known = {**tool.needed, **tool.more}
    match = {name: "unordered" for name in call["arguments"] if known[name].type == "array"}
    match |= {name: "text" for name in call["arguments"] if known[name].type == "string" and not known[name].listed}
    return call | {"match": match} if match else call


def _single(rng: random.Random, _: int) -> Problem:
    tool = rng.choice(TOOLS)
    said, call = ask(rng, tool, more=False)
    return _problem(rng, "single", offered=[tool], said=said, judged=_calls([call]))


def _choice(rng: random.Random, tools: int) -> Problem:
    offered = rng.sample(TOOLS, rng.randint(2, tools))
    said, call = ask(rng, offered[0], more=True)
    return _problem(rng, "choice", offered=offered, said=said, judged=_calls([call]))


def _parallel(rng: random.Random, tools: int) -> Problem:
    offered = rng.sample(TOOLS, rng.randint(2, tools))
    num = rng.choice((2, 2, 3))
    drawn = [ask(rng, rng.choice(offered), more=False) for _ in range(num)]
    if any(drawn[i][1] == drawn[j][1] for i in range(num) for j in range(i)):
        return _parallel(rng, tools)
    said = " ".join(request for request, _ in drawn)
    return _problem(rng, "parallel", offered=offered, said=said, judged=_calls([call for _, call in drawn]))


def _none(rng: random.Random, tools: int) -> Problem:
    offered = rng.sample(TOOLS, rng.randint(1, tools))
    question = rng.choice(list(FACTS))
    return _problem(rng, "none", offered=offered, said=question, judged=_silent([FACTS[question]]))


def _missing(rng: random.Random, tools: int) -> Problem:
    offered = rng.sample(TOOLS, rng.randint(1, tools))
    tool = offered[0]
    left_out = rng.choice(list(tool.without))
    rest = {name: argument for name, argument in tool.needed.items() if name != left_out}
    said, _ = _fill(rng, tool, tool.without[left_out].ask, rest)
    words = tool.without[left_out].words
    return _problem(rng, "missing", offered=offered, said=said, judged=_silent(["?"], list(words)))


KINDS = {"single": _single, "choice": _choice, "parallel": _parallel, "none": _none, "missing": _missing}
LEVELS = (("single",), ("choice",), ("parallel",), ("none", "missing"))


def _problem(rng: random.Random, kind: str, *, offered: list[Tool], said: str, judged: Judged) -> Problem:
    """Put tools and request into a prompt."""
    told = [tool.definition for tool in rng.sample(offered, len(offered))]
    if rng.random() < 0.5:
        told = [{"type": "function", "function": definition} for definition in told]
    verifier, spec = judged
    return Problem(
        prompt=request(told, said), domain="tool", verifier=verifier, spec=spec, source="tools", tags=(f"kind:{kind}",)
    )


def _calls(calls: list[Call]) -> Judged:
    return "tool_call", {"expected": calls}


def _silent(*words: list[str]) -> Judged:
    """Return how an answer is judged that has to call nothing, and to say a word of each list."""
    return "all_of", {"parts": [{"verifier": "tool_call", "spec": {"expected": []}}, *map(_says, words)]}


def _says(words: list[str]) -> dict[str, Any]:
    one = [
        {
            "verifier": "instruction",
            "spec": {"instructions": [{"id": "keywords:existence", "kwargs": {"keywords": [word]}}]},
        }
        for word in words
    ]
    return one[0] if len(one) == 1 else {"verifier": "any_of", "spec": {"parts": one}}


@generators.register("tools")
def levels(*, kinds: Collection[str] = tuple(KINDS), tools: int = 4) -> tuple[Level, ...]:
    """From one tool and one call to requests that no call serves."""
    if isinstance(kinds, str) or not kinds or not set(kinds) <= set(KINDS):
        raise ValueError(f"kinds must be a list of {', '.join(KINDS)}, not {kinds!r}")
    if not 2 <= tools <= MAX_TOOLS:
        raise ValueError(f"tools must be 2 to {MAX_TOOLS}, not {tools}")

    def level(chosen: tuple[str, ...]) -> Level:
        return lambda rng: KINDS[rng.choice(chosen)](rng, tools)

    wanted = [tuple(kind for kind in group if kind in kinds) for group in LEVELS]
    return tuple(level(chosen) for chosen in wanted if chosen)
