"""The Berkeley Function-Calling Leaderboard's single-turn categories, each question joined with its possible answers.

`id`, `question` (a conversation, or a list of one), `function`, and `ground_truth`: `[{name: {argument: [values]}}]`,
where "" among the values says that the argument may be left out. The release keeps the ground truth in files of their
own: join by `id`. Rows whose id begins with `irrelevance` expect no call. Not covered: several turns, and calls in Java
or JavaScript, whose arguments are source text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from gradus.engine.records import Problem
from gradus.engine.sources.base import importers
from gradus.engine.tool_problems import check_call, definitions, tool_problem

MAX_WAYS = 256


@importers.register("bfcl")
def bfcl(row: Mapping[str, Any]) -> Problem:
    """What a system's turn says stands before the request."""
    tools = definitions(row["function"])
    turns = row["question"]
    if turns and isinstance(turns[0], Sequence):
        if len(turns) != 1:
            raise ValueError(f"{len(turns)} turns; only single-turn categories have calls that can be checked")
        turns = turns[0]
    said = "\n\n".join(turn["content"].strip() for turn in turns)
    irrelevant = "irrelevance" in str(row.get("id", "")) and not row.get("ground_truth")
    truth = [] if irrelevant else row["ground_truth"]
    expected = [_expected(tools, name, values) for call in truth for name, values in call.items()]
    category = str(row.get("id", "")).rpartition("_")[0]
    return tool_problem(tools, said, expected, source="bfcl", tags=(f"category:{category}",) if category else ())


def _expected(tools: Sequence[Mapping[str, Any]], name: str, values: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    match: dict[str, str] = {}
    ways = {
        argument: [way for one in allowed if one != "" for way in _ways(one)] for argument, allowed in values.items()
    }
    for argument, found in ways.items():
        if len(found) == 1:
            arguments[argument] = found[0]
            match |= {argument: "text"} if isinstance(found[0], str) else {}
        elif found:
            arguments[argument] = found
            match[argument] = "one_of"
    optional = [argument for argument in arguments if "" in values[argument]]
    check_call(tools, name, {argument: ways[argument][0] for argument in arguments if argument not in optional})
    call: dict[str, Any] = {"name": name, "arguments": arguments}
    return call | ({"optional": optional} if optional else {}) | ({"match": match} if match else {})


def _ways(value: Any) -> list[Any]:
    """Return the values that one stands for: in an object, each key has a list of its own."""
    found: list[Any]
    if isinstance(value, list):
        parts = [_ways(item) if isinstance(item, dict) else [item] for item in value]
        found = [list(way) for way in product(*parts)]
    elif isinstance(value, dict):
        parts = [[way for one in allowed if one != "" for way in _ways(one)] for allowed in value.values()]
        found = [dict(zip(value, way, strict=True)) for way in product(*parts)]
    else:
        return [value]
    if len(found) > MAX_WAYS:
        raise ValueError(f"an argument may be said in {len(found)} ways; at most {MAX_WAYS} are compared")
    return found
